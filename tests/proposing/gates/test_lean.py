"""The gate `lean` with a stand-in for Lean, and proofs that try to get by it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import UsageError, build
from dataflywheel.proposing.gates.lean import Lean
from dataflywheel.proposing.kinds import Check, Proposal, Surroundings
from dataflywheel.proposing.lean import proof, run
from dataflywheel.proposing.lean.source import statement_of
from dataflywheel.rows.identity import prompt_answer_row
from tests.proposing.lean.installed import install

STATED = "import Mathlib\nopen Nat\ntheorem two (n : Nat) (h : 0 < n) : n ≠ 0 := by sorry"
GOOD = "import Mathlib\nopen Nat\ntheorem two (n : Nat) (h : 0 < n) : n ≠ 0 := by omega"


@pytest.fixture
def lean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return install(tmp_path, monkeypatch)


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
