"""Answers that a tuned model mends: planted wrong ones, a writer and a judge right with known probabilities."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from dataflywheel.enhancement.rewriting.clear_correction import ClearCorrection
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import Row, message
from tests.enhancement.rewriting.support import MODEL, answer_of, demand, shown
from tests.models.endpoint.fake import FakeClient, user_text

METHOD = ClearCorrection(model=MODEL)


def judge(right: float, seed: int = 0) -> FakeClient:
    """Finds the right one of two answers with that probability."""
    draw = random.Random(seed)

    def answer(request: Request) -> str:
        truth = shown(request, "instruction").removeprefix("Say ")
        first, second = (shown(request, f"answer {n}") == truth for n in (1, 2))
        best = "equal" if first == second else "1" if first else "2"
        if best != "equal" and draw.random() > right:
            best = {"1": "2", "2": "1"}[best]
        return json.dumps({"analysis": "so", "better": best})

    return FakeClient(answer)


def planted(wrong: float, seed: int) -> list[Row]:
    draw = random.Random(seed)
    return [prompt_answer_row(f"Say w{i}", f"w{i}" if draw.random() > wrong else f"x{i}") for i in range(80)]


def right(rows: list[Row]) -> float:
    return float(np.mean([f"Say {row['messages'][1]['content']}" == row["messages"][0]["content"] for row in rows]))


@pytest.mark.parametrize("seed", range(10))
def test_no_seed_lowers_the_share_of_right_answers(seed: int) -> None:
    draw = random.Random(seed)
    writer = FakeClient(lambda request: user_text(request).removeprefix("Say ") if draw.random() < 0.7 else "y")
    rows = planted(0.4, seed)
    made = METHOD.propose_between(writer, judge(0.85, seed), demand(rows))
    after = [proposal.row or row for proposal, row in zip(made, rows, strict=True)]
    assert right(after) > right(rows) + 0.05
    assert all(proposal.facts["confidence"] >= METHOD.sure for proposal in made if proposal.row)


def test_each_answer_stands_first_as_often_as_second_and_an_equal_one_is_no_better() -> None:
    always_first = FakeClient(lambda request: json.dumps({"analysis": "", "better": "1"}))
    row = prompt_answer_row("Say a", "old", source="s")
    (found,) = METHOD.propose_between(FakeClient(lambda request: "new"), always_first, demand([row]))
    assert (found.row, found.failure) == (None, "the model's own answer is not surely better")
    assert len(always_first.requests) == 6
    assert [shown(request, "answer 1") for request in always_first.requests] == ["old", "new"] * 3
    (made,) = METHOD.propose_between(FakeClient(lambda request: "a"), judge(1.0), demand([row]))
    assert answer_of(made) == "a"
    assert made.row is not None
    assert (made.row["parents"], made.row["made_by"], made.row["source"]) == ([row["id"]], "clear_correction", "s")


def test_rows_that_stay_say_why_and_cost_no_votes() -> None:
    said: dict[str, str | Reply] = {
        "Say a": "old",
        "Say b": Reply(Outcome.TRUNCATED, "half", detail="cut"),
        "Say c": "<think>hm",
        "Say d": "  ",
    }
    rows = [prompt_answer_row(name, "old") for name in said]
    rows += [make_row([message("user", "Q"), message("assistant", "", '[{"function":{"name":"f"}}]')])]
    votes = judge(1.0)
    found = METHOD.propose_between(FakeClient(lambda request: said[user_text(request)]), votes, demand(rows))
    assert [proposal.failure.partition(":")[0] for proposal in found] == [
        "the model's own answer is the row's", "truncated", "truncated", "malformed",
        "not rewritten, the answer calls tools",
    ]  # fmt: skip
    assert votes.requests == []


@pytest.mark.parametrize(("lost", "failure"), [(2, ""), (4, "refused")])
def test_votes_that_cannot_be_read_are_not_heard(lost: int, failure: str) -> None:
    votes, refused = judge(1.0), iter(range(lost))
    heard = FakeClient(lambda request: votes.answer(request) if next(refused, None) is None else Reply(Outcome.REFUSED))
    (found,) = METHOD.propose_between(FakeClient(lambda request: "a"), heard, demand([prompt_answer_row("Say a", "x")]))
    assert (found.failure, len(found.replies)) == (failure, 7)
    assert found.facts == ({} if failure else {"confidence": 1.0})
