"""Generators that write from failures get the rows that the student got wrong, and no others."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import REGISTRY, Card, Cost, PoolStatistics
from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.feedback.score_files import write_scores
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.proposing.child import child
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.recipe.comparing.leave_out import _before_training
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.rounds.round_plan import slices_in_reach
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.steps.failures import Student, read_by, wrong
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Step
from dataflywheel.rows.builder import build
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter, read_rows
from dataflywheel.rows.schema import Row
from dataflywheel.store.run import RunDirectory
from tests.evolution.planted_wheels import FACTS
from tests.recipe.doing import done
from tests.synthesis.support import parts_of, teacher

SKILLS = ("colour", "river", "metal", "shape")
UNKNOWN = SKILLS[-1]


class Alike(Proposer):
    """A row of the seed's skill for every visit."""

    card: ClassVar[Card] = Card(
        title="Planted failures",
        authors="dataflywheel",
        year=2026,
        paper="",
        category="synthesis",
        subcategory="adversarial",
        summary="Writes one row like each seed.",
        checked="by hand",
    )
    from_failures: ClassVar[bool] = True

    def propose(self, demand: Demand) -> list[Proposal]:
        pairs = zip(demand.seeds, demand.turns, strict=True)
        asked = [(seed, f"Word {turn} of {seed['id']}?") for seed, turn in pairs]
        return [Proposal((seed["id"],), child(self.name, seed, prompt, "So.")) for seed, prompt in asked]


REGISTRY.pop(Alike.name)


@pytest.fixture(autouse=True, scope="module")
def planted() -> Iterator[None]:
    """`alike` is a method that recipes may name, in here and nowhere else."""
    REGISTRY[Alike.name] = Alike
    yield
    REGISTRY.pop(Alike.name)


def scores_of(rows: list[Row], value: list[float], weight: float = 1.0) -> RowScores:
    ids, slices = ([row["id"] for row in rows], [row["tags"][0] for row in rows])
    sizes = np.full(len(rows), weight)
    return RowScores(np.array(ids, dtype=object), np.array(slices, dtype=object), np.array(value) * sizes, sizes)


def facts(each: int = 12) -> list[Row]:
    pairs = [(skill, thing, FACTS[skill][thing]) for skill in SKILLS for thing in list(FACTS[skill])[:each]]
    return [prompt_answer_row(f"{skill} {thing}", answer, tags=[skill]) for skill, thing, answer in pairs]


def write(path: Path, rows: list[Row]) -> Path:
    with PartWriter(path) as writer:
        writer.write(build(rows))
    return path


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([0.5, 1.0, 2.0, 3.0, math.nan])), max_size=25))
def test_under_a_loss_the_worse_half_of_every_slice(given_: list[tuple[str, float]]) -> None:
    ids = np.array([f"{i * 7919 % 101:03d}" for i in range(len(given_))], dtype=object)
    names, value = np.array([n for n, _ in given_], dtype=object), np.array([v for _, v in given_], dtype=float)
    weight = np.arange(1, len(given_) + 1, dtype=float)
    found = wrong(RowScores(ids, names, value * weight, weight), "bits_per_byte")
    for name in "abc":
        mine = [(v, id) for (n, v), id in zip(given_, ids, strict=True) if n == name and not math.isnan(v)]
        chosen = [(v, id) for v, id in mine if id in found]
        assert len(chosen) == math.ceil(len(mine) / 2)
        left = [one for one in mine if one not in chosen]
        # Nobody who is left did worse; of two alike the smaller id is taken.
        assert all((-v, id) < (-w, other) for v, id in chosen for w, other in left)
    assert all(found[id] == pytest.approx(v) for (_, v), id in zip(given_, ids, strict=True) if id in found)


@pytest.mark.parametrize("metric", ["exact_match", "multiple_choice"])
def test_where_answers_are_right_or_wrong_those_with_nothing_and_no_unscored_one(metric: Any) -> None:
    rows = facts(2)
    found = wrong(scores_of(rows, [1, 0, 1, 1, math.nan, 0, 1, math.nan]), metric)
    assert found == {rows[1]["id"]: 0.0, rows[5]["id"]: 0.0}
    assert wrong(scores_of(rows, [1.0] * 8), metric) == {}
    assert wrong(scores_of(rows, [0.0] * 8), metric, {rows[3]["id"]}) == {rows[3]["id"]: 0.0}


