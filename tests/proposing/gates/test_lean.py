"""The gate `lean` with a stand-in for Lean, and proofs that try to get by it."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import UsageError, build
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.proposing.gates.lean import Lean
from dataflywheel.proposing.kinds import Check, Demand, Proposal, Surroundings
from dataflywheel.proposing.lean import proof, run
from dataflywheel.proposing.lean.source import statement_of
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.synthesis.instruction.lean_proofs import LeanProofs
from tests.models.endpoint.fake import FakeClient
from tests.signals.rating.support import MODEL

HERE = Path(__file__).resolve().parents[1] / "lean" / "stand_in.py"
STATED = "import Mathlib\nopen Nat\ntheorem two (n : Nat) (h : 0 < n) : n ≠ 0 := by sorry"
GOOD = "import Mathlib\nopen Nat\ntheorem two (n : Nat) (h : 0 < n) : n ≠ 0 := by omega"


@pytest.fixture
def lean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in on the path; where `bwrap` cannot work, so is one that runs what it is given."""
    place = tmp_path / "bin"
    place.mkdir()
    shutil.copy(HERE, place / "lean")
    run._apart.cache_clear()
    if not run._apart():
        (place / "bwrap").write_text('#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\nshift\nexec "$@"\n')
    for program in place.iterdir():
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    run._apart.cache_clear()
    run.version.cache_clear()
    return place / "lean"


def judged(answer: str, prompt: str = STATED, facts: dict[str, Any] | None = None, **given: Any) -> Check:
    row = prompt_answer_row(prompt, answer)
    (found,) = build(Lean, given).check([Proposal((), row, facts=facts or {})], Surroundings())
    return found


@pytest.mark.parametrize(
    "answer",
    [
        GOOD,
        f"First we see that n is positive.\n```lean4\n{GOOD}\n```",
        f"```lean\n-- sorry, this was hard\n{GOOD}\n```\nThat is it.",
        ":= by omega",
        "by\n  omega",
        "fun h' => absurd h' (by omega)",
        "theorem help : True := trivial\n\ntheorem two (n : Nat) (h : 0 < n) :\n    n ≠ 0 := by omega",
        f"set_option maxHeartbeats 400000 in\n{GOOD}",
        GOOD.replace("omega", "simp"),
    ],
)
def test_proofs_pass(lean: Path, answer: str) -> None:
    assert judged(answer) == Check(True)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", proof.NO_PROOF),
        ("The theorem is clear.", proof.NO_PROOF),
        (GOOD.replace("omega", "sorry"), proof.GAP),
        (GOOD.replace("omega", "native_decide"), proof.AXIOMS),
        (GOOD.replace("omega", "linarith_wrong"), proof.FAILED),
        (GOOD.replace("n ≠ 0", "n = n"), proof.OTHER),
        (GOOD.replace("(h : 0 < n)", "(h : n ≠ 0)"), proof.OTHER),
        (GOOD.replace("theorem two", "theorem three"), proof.NO_PROOF),
        (f"{GOOD}\n/- the end", proof.FAILED),
        (f"axiom easy : False\n{GOOD}", proof.META),
        (f'notation "≠" => Eq\n{GOOD}', proof.META),
        (f'local macro "omega" : tactic => `(tactic| sorry)\n{GOOD}', proof.META),
        (f'#eval IO.FS.removeFile "x"\n{GOOD}', proof.META),
        (GOOD.replace("omega", "run_tac pure ()"), proof.META),
        (f"{GOOD}\n#exit", proof.META),
        (f"set_option debug.skipKernelTC true\n{GOOD}", proof.META),
        (f"@[implemented_by foo] unsafe def bar := 1\n{GOOD}", proof.META),
        (f"import Lean\n{GOOD}", proof.IMPORTS),
    ],
)
def test_others_do_not(lean: Path, answer: str, reason: str) -> None:
    found = judged(answer)
    assert (found.passed, found.reason, found.decided) == (False, reason, True), found.detail


def test_words_in_comments_and_names_are_no_metaprogram(lean: Path) -> None:
    assert judged(f"-- no axiom, no macro\n/- #eval -/\ntheorem macro_free : True := trivial\n{GOOD}").passed


