"""Best of n with a scripted model and scripted scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dataflywheel as fw
from dataflywheel.contracts import PoolStatistics, UsageError
from dataflywheel.evolution.iteration.best_of_n import FEW, LEVEL, UNJUDGED, BestOfN, best_and_other
from dataflywheel.evolution.judging.rubric import Rubric
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import recipe_from
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.text import part_of, text_of
from dataflywheel.store.run import RunDirectory
from tests.evolution.judging.asking import Scripted
from tests.synthesis.support import demand, failures, seeds, teacher

MODEL = ModelSpec(endpoint="http://localhost:1/v1", model="m")
ROWS = seeds(("Name a prime.", "2"), ("Name a colour.", "red"))
SAID = ("a", "b", "c", "d")


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a rubric judge says of each answer; filled by the test."""
    scores: dict[str, Any] = {}
    client = Scripted(lambda parts, told: scores[parts["answer"]])
    monkeypatch.setattr(Rubric, "judge", lambda self, cases: self.judge_with(client, cases))
    return scores


def drawn(request: Request) -> str:
    return SAID[request.sample % 4]


def test_the_best_by_a_rubric_against_the_worst(judged: dict[str, Any]) -> None:
    judged |= {"a": {"score": 2}, "b": {"score": 5}, "c": "I'd rather not", "d": {"score": 1}}
    (found, _) = BestOfN(model=MODEL).propose_with(teacher(lambda parts, r: drawn(r)), demand(ROWS))
    row = found.row
    assert row is not None
    assert (part_of(row["messages"], "answer"), text_of(row["rejected"] or [])) == ("b", "d")
    assert (row["parents"], row["made_by"]) == ([ROWS[0]["id"]], "best_of_n")
    assert found.facts == {"score": 1.0, "rejected_score": 0.0, "unreadable": 1}
    assert len(found.replies) == 4 + 3 * 2 + 4  # answers, grades by two criteria, those of one asked again for a form


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        ({"a": {"score": 3}, "b": {"score": 3}, "c": {"score": 3}, "d": {"score": 3}}, LEVEL),
        ({"a": {"score": 3}, "b": "no", "c": "no", "d": "no"}, UNJUDGED),
    ],
)
def test_ties_and_lost_verdicts_give_no_pair(judged: dict[str, Any], scores: dict[str, Any], why: str) -> None:
    judged |= scores
    found = BestOfN(model=MODEL).propose_with(teacher(lambda parts, r: drawn(r)), demand(ROWS))
    assert failures(found) == [why, why]


def test_one_answer_is_not_judged_and_gives_no_pair(judged: dict[str, Any]) -> None:
    found = BestOfN(model=MODEL).propose_with(teacher(lambda parts, r: "always"), demand(ROWS))
    assert failures(found) == [FEW, FEW]


def test_a_verdict_that_the_endpoint_lost_leaves_the_pair_to_another_try(judged: dict[str, Any]) -> None:
    down = Reply(Outcome.SERVER_ERROR, detail="down")
    judged |= {"a": {"score": 2}, "b": {"score": 5}, "c": down, "d": {"score": 1}}
    (found,) = BestOfN(model=MODEL).propose_with(teacher(lambda parts, r: drawn(r)), demand(ROWS[:1]))
    assert failures([found]) == ["server error"]


def test_a_computation_tells_right_answers_from_wrong_ones_and_asks_no_judge() -> None:
    said = ["#### 5", "#### 4", "Well.\nWho knows.", "#### 6"]
    rows = [prompt_answer_row("2 + 2?", "#### 4"), prompt_answer_row("Tell me.", "Once.\nThe end.")]
    for method in ("executable_truth", "final_answer"):
        proposer = BestOfN(model=MODEL, by={method: {}})
        right, story = proposer.propose_with(teacher(lambda parts, r: said[r.sample % 4]), demand(rows))
        assert right.row is not None
        assert (part_of(right.row["messages"], "answer"), text_of(right.row["rejected"] or [])) == ("#### 4", "#### 5")
        assert failures([story])[0].startswith(UNJUDGED)


def test_a_second_visit_draws_anew(judged: dict[str, Any]) -> None:
    judged |= {name: {"score": place + 1} for place, name in enumerate(SAID)}
    client = teacher(lambda parts, r: drawn(r))
    BestOfN(model=MODEL).propose_with(client, demand(ROWS[:1], turn=1))
    assert sorted(request.sample for request in client.requests) == [4, 5, 6, 7]


SCORES = st.lists(st.sampled_from([None, 0.0, 0.5, 1.0]), max_size=6)


@given(SCORES, st.sampled_from(["worst", "random"]), st.integers(0, 99))
def test_the_chosen_scores_more_than_the_rejected_always(scores: list[float | None], rejected: Any, seed: int) -> None:
    found = best_and_other(scores, rejected, np.random.default_rng(seed))
    known = [score for score in scores if score is not None]
    if found is None:
        assert len(set(known)) < 2
        return
    best, other = (scores[place] for place in found)
    assert best == max(known)
    assert other is not None
    assert other < max(known)
    assert rejected == "random" or other == min(known)


def test_any_of_the_others_may_be_the_worse_one() -> None:
    others = {best_and_other([0.9, 0.1, 0.5, None, 0.9], "random", np.random.default_rng(i)) for i in range(30)}
    assert others == {(0, 1), (0, 2)}


def test_the_estimate_counts_answers_and_their_grades() -> None:
    one = BestOfN(model=MODEL, candidates=3)
    assert one.estimate(PoolStatistics(10, 1000, 250)).calls == 10 * 3 * (1 + 2)
    assert BestOfN(model=MODEL, by={"final_answer": {}}).estimate(PoolStatistics(10, 1000, 250)).calls == 40


def recipe(folder: Path, by: dict[str, Any], teacher: dict[str, Any] | None) -> Any:
    (folder / "p.jsonl").write_bytes(
        b"".join(orjson.dumps({"prompt": f"{i}?", "completion": "4"}) + b"\n" for i in "ab")
    )
    steps = [{"generate": {"by": {"best_of_n": by}, "rows": 4}}, {"train": {"pairs": False}}, {"prefer": {}}]
    models = {"teacher": teacher} if teacher else {}
    return recipe_from({"name": "n", "pool": [{"path": str(folder / "p.jsonl")}], "models": models, "steps": steps})


def test_the_student_answers_and_the_teacher_judges(tmp_path: Path) -> None:
    endpoint = {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "usd_per_mtok": {"in": 1, "out": 2}}
    with pytest.raises(UsageError, match="best_of_n asks a model that judges: name one"):
        fw.plan(recipe(tmp_path, {}, None))
    cost = fw.plan(recipe(tmp_path, {}, endpoint))["steps"][0]["cost"]
    assert (cost["calls"], cost["usd"] > 0) == (4 * 4 * 3, True)
    context = Context(recipe(tmp_path, {}, endpoint), RunDirectory(tmp_path / "run"), tmp_path / "home")
    context = replace(context, trained=tmp_path)
    made: Any = context.proposer("best_of_n", {})
    assert (made.model.hf, made.judge.model) == (str(tmp_path), "m")
    alone = fw.plan(recipe(tmp_path, {"by": "final_answer"}, None))["steps"][0]["cost"]
    assert (alone["calls"], alone["usd"]) == (16, 0)
    with pytest.raises(UsageError, match="pairwise scores no answer by itself"):
        fw.plan(recipe(tmp_path, {"by": "pairwise"}, endpoint))