def steered(folder: Path, metric: str, **more: Any) -> tuple[Recipe, Context, Step]:
    """A wheel's generator over a target of four skills, and where it works."""
    value = {
        "name": "a",
        "pool": [{"builtin": "python_docs"}],
        "target": [{"path": "t.jsonl", "metric": metric, "slice": "tag"}],
        "models": {"teacher": {"endpoint": "http://localhost:9/v1", "model": "m"}},
        "steps": [{"generate": {"by": "alike", "rows": 10, "visits": 9, "source": "target", "gates": [], **more}}],
        "rounds": 2,
        "feedback": {"proportional": {}},
    }
    made = recipe_from(value)
    (step,) = build_steps(made)
    context = Context(made, RunDirectory(folder / "run"), folder / "store")
    context = replace(context, pool=write(folder / "pool", [prompt_answer_row("Of the pool?", "Yes.")]))
    return made, context, step


def written(context: Context, step: Step, student: Student | None, output: Path) -> tuple[list[Row], dict[str, Any]]:
    assert context.pool is not None
    more = {} if student is None else {"model": student.model, "steered": student.steered}
    metrics = done(step, context, context.pool, output, "f", **more)
    rows: list[Row] = read_rows(output / "rows").to_pylist()
    return [row for row in rows if row["made_by"]], metrics.details


def test_all_rows_come_from_the_skill_that_the_student_does_not_know(tmp_path: Path) -> None:
    rows = facts()
    of_a_model = prompt_answer_row(f"{UNKNOWN} of a model", "So.", tags=[UNKNOWN], made_by="magpie")
    _, context, step = steered(tmp_path, "exact_match")
    context = replace(context, guide=write(tmp_path / "steer", [*rows, of_a_model]))
    everything = [*rows, of_a_model]
    right = [float(row["tags"] != [UNKNOWN]) for row in everything]
    write_scores(tmp_path / "scores.parquet", scores_of(everything, right))
    student = Student(tmp_path, tmp_path / "scores.parquet")
    made, details = written(context, step, student, tmp_path / "out")
    assert (len(made), details["shortfall"]) == (10, "")
    assert {tag for row in made for tag in row["tags"]} == {UNKNOWN}
    assert of_a_model["id"] not in {parent for row in made for parent in row["parents"]}
    assert details["failures"] == {"metric": "exact_match", "rows": 12}
    state = State(tmp_path, "", seeds=tmp_path, model=student.model, steered=student.steered)
    assert slices_in_reach(context, state, [step], tmp_path) == {step.place: [UNKNOWN]}
    ledger = pq.ParquetFile(tmp_path / "out" / "proposals.parquet").read().to_pylist()
    for line in ledger:
        failed = json.loads(line["facts"])["failed"]
        assert failed == {"row": line["parents"][0], "metric": "exact_match", "score": 0.0}


def test_llm2llm_asks_about_failures_and_about_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = teacher(lambda parts, request: {"problem": f"Like {parts['question']} but new", "solution": "So."})
    monkeypatch.setattr("dataflywheel.proposing.asking.client_for", lambda model: client)
    _, context, step = steered(tmp_path, "exact_match", by={"llm2llm": {"attempts": 2}}, rows=30, visits=3)
    rows = facts(6)
    context = replace(context, guide=write(tmp_path / "steer", rows))
    right = [float(row["tags"] != [UNKNOWN]) for row in rows]
    write_scores(tmp_path / "scores.parquet", scores_of(rows, right))
    made, details = written(context, step, Student(tmp_path, tmp_path / "scores.parquet"), tmp_path / "out")
    failed = {row["messages"][0]["content"] for row in rows[-6:]}
    assert {parts_of(request)["question"] for request in client.requests} == failed
    assert len(client.requests) == 2 * 6  # `attempts` of each, whatever `visits` allows
    assert {row["parents"][0] for row in made} == {row["id"] for row in rows[-6:]}
    assert details["missing"] == {"": 24}