def test_what_is_not_known_is_undecided(lean: Path) -> None:
    slow = judged(GOOD.replace("omega", "forever"), settings={"seconds": 0.5})
    assert (slow.reason, slow.decided) == (proof.SLOW, False)
    broken = judged(GOOD.replace("omega", "segfault"))
    assert (broken.reason, broken.decided) == (proof.BROKEN, False)
    bad = judged(GOOD, STATED.replace("n ≠ 0", "unknown n"))
    assert (bad.reason, bad.decided) == (proof.BAD_STATEMENT, False)
    nothing = judged(GOOD, "Prove that two is not zero.")
    assert (nothing.reason, nothing.decided) == (proof.NOTHING, False)


def test_the_statement_may_stand_in_a_field(lean: Path) -> None:
    row = prompt_answer_row("Show that positive numbers are not 0.", GOOD, extra={"formal_statement": STATED})
    assert build(Lean, {}).check_one(Proposal((), row)).passed
    assert judged(GOOD, "Show it.", {"statement": STATED}).passed


def test_nothing_is_written_elsewhere(lean: Path) -> None:
    if shutil.which("bwrap") is None or Path(str(shutil.which("bwrap"))).parent == lean.parent:
        pytest.skip("no bwrap that can make namespaces here")
    Path("/tmp/peeked").unlink(missing_ok=True)
    stated = statement_of(STATED)
    assert stated is not None
    made = proof.asked(stated, GOOD.replace("omega", "peek"), "t")
    assert isinstance(made, proof.Asked)
    _, said = run.run_lean(made.text, run.LeanSettings())
    assert "wrote" in said
    assert "wrote /tmp/peeked" not in said
    assert not Path("/tmp/peeked").exists()


def test_a_plan_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, lean: Path, tmp_path: Path) -> None:
    build(Lean, {}).ready()
    assert "4.99.0" in build(Lean, {}).leans_on()
    with pytest.raises(UsageError, match="no program 'lean99' on the path"):
        build(Lean, {"settings": {"command": "lean99"}}).ready()
    with pytest.raises(UsageError, match="is no Lake project"):
        build(Lean, {"settings": {"project": str(tmp_path)}}).ready()
    monkeypatch.setattr(run, "_apart", lambda: False)
    with pytest.raises(UsageError, match="bubblewrap"):
        build(Lean, {}).ready()


def test_drawn_proofs_that_lean_accepts_become_rows(lean: Path) -> None:
    said = iter([GOOD.replace("omega", "sorry"), f"```lean\n{GOOD}\n```", "no", GOOD])
    client = FakeClient(lambda request: Reply(Outcome.ANSWERED, next(said)))
    seeds = (prompt_answer_row(STATED, ""), prompt_answer_row("What is a bird?", "An animal."))
    demand = Demand(seeds, (0, 0), (), np.random.default_rng(0))
    made = build(LeanProofs, {"model": MODEL, "samples": 4}).propose_with(client, demand)
    assert [one.failure for one in made] == [
        proof.GAP, "right, but enough for this question", proof.NO_PROOF, "", "nothing to verify by",
    ]  # fmt: skip
    assert made[3].row is not None
    assert made[3].row["messages"][-1]["content"] == GOOD
    assert all(request.messages[1]["content"] == STATED for request in client.requests)
    assert all("Lean 4" in request.messages[0]["content"] for request in client.requests)


def test_a_statement_beside_the_prompt_is_shown_with_it(lean: Path) -> None:
    client = FakeClient(lambda request: Reply(Outcome.ANSWERED, GOOD))
    seed = prompt_answer_row("Show that positive numbers are not 0.", "", extra={"formal_statement": STATED})
    demand = Demand((seed,), (0,), (), np.random.default_rng(0))
    (made,) = build(LeanProofs, {"model": MODEL, "samples": 1}).propose_with(client, demand)
    asked = client.requests[0].messages[1]["content"]
    assert asked.startswith("Show that positive numbers are not 0.\n\n```lean\nimport Mathlib\nopen Nat\ntheorem two ")
    assert asked.endswith(" := by sorry\n```")
    assert made.row is not None
    assert made.row["messages"][0]["content"] == asked
