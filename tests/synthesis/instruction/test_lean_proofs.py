"""Proofs that are drawn, and those that (a stand-in for) Lean accepts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataflywheel.contracts import build
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.proposing.kinds import Demand
from dataflywheel.proposing.lean import proof
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.synthesis.instruction.lean_proofs import LeanProofs
from tests.models.endpoint.fake import FakeClient
from tests.proposing.gates.test_lean import GOOD, STATED
from tests.proposing.lean.installed import install
from tests.signals.rating.support import MODEL


@pytest.fixture
def lean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return install(tmp_path, monkeypatch)


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