def test_a_student_without_a_failure_leaves_nothing_to_write_from(tmp_path: Path) -> None:
    _, context, step = steered(tmp_path, "exact_match")
    context = replace(context, guide=write(tmp_path / "steer", facts()))
    write_scores(tmp_path / "scores.parquet", scores_of(facts(), [1.0] * 48))
    made, details = written(context, step, Student(tmp_path, tmp_path / "scores.parquet"), tmp_path / "out")
    assert (made, details["missing"]) == ([], {"": 10})
    assert details["shortfall"].endswith("there is no such row of the steering tier")


@pytest.mark.parametrize("per", [None, "tag"])
def test_rows_of_the_pool_are_scored_by_the_model_itself(tmp_path: Path, per: str | None) -> None:
    """It was trained on two of the four skills; the other two are the worse half of all rows."""
    rows = facts()
    known = [row["messages"] for row in rows if row["tags"][0] in SKILLS[:2]]
    start = init_tiny(pool_tokenizer([row["messages"] for row in rows], cache_dir=tmp_path), "0.5m", cache_dir=tmp_path)
    train_sft(known, start, tmp_path / "m", TrainSettings(epochs=25, learning_rate=0.004, batch_size=8, max_length=48))
    _, context, step = steered(tmp_path, "bits_per_byte", source="rows", per=per, rows=24)
    context = replace(context, pool=write(tmp_path / "rows", rows))
    made, details = written(context, step, Student(tmp_path / "m"), tmp_path / "out")
    assert details["failures"] == {"metric": "bits_per_byte", "rows": 24}
    assert Counter(row["tags"][0] for row in made) == dict.fromkeys(SKILLS[2:], 12)


def test_scoring_the_rows_is_priced_and_models_are_trained_where_a_step_is_left_out(tmp_path: Path) -> None:
    def steps(by: str, **more: Any) -> list[Step]:
        write = {"generate": {"by": by, "rows": 5, **more}}
        value = {"name": "a", "pool": [{"builtin": "python_docs"}], "steps": ["train", write, "train"]}
        return build_steps(recipe_from(value))

    pool = PoolStatistics(70, 2800, 700)
    (_, failing, _), (_, other, _) = steps("alike"), steps("grounded_rules")
    made = steered(tmp_path, "exact_match")[0].model_copy(update={"rounds": 4})
    (_, steered_by, _) = steps("alike", source="target")
    cost = failing.cost(made, pool, 1e9)
    assert (cost.forward, cost.tokens) == (210, 2100)
    assert other.cost(made, pool, 1e9) == Cost()
    assert steered_by.cost(made, pool, 1e9) == Cost()
    assert [step.name for step in _before_training(steps("alike"))] == ["train", "generate"]
    assert [step.name for step in _before_training(steps("grounded_rules"))] == ["generate"]


def test_the_choice_is_part_of_a_steps_fingerprint(tmp_path: Path) -> None:
    _, context, step = steered(tmp_path, "exact_match")
    path, rows = tmp_path / "scores.parquet", facts(2)
    found = []
    for value in ([1.0] * 8, [1.0] * 7 + [0.0], [1.0] * 8):
        write_scores(path, scores_of(rows, value))
        found.append(step.evidence(context, State(tmp_path, "", model=tmp_path, steered=path)))
    assert found[0] == found[2] != found[1]
    assert step.evidence(context, State(tmp_path, "")) == []
    steps = [{"generate": {"by": "grounded_rules", "rows": 1}}]
    other = recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": steps})
    seen = State(tmp_path, "", model=tmp_path, steered=path)
    assert build_steps(other)[0].evidence(context, seen) == []


def test_rows_are_read_by_final_answers_where_the_target_is(tmp_path: Path) -> None:
    """Where worked solutions are told right from wrong, no half of what the student got right counts as failed."""
    assert read_by(steered(tmp_path / "a", "final_answer")[1]) == "final_answer"
    assert read_by(steered(tmp_path / "b", "exact_match")[1]) == "bits_per_byte"
    rows = facts(2)
    found = wrong(scores_of(rows, [1, 1, 0, 1, math.nan, 1, 1, 1]), "final_answer")
    assert found == {rows[2]["id"]: 0.0}
