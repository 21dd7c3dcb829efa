"""Several steps that write share a budget: what the plan says that it buys, and what a wheel then does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.rounds.round import Round
from dataflywheel.recipe.rounds.round_plan import round_plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.build import build_steps
from tests.recipe.jobs import job
from tests.support.endpoint import Endpoint

TEACHER = {"endpoint": "http://localhost:9/v1", "model": "m", "usd_per_mtok": {"in": 1.0, "out": 1.0}}
ENDS: list[Any] = [{"train": {"max_steps": 2, "max_length": 96, "batch_size": 8}}, "evaluate"]


def recipe(folder: Path, rows: int, writers: list[Any], **more: Any) -> Recipe:
    steps = [{"generate": {"by": by, "rows": rows}} for by in writers]
    value: dict[str, Any] = {
        "models": {"student": {"builtin": "tiny", "size": "0.5m"}, "embedder": "static", "teacher": TEACHER},
        "rounds": 2,
        "feedback": {"next_writer": {}},
    }
    return job(folder, [{"decontaminate": {"semantic": None}}, *steps, *ENDS], **{**value, **more})


def said(found: Any) -> str:
    (line,) = [note for note in found["notes"] if note.startswith("feedback: of")]
    return str(line)


def test_the_plan_says_what_the_first_budget_buys_and_why(tmp_path: Path) -> None:
    """Three writers, of what they say of themselves: the same steps with another ratio buy another one."""
    writers = ["self_instruct", "generate_verify_keep", "metamath"]
    few = said(plan(recipe(tmp_path, 20, writers)))
    assert "02-generate (questions), 03-generate (answers), 04-generate (rephrasings)" in few
    assert "30 rows, buys 03-generate" in few
    assert "below 4 answers" in few
    many = said(plan(recipe(tmp_path, 20_000, writers)))
    assert "30,000 rows, buys 02-generate" in many
    assert "from 16 on questions" in many


def test_what_cannot_choose_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this recipe has 1; add a `generate` step"):
        plan(recipe(tmp_path, 20, ["self_instruct"]))
    given = {"next_writer": {"operators": {"09-generate": "answers"}}}
    with pytest.raises(UsageError, match="names 09-generate, and the steps that write are 02-generate, 03-generate"):
        plan(recipe(tmp_path, 20, ["self_instruct", "metamath"], feedback=given))


def test_a_selection_keeps_its_part() -> None:
    steps = [{"select": {"by": "random", "keep": 90}}]
    steps += [{"generate": {"by": by, "rows": 30}} for by in ("generate_verify_keep", "self_instruct")]
    value = {"name": "b", "pool": [{"builtin": "python_docs"}], "steps": [*steps, *ENDS]}
    made = recipe_from({**value, "rounds": 3, "feedback": {"next_writer": {}}})
    budget = round_plan(made, build_steps(made), [], 1, {}, 1_000, 10**6)
    assert budget.steps == {"01-select": 30, "02-generate": 20, "03-generate": 0}
    assert budget.arms is not None
    assert set(budget.arms.reasons) == {"02-generate", "03-generate"}


@pytest.mark.slow
def test_prices_are_the_same_where_the_store_answers(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a replayed wheel would divide its later rounds in another way than the one that paid."""
    endpoint.configure(rules=[{"rule": "writer"}])
    seen: list[Round] = []
    gather = Round.gather

    def watched(self: Round, train: Any) -> None:
        gather(self, train)
        seen.append(self)

    monkeypatch.setattr(Round, "gather", watched)
    models = {"student": {"builtin": "tiny", "size": "0.5m"}, "embedder": "static"}
    teacher = {**TEACHER, "endpoint": endpoint.url}
    given = {"next_writer": {"operators": {"03-generate": "answers"}}}
    made = recipe(tmp_path, 6, ["grounded_questions"] * 2, feedback=given, models={**models, "teacher": teacher})
    first = run(made, runs=tmp_path / "runs", home=tmp_path / "store")
    shutil.rmtree(tmp_path / "runs")
    again = run(made, runs=tmp_path / "runs", home=tmp_path / "store")
    assert first.rows_out == again.rows_out
    paid = [one.paid() for one in seen]
    assert paid[:2] == paid[2:]
    assert paid[0].keys() == {"03-generate"}
    assert all(usd > 0 for one in paid for usd in one.values())


@pytest.mark.slow
def test_a_wheel_counts_what_each_writer_brought_and_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Round] = []
    gather = Round.gather

    def watched(self: Round, train: Any) -> None:
        gather(self, train)
        seen.append(self)

    monkeypatch.setattr(Round, "gather", watched)
    given = {"next_writer": {"operators": {"03-generate": "answers"}}}
    result = run(
        recipe(tmp_path, 16, ["grounded_rules", {"grounded_rules": {"questions": 2}}], feedback=given),
        runs=tmp_path / "runs",
        home=tmp_path / "store",
    )
    first, second = (json.loads((result.path / f"round-{r}" / "budget.json").read_text()) for r in (1, 2))
    assert first["steps"] == {"02-generate": 0, "03-generate": 16}
    assert second["steps"] == {"02-generate": 8, "03-generate": 8}
    for now, budget in zip(seen, (first, second), strict=True):
        brought = {name: rows for name, rows in budget["steps"].items() if rows}
        assert now.adds == brought
        assert now.paid() == dict.fromkeys(brought, 0.0)
