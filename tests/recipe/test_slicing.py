"""Which slices a step can bring rows of, and who cannot aim at any."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import RoundResult, SliceResult, UsageError
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.rounds.round_plan import round_plan, slices_in_reach
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.steps.state import State
from dataflywheel.store.run import RunDirectory


def recipe(**more: str) -> Recipe:
    value = {
        "name": "b",
        "pool": [{"builtin": "python_docs"}],
        "target": [{"builtin": "python_docs", "split": "held_out"}],
        "steps": [{"generate": {"by": {"magpie": {"template": "chatml"}}, "rows": 10, **more}}],
        "rounds": 2,
        "feedback": {"weakest_slices": {}},
    }
    return recipe_from(value)


def test_what_writes_from_nothing_gets_its_rows_undivided(tmp_path: Path) -> None:
    made = recipe()
    steps = build_steps(made)
    context = Context(made, RunDirectory(tmp_path / "run"), tmp_path / "store")
    reach = slices_in_reach(context, State(tmp_path, "", seeds=tmp_path), steps, tmp_path)
    done = [RoundResult([SliceResult("a", 4.0, 0.0, 8.0, 50, 0.5)])]
    budget = round_plan(made, steps, done, 2, reach, 100, 1000)
    assert (reach, budget.slices) == ({"01-generate": []}, {"01-generate": {}})
    assert budget.applied(steps[0], 2).amounts == {}


@pytest.mark.parametrize("per", ["slice", "tag"])
def test_what_writes_from_nothing_is_refused_a_share_by_slice(per: str) -> None:
    made = recipe(per=per)
    with pytest.raises(UsageError, match="magpie writes from nothing"):
        build_steps(made)[0].check(made, comparison=False)
