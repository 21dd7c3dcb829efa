"""What the live table says of a finished step."""

from __future__ import annotations

from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.store.record import StepRecord


def test_a_step_that_adds_rows_never_says_more_rows_than_all() -> None:
    steps = [{"select": {"by": "random", "keep": 100}}, {"generate": {"by": "grounded_rules", "rows": 30}}]
    select, generate = build_steps(recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": steps}))
    assert select.note(StepRecord(rows_in=4_446, rows_out=100)) == "100 of 4,446 rows"
    assert generate.note(StepRecord(rows_in=100, rows_out=130)) == "130 rows, from 100"
