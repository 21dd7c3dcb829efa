"""A proposer that learns to make a model fail: a planted weakness is found more often round by round."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import PoolStatistics, UsageError
from dataflywheel.models.endpoint.account import account, client_for
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.proposing.fulfil import Fulfilment, Terms, fulfil
from dataflywheel.proposing.kinds import Demand, Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from dataflywheel.store.answers import AnswerStore
from dataflywheel.synthesis.adversarial import failing_instructions
from dataflywheel.synthesis.adversarial.failing_instructions import FailingInstructions
from tests.models.endpoint.fake import FakeClient
from tests.synthesis.adversarial.carries import ADDER, TEACHER, adder, carries, numbers, sums, teacher

POOL = sums(300, carrying=0.15, seed=0)
BRIEF: dict[str, Any] = {
    "most_alike": 0.99,  # sums of a pair of numbers differ in few words
    "instruction_tokens": 24,
    "answer_tokens": 16,
    "warm_up": {"max_steps": 4, "batch_size": 4, "max_length": 96},
    "training": {"max_steps": 2, "batch_size": 4, "max_length": 96},
}
LEARNS: dict[str, Any] = {
    **BRIEF,
    "warm_up": {"max_steps": 200, "batch_size": 16, "learning_rate": 3e-3, "max_length": 96},
    "training": {"epochs": 4, "batch_size": 16, "max_length": 96},
}


class InProcess(FailingInstructions):
    """Asks a teacher of this process."""

    def propose(self, demand: Demand) -> list[Proposal]:
        return self.propose_with(teacher(), demand)


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeClient]:
    """The model that is to fail, within an account for those that lie here."""
    adding = adder()

    def client(spec: ModelSpec) -> Asks:
        return adding if spec.endpoint else client_for(spec)

    monkeypatch.setattr(failing_instructions, "client_for", client)
    store = AnswerStore(tmp_path / "answers.db")
    with account(store):
        yield adding
    store.close()


def method(**given: Any) -> InProcess:
    base = init_tiny(pool_tokenizer([row["messages"] for row in POOL]), "0.5m")
    return InProcess(model=TEACHER, target=ADDER, proposer=ModelSpec(hf=str(base)), **{**BRIEF, **given})


def demand(rows: list[Row], seed: int = 0) -> Demand:
    return Demand(tuple(rows), (0,) * len(rows), (), np.random.default_rng(seed))


def writes(monkeypatch: pytest.MonkeyPatch, write: Callable[[Any], str | Reply]) -> FakeClient:
    """The proposer says this, whatever it learned."""
    writer = FakeClient(write)
    monkeypatch.setattr(FailingInstructions, "_client", lambda *given: writer)
    return writer


def done(made: FailingInstructions, rows: list[Row], wanted: int) -> Fulfilment:
    return fulfil(made, [], rows, Terms(rows=wanted, least_yield=0.0), Surroundings(), 0)


def test_rows_have_lineage_common_tags_and_the_checked_answer(
    target: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter(["Add 1 9 and 1 9.", "Add 1 1 and 1 1.", POOL[0]["messages"][0]["content"], "Sing!"] * 2)
    writes(monkeypatch, lambda request: next(said))
    found = done(method(rounds=1, attempts=4), POOL, 3)
    (row,) = [proposal.row for proposal in found.accepted]
    assert row is not None
    assert [turn["content"] for turn in row["messages"]] == ["Add 1 9 and 1 9.", "#### 3 8"]
    assert (len(row["parents"]), row["made_by"], row["source"]) == (3, "failing_instructions", "sums")
    assert "sums" in row["tags"]
    shown = {one["id"]: one for one in POOL}
    assert all(set(row["tags"]) <= set(shown[id]["tags"]) for id in row["parents"])
    assert [entry.reason for entry in found.entries] == [
        "", "the target did not fail", "copy of an instruction that is there", "no verdict",
    ]  # fmt: skip
    assert found.shortfall == "its 1 rounds of 4 attempts are used up; raise `attempts` or `rounds`"


def test_all_seeds_are_seen_however_few_rows_are_wanted(target: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    writes(monkeypatch, lambda request: f"Add 1 {request.sample % 10} and 9 9.")
    made = method(rounds=1, attempts=10, draws=10)
    found = done(made, POOL, 2)
    assert len(found.accepted) == 2
    assert len(found.entries) == 10
    assert found.shortfall == ""
    assert made.told()["sought"]["warm_up"]["lessons"] == len(POOL)


def test_those_of_the_last_round_come_first(target: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    count = iter(range(100))
    writes(monkeypatch, lambda request: f"Add {(n := next(count)) // 10} {n % 10} and 9 9.")
    found = done(method(rounds=2, attempts=4), POOL, 100)
    rounds = [entry.proposal.facts["sought"]["round"] for entry in found.entries]
    assert rounds == [2] * 4 + [1] * 4


def test_nothing_is_learned_from_a_round_that_waits_for_a_budget(
    target: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes(monkeypatch, lambda request: f"Add 1 {request.sample} and 1 9.")
    target.answer = lambda request: Reply(Outcome.OVER_BUDGET)
    made = method(rounds=3, attempts=4)
    assert len(made.propose_with(teacher(), demand(POOL))) == 4
    assert [one["judged"] for one in made.told()["sought"]["rounds"]] == [0]


def test_a_round_in_which_all_fail_teaches_nothing(target: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    count = iter(range(100))
    writes(monkeypatch, lambda request: f"Add 9 {(n := next(count)) % 10} and 9 {n // 10}.")
    made = method(rounds=2, attempts=4)
    made.propose_with(teacher(), demand(POOL))
    rounds = made.told()["sought"]["rounds"]
    assert [one["failure_rate"] for one in rounds] == [1.0, 1.0]
    assert not any("learned" in one for one in rounds)


def test_rows_that_cannot_be_shown(target: FakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    made = prompt_answer_row("Add 2 and 2.", "4", parents=["x"], made_by="llm2llm")
    long = prompt_answer_row("Add " * 600, "4")
    unfit = [made, long, prompt_answer_row(" ", "4"), POOL[0], POOL[1], POOL[2]]
    with pytest.raises(UsageError, match=r"of 6 rows 3 have one question in one turn"):
        method().propose_with(teacher(), demand(unfit))


def test_a_teacher_that_cannot_disagree() -> None:
    with pytest.raises(ValueError, match="at temperature 0 the teacher says the same again"):
        method(temperature=0)
    assert method(temperature=0, agree=0)


def test_more_rounds_and_samples_are_more_work() -> None:
    pool = PoolStatistics(1000, 100_000, 25_000)
    once, more = method(rounds=2), method(rounds=4)
    assert more.operations(pool) > once.operations(pool)
    assert method(rounds=2, entropy=1.0).estimate(pool).calls == 2 * 128 * (1 + 10 + 2)
    assert once.estimate(pool).calls == 2 * 128 * (1 + 1 + 2)


@pytest.mark.slow
def test_the_weakness_is_found_more_often_from_round_to_round(target: FakeClient) -> None:
    learned, untrained = method(**LEARNS), method(**{**LEARNS, "rounds": 1, "attempts": 3 * 128})
    proposals, others = (one.propose_with(teacher(), demand(POOL)) for one in (learned, untrained))
    rounds = learned.told()["sought"]["rounds"]
    rates = [one["failure_rate"] for one in rounds]
    (untaught,) = untrained.told()["sought"]["rounds"]
    print(rounds, untaught)
    assert min(rates[1:]) > rates[0] + 0.08
    assert min(rates[1:]) > untaught["failure_rate"] + 0.08
    assert min(one["distinct_2"] for one in rounds) > 0.7 * rounds[0]["distinct_2"]
    assert max(one["copies"] for one in rounds) < 0.3
    rows, fewer = ([one.row for one in given if one.row is not None] for given in (proposals, others))
    assert len(rows) > len(fewer)
    asked = [numbers(row["messages"][0]["content"]) for row in rows]
    assert all(pair is not None and carries(*pair) for pair in asked)
    again = method(**LEARNS).propose_with(teacher(), demand(POOL))
    assert [one.row for one in again] == [one.row for one in proposals]
