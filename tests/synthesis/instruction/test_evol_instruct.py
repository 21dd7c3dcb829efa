"""Evol-Instruct with a scripted teacher: bounded rounds, eliminations, what the next round begins from, bills."""

from __future__ import annotations

from typing import Any

import pytest

from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.synthesis.instruction.evol_instruct import OPERATIONS, EvolInstruct
from tests.models.endpoint.fake import FakeClient, user_text
from tests.signals.rating.support import MODEL
from tests.synthesis.support import demand, failures, pairs_of, seeds, teacher

SEEDS = seeds(*((f"Name {i} birds.", "Robin.") for i in range(2, 42)))


def scripted(evolve: Any = None, equal: Any = False, answer: Any = None) -> FakeClient:
    """Adds a word a round, finds it unequal, and answers by naming the instruction."""

    def write(parts: dict[str, str], request: Request) -> Any:
        if "instruction" in parts:
            return {"instruction": f"{parts['instruction']} Really."} if evolve is None else evolve
        if "first" in parts:
            return {"equal": equal} if isinstance(equal, bool) else equal
        return f"Answer to: {user_text(request)}" if answer is None else answer

    return teacher(write)


def test_rounds_build_on_each_other_and_are_bounded() -> None:
    client = scripted()
    made = EvolInstruct(model=MODEL, rounds=3).propose_with(client, demand(SEEDS))
    assert len(made) == 3 * len(SEEDS)
    asked = [prompt for prompt, _ in pairs_of(made)]
    assert asked[:3] == [
        "Name 2 birds. Really.",
        "Name 2 birds. Really. Really.",
        "Name 2 birds. Really. Really. Really.",
    ]
    assert [p.facts["depth"] for p in made[:3]] == [1, 2, 3]
    assert all(answer == f"Answer to: {prompt}" for prompt, answer in pairs_of(made))
    assert {p.facts["operation"] for p in made} == {name for name, _ in OPERATIONS}
    assert len(client.requests) == sum(len(p.replies) for p in made) <= 3 * len(made)
    rarer = [p for p in made if p.facts["operation"] == "rarer"]
    assert all(len(p.replies) == 2 for p in rarer)
    assert all(p.row and p.row["parents"] == list(p.parents) for p in made)


@pytest.mark.parametrize(
    ("teacher_faults", "why"),
    [
        ({"evolve": {"instruction": "Rewritten Prompt: name birds."}}, {"leaked prompt words"}),
        ({"answer": "I'm sorry, I cannot."}, {"could not be answered"}),
        ({"answer": "It is what it is."}, {"answer says nothing"}),
        ({"answer": Reply(Outcome.TRUNCATED)}, {"truncated"}),
        ({"evolve": Reply(Outcome.REFUSED)}, {"refused"}),
    ],
)
def test_failed_evolutions_are_eliminated_with_a_reason(teacher_faults: dict[str, Any], why: set[str]) -> None:
    made = EvolInstruct(model=MODEL, rounds=2).propose_with(scripted(**teacher_faults), demand(SEEDS[:10]))
    assert len(made) == 20
    assert set(failures(made)) == why
    assert pairs_of(made) == []


def test_no_gain_is_asked_of_the_model_but_not_of_rarer_ones() -> None:
    made = EvolInstruct(model=MODEL).propose_with(scripted(equal=True), demand(SEEDS))
    kept = [p for p in made if p.row is not None]
    assert {p.facts["operation"] for p in kept} == {"rarer"}
    assert set(failures(made)) == {"no information gain"}
    assert 0 < len(kept) < len(made)
    unheard = EvolInstruct(model=MODEL).propose_with(scripted(equal=Reply(Outcome.TIMED_OUT)), demand(SEEDS))
    assert set(failures(unheard)) == {"timed out"}


def test_after_a_failure_the_next_round_begins_from_the_instruction_before() -> None:
    calls = 0

    def write(parts: dict[str, str], request: Request) -> Any:
        nonlocal calls
        if "instruction" in parts:
            calls += 1
            assert parts["instruction"] in ("Name 2 birds.", "Name 2 birds. Better.")
            return {"instruction": "#Rewritten Prompt#" if calls == 1 else f"{parts['instruction']} Better."}
        return {"equal": False} if "first" in parts else "Robin and wren."

    made = EvolInstruct(model=MODEL, rounds=3).propose_with(teacher(write), demand(SEEDS[:1]))
    assert failures(made) == ["leaked prompt words"]
    assert [prompt for prompt, _ in pairs_of(made)] == ["Name 2 birds. Better.", "Name 2 birds. Better. Better."]


def test_seeds_without_a_usable_instruction_cost_nothing() -> None:
    client = scripted()
    rows = seeds(("", "text"), ("word " * 100, "text"))
    made = EvolInstruct(model=MODEL, max_chars=100).propose_with(client, demand(rows))
    assert failures(made) == ["no instruction", "instruction too long"]
    assert client.requests == []
