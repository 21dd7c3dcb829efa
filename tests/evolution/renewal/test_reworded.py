"""Evaluation questions in other words: what is not verified is not used, and all else of a row is carried."""

from __future__ import annotations

import json

import pytest

from dataflywheel.evolution.renewal.reworded import Reworded
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import message
from tests.enhancement.rewriting.support import MODEL, demand, shown
from tests.evolution.renewal.sums import SOLVER, total, writer
from tests.models.endpoint.fake import FakeClient

METHOD = Reworded(model=MODEL)


@pytest.mark.parametrize("seed", range(5))
def test_no_variant_with_another_answer_is_used_and_every_one_with_the_same_is(seed: int) -> None:
    rows = [prompt_answer_row(f"What is {i} + {2 * i}?", f"It is.\n#### {3 * i}", tags=["sums"]) for i in range(1, 40)]
    made = METHOD.propose_between(writer(0.4, seed), SOLVER, demand(rows))
    good = {p.parents[0] for p in made if p.row is not None}
    for row, proposal in zip(rows, made, strict=True):
        if proposal.row is None:
            assert proposal.failure == "not verified: the final answer to it is another one"
            assert len(proposal.replies) == 2
        else:
            asked = proposal.row["messages"][0]["content"]
            assert asked.startswith("Tell me:")
            assert f"#### {total(asked)}" in proposal.row["messages"][1]["content"]
            assert (proposal.row["parents"], proposal.row["made_by"]) == ([row["id"]], "reworded")
    assert 15 < len(good) < 34


def test_a_variant_carries_all_of_its_row_and_gold_that_is_a_field_counts() -> None:
    row = make_row(
        [message("system", "Be"), message("user", "Hi"), message("assistant", "?"), message("user", "What is 1 + 2?")],
        source="s", tags=["a"], extra={"answer": "3", "level": 2}, label="L", weight=0.5,
    )  # fmt: skip
    row["copies"] = 2
    (made,) = METHOD.propose_between(writer(0), SOLVER, demand([row]))
    assert made.row is not None
    assert [turn["content"] for turn in made.row["messages"]] == ["Be", "Hi", "?", "Tell me: 1 + 2?"]
    for name in (
        "source",
        "tags",
        "extra",
        "label",
        "copies",
        "rejected",
        "tools",
        "media",
        "cells",
        "round",
        "weight",
    ):
        assert made.row[name] == row[name]  # type: ignore[literal-required]
    assert made.row["id"] != row["id"]


@pytest.mark.parametrize(
    ("same", "why"),
    [
        ("yes", ""),
        ("no", "not verified: it asks for something else"),
        ("unsure", "not verified: not surely the same"),
    ],
)
def test_of_a_row_without_a_final_answer_both_questions_are_compared(same: str, why: str) -> None:
    row = prompt_answer_row(
        "Why is the sky blue at 1 and 2?", "Since light of short waves is scattered the most by air."
    )
    judge = FakeClient(lambda request: json.dumps({"analysis": "", "same": same}))
    reworder = FakeClient(lambda request: json.dumps({"text": "The sky is blue. Why?"}))
    (made,) = METHOD.propose_between(reworder, judge, demand([row]))
    assert made.failure == why
    assert shown(judge.requests[0], "other wording") == "The sky is blue. Why?"
    assert shown(judge.requests[0], "reference").startswith("Since light")


def test_rows_without_a_variant_say_why() -> None:
    ask = "What is 1 + 2?"
    rows = [
        make_row([message("user", ask), message("assistant", "", '[{"function":{"name":"f"}}]')]),
        make_row([message("user", ask)]),
        make_row([message("assistant", "text alone")]),
        prompt_answer_row(ask, "#### 3", media=[{"type": "image", "ref": "a.png"}]),
        prompt_answer_row(ask + "x" * 30_000, "#### 3"),
    ]
    found = METHOD.propose_between(writer(0), SOLVER, demand(rows))
    assert [one.failure.removeprefix("not renewed, ") for one in found] == [
        "the answer calls tools", "there is no reference answer to verify by",
        "its last turn before the answer is no question", "the writer cannot see its images or sounds", "too long",
    ]  # fmt: skip
    row = prompt_answer_row(ask, "#### 3")
    for said, failure in (("{}", "malformed"), (Reply(Outcome.REFUSED), "refused")):
        client = FakeClient(lambda request, said=said: said)  # type: ignore[misc]
        (bad,) = METHOD.propose_between(client, SOLVER, demand([row]))
        assert bad.failure.startswith(failure)
    same = FakeClient(lambda request: json.dumps({"text": ask}))
    (kept,) = METHOD.propose_between(same, SOLVER, demand([row]))
    assert kept.failure == "the same words"
    (lost,) = METHOD.propose_between(writer(0), FakeClient(lambda request: Reply(Outcome.TIMED_OUT)), demand([row]))
    assert lost.failure == "timed out"
