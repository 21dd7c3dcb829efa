"""Self-rewarding with a scripted model that is its own judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.evolution.iteration.self_rewarding import POINTS, Points, SelfRewarding, best_and_worst, length_drift
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.text import part_of, text_of
from tests.models.endpoint.fake import FakeClient, parts_of
from tests.synthesis.support import demand, failures, seeds, teacher

METHOD = SelfRewarding(model=ModelSpec(endpoint="http://localhost:1/v1", model="m"))
ROWS = seeds(("Name a prime.", "2"), ("Name a colour.", "red"))


def earned(score: int) -> dict[str, Any]:
    return {"justification": "So it is.", **{point: i < score for i, point in enumerate(POINTS)}}


def test_a_point_counts_only_with_all_before_and_the_judge_says_why_first() -> None:
    assert list(Points.model_fields) == ["justification", *POINTS]
    for said, score in (("11111", 5), ("00000", 0), ("01111", 0), ("11011", 2), ("11110", 4), ("00001", 0)):
        points = dict(zip(POINTS, (c == "1" for c in said), strict=True))
        assert Points(justification="", **points).score == score


def scripted(answers: Callable[[Request], str | Reply], judge: Callable[[str, int], Any]) -> FakeClient:
    """`judge(answer, sample)` gives the points of an answer, or what is said in their place."""

    def write(parts: dict[str, str], request: Request) -> Any:
        if not parts:
            return answers(request)
        said = judge(parts["answer"], request.sample)
        return earned(said) if isinstance(said, int) else said

    return teacher(write)


def test_the_best_and_the_worst_by_the_mean_of_three_judgements() -> None:
    marks = {"a": (5, 0, 1), "b": (3, 3, 3), "c": (2, 2, 5), "d": (1, 2, 1)}
    client = scripted(lambda r: "abcd"[r.sample % 4], lambda answer, sample: marks[answer][sample])
    (found, _) = METHOD.propose_with(client, demand(ROWS))
    row = found.row
    assert row is not None
    assert (part_of(row["messages"], "answer"), text_of(row["rejected"] or [])) == ("b", "d")
    assert row["messages"][0]["content"] == "Name a prime."
    assert (row["parents"], row["made_by"], row["tags"]) == ([ROWS[0]["id"]], "self_rewarding", ["skill"])
    assert found.facts == {"score": 3.0, "rejected_score": pytest.approx(4 / 3), "unreadable": 0}
    assert len(found.replies) == METHOD.calls_a_seed() == 4 + 12
    assert len(client.requests) == 2 * 16
    draws = [r for r in client.requests if not parts_of(r)]
    assert {(r.sampling.temperature, r.sampling.top_p) for r in draws} == {(0.7, 0.9)}


def test_a_second_visit_draws_anew() -> None:
    client = scripted(lambda r: f"answer {r.sample}", lambda answer, sample: len(answer) % 6)
    METHOD.propose_with(client, demand(ROWS[:1], turn=1))
    assert sorted({r.sample for r in client.requests if len(r.messages) == 1}) == [4, 5, 6, 7]


def test_equal_scores_and_equal_answers_are_no_pair() -> None:
    same = METHOD.propose_with(scripted(lambda r: "abcd"[r.sample % 4], lambda a, s: 3), demand(ROWS))
    assert {p.failure for p in same} == {"no pair, all answers that could be judged score the same"}
    one = scripted(lambda r: "always", lambda a, s: 3)
    assert {p.failure for p in METHOD.propose_with(one, demand(ROWS))} == {"no pair, fewer than two different answers"}
    assert len(one.requests) == 8  # nothing was judged


def test_unreadable_judgements_are_counted_apart_and_never_scored() -> None:
    def judge(answer: str, sample: int) -> Any:
        if answer == "c":
            return "I would rather not."
        return "five!" if answer == "a" and sample else {"a": 4, "b": 2, "d": 3}[answer]

    (found,) = METHOD.propose_with(scripted(lambda r: "abcd"[r.sample % 4], judge), demand(ROWS[:1]))
    assert found.row is not None
    assert part_of(found.row["messages"], "answer") == "a"
    assert found.facts == {"score": 4.0, "rejected_score": 2.0, "unreadable": 2 + 3}


def test_what_failed_in_passing_leaves_no_pair_for_another_run_may_succeed() -> None:
    def answers(request: Request) -> str | Reply:
        return Reply(Outcome.SERVER_ERROR, detail="down") if request.sample == 2 else "abcd"[request.sample % 4]

    found = METHOD.propose_with(scripted(answers, lambda a, s: ord(a) - 96), demand(ROWS[:1]))
    assert failures(found) == ["server error"]


def test_refusals_are_no_candidates() -> None:
    def answers(request: Request) -> str | Reply:
        return "ab"[request.sample % 2] if request.sample < 2 else Reply(Outcome.REFUSED, "I cannot")

    (found,) = METHOD.propose_with(scripted(answers, lambda a, s: ord(a) - 96), demand(ROWS[:1]))
    assert found.row is not None
    assert part_of(found.row["messages"], "answer") == "b"


MARKS = st.lists(st.lists(st.sampled_from([float("nan"), 0.0, 1.0, 2.0, 5.0]), min_size=3, max_size=3), min_size=1)


@given(MARKS)
def test_best_is_above_worst_always(marks: list[list[float]]) -> None:
    found = best_and_worst(np.array(marks))
    means = {i: float(np.mean(read)) for i, row in enumerate(marks) if (read := [m for m in row if m == m])}
    if found is None:
        assert len(set(means.values())) <= 1
        return
    best, worst = found
    assert means[best] == max(means.values()) > min(means.values()) == means[worst]
    assert best == min(i for i, mean in means.items() if mean == means[best])


def test_a_judge_that_loves_length_shows_in_the_drift() -> None:
    rows = seeds(*((f"Question {i}?", "x") for i in range(30)))

    def ratio(judge: Callable[[str, int], Any]) -> float:
        client = scripted(lambda r: "ab" * (1 + hash_of(r) % 40), judge)
        return length_drift([p.row for p in METHOD.propose_with(client, demand(rows)) if p.row]).ratio

    assert ratio(lambda answer, sample: min(5, len(answer) // 16)) > 2
    assert 0.6 < ratio(lambda answer, sample: (len(answer) * 2654435761 >> 7) % 6) < 1.6
    plain = prompt_answer_row("q", "a")
    assert length_drift([plain]).ratio != length_drift([plain]).ratio


def hash_of(request: Request) -> int:
    return int(request.key("m")[:8], 16)
