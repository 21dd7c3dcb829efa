"""What a method that writes reads besides its seeds: measured columns, and what the last evaluation said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from dataflywheel.contracts import REGISTRY, Card, Columns, UsageError
from dataflywheel.enhancement.rewriting.clear_correction import CONFIDENCE, ClearCorrection
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.fulfil import Terms, fulfil
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer, Surroundings
from dataflywheel.proposing.rewritten import unchanged
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.steps.read_by_writers import evaluation_digest, steering
from dataflywheel.recipe.steps.state import State
from dataflywheel.report.card.card import write_card
from dataflywheel.report.why import as_text, why
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import read_rows
from tests.enhancement.rewriting.support import answer_of, demand
from tests.enhancement.rewriting.test_clear_correction import judge
from tests.models.endpoint.fake import FakeClient, user_text
from tests.support.endpoint import Endpoint

MODEL = ModelSpec(endpoint="http://localhost:1/v1", model="m")


@pytest.fixture
def reader() -> Iterator[type[Proposer]]:
    """The toy: writes nothing down but what it was shown."""

    class ToyReader(Proposer):
        card: ClassVar[Card] = Card(
            title="Reader", authors="", year=2026, paper="", category="enhancement", subcategory="rewriting",
            summary="Reads.", checked="by hand",
        )  # fmt: skip
        rewrites: ClassVar[bool] = True
        reads_evaluation: ClassVar[bool] = True
        seen: ClassVar[list[Any]] = []

        def needs(self) -> tuple[str, ...]:
            return ("text.chars_answer",)

        def propose(self, demand: Demand) -> list[Proposal]:
            assert demand.columns is not None
            ids = demand.columns.ids.tolist()
            self.seen.append((ids, demand.columns["text.chars_answer"].tolist(), demand.evaluation))
            return [unchanged(row, "seen") for row in demand.seeds]

    yield ToyReader
    del REGISTRY["toy_reader"]


def test_every_wave_holds_the_columns_of_its_seeds_in_their_order(reader: Any) -> None:
    rows = [prompt_answer_row(f"q{i}", "a" * (i + 1)) for i in range(5)]
    order = [3, 1, 4, 0, 2]
    columns = Columns(
        np.array([rows[i]["id"] for i in order], dtype=object), {"text.chars_answer": np.array([i + 1 for i in order])}
    )
    told = {"metric": "m", "slices": {}}
    fulfil(reader(), [], rows[1:], Terms(wave=3), Surroundings(), 0, columns=columns, evaluation=told)
    assert reader.seen == [
        ([row["id"] for row in rows[1:4]], [2, 3, 4], told),
        ([rows[4]["id"]], [5], told),
    ]


def test_only_what_may_steer_is_heard_and_is_part_of_what_a_step_follows_from(tmp_path: Path, reader: Any) -> None:
    def told(value: float) -> dict[str, Any]:
        return {"metric": "m", "better": "lower", "overall": {"value": value}, "slices": {"a": value}, "not_scored": 0}

    before = State(tmp_path, "f")
    state = replace(before, tiers={}, evaluation={**told(9.0), "tiers": {"steer": told(1.0), "select": told(9.0)}})
    heard = steering(reader, state)
    assert heard == {"metric": "m", "better": "lower", "overall": {"value": 1.0}, "slices": {"a": 1.0}}
    assert steering(reader, before) is None
    assert steering(reader, replace(before, evaluation=told(1.0))) is None  # rows that are reported steer nothing
    other = replace(state, evaluation={**told(9.0), "tiers": {"steer": told(2.0), "select": told(9.0)}})
    same = replace(state, evaluation={**told(7.0), "tiers": {"steer": told(1.0), "select": told(7.0)}})
    digests = [evaluation_digest(reader, one) for one in (state, other, same)]
    assert digests[0] == digests[2] != digests[1]
    assert evaluation_digest(ClearCorrection, state) == []
    with pytest.raises(UsageError, match="toy_reader reads the last evaluation, and only a wheel has rows that may"):
        plan(
            recipe_from({"name": "a", "pool": {"builtin": "python_docs"}, "steps": [{"enhance": {"by": "toy_reader"}}]})
        )


def test_only_answers_in_doubt_are_asked_about_and_taken_only_where_the_model_is_surer() -> None:
    believed = [0.5, 0.79, 0.9, 0.95, np.nan]
    rows = [prompt_answer_row(f"Say w{i}", "x") for i in range(len(believed))]
    columns = Columns(np.array([row["id"] for row in rows]), {CONFIDENCE: np.array(believed)})
    votes = judge(1.0)
    writer = FakeClient(lambda request: user_text(request).removeprefix("Say "))
    asked = replace(demand(rows), columns=columns)
    method = ClearCorrection(model=MODEL, below=0.9)
    found = method.propose_between(writer, votes, asked)
    assert [answer_of(one) for one in found[:2]] == ["w0", "w1"]
    assert [one.failure for one in found[2:]] == [
        "not rewritten, the model believes its answer",
        "not rewritten, the model believes its answer",
        "not rewritten, the confidence in its answer was not measured",
    ]
    assert len(writer.requests) == 2
    assert method.needs() == (CONFIDENCE,)
    assert ClearCorrection(model=MODEL).needs() == ()


@pytest.mark.parametrize(("held", "taken"), [(0.5, True), (0.9, False)])
def test_a_new_answer_that_is_believed_less_than_the_old_one_is_not_taken(held: float, taken: bool) -> None:
    row = prompt_answer_row("Say w", "x")
    said = iter(("2", "1", "2", "1", "2", "2"))  # the new answer stands second, first, ...: five votes of six
    votes = FakeClient(lambda request: json.dumps({"analysis": "so", "better": next(said)}))
    columns = Columns(np.array([row["id"]]), {CONFIDENCE: np.array([held])})
    method = ClearCorrection(model=MODEL, below=0.95, sure=0.6)
    (made,) = method.propose_between(FakeClient(lambda request: "w"), votes, replace(demand([row]), columns=columns))
    assert (made.row is not None) == taken
    assert made.failure == ("" if taken else "the model is no surer of its own answer than of the row's")


def test_wrong_answers_are_corrected_in_a_run_and_right_ones_are_not_asked_about(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    endpoint.configure(rules=[{"rule": "solver"}])
    wrong = {3, 7, 11}
    pool = [
        {"prompt": f"What is {i} + {i * 2}?", "completion": f"It makes {3 * i + (i in wrong)}."} for i in range(1, 15)
    ]
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, pool)), encoding="utf-8")
    model = {"endpoint": endpoint.url, "model": "m", "usd_per_mtok": {"in": 1.0, "out": 1.0}}
    recipe = recipe_from(
        {
            "name": "clear",
            "pool": [{"path": str(tmp_path / "pool.jsonl")}],
            "models": {"teacher": model},
            "signals": {"clear_confidence": {"draws": 2}},
            "steps": [{"enhance": {"by": {"clear_correction": {"below": 0.6, "model": model}}}}],
        }
    )
    (step,) = build_steps(recipe)
    assert step.needs() == (CONFIDENCE,)
    assert plan(recipe)["steps"][0]["cost"]["calls"] == 14 * (2 + 1 + 2) + 14 * 7 + 1
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    path = run(recipe, **where).path
    rows = read_rows(path / "round-1" / "01-enhance" / "rows").to_pylist()
    mended = {row["messages"][0]["content"]: row["messages"][1]["content"] for row in rows if row["made_by"]}
    assert mended == {f"What is {i} + {i * 2}?": f"It is {3 * i}." for i in sorted(wrong)}
    paid = len(endpoint.bill().charged)
    # Seven questions for a row in doubt, none for the others, and one whether the endpoint takes a schema.
    assert paid == 14 * (2 + 1 + 2) + 3 * 7 + 1
    assert run(recipe, **where).rows_out == 14
    assert len(endpoint.bill().charged) == paid
    new = next(row for row in rows if row["made_by"])
    assert '"clear_confidence.confidence": 0.0' in as_text(why(path, new["parents"][0], tmp_path / "store"))
    kept = next(row for row in rows if not row["made_by"])
    assert "the model believes its answer" in as_text(why(path, kept["id"], tmp_path / "store"))
    details = json.loads((path / "round-1" / "01-enhance" / "metrics.json").read_text())["details"]
    assert details["read"] == [CONFIDENCE]
    assert write_card(path).read_text(encoding="utf-8").count("2403.12776") >= 1
