"""What the live table says of a finished step."""

from __future__ import annotations

from typing import Any

from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.store.record import StepRecord


def test_a_step_that_adds_rows_never_says_more_rows_than_all() -> None:
    steps = [{"select": {"by": "random", "keep": 100}}, {"generate": {"by": "grounded_rules", "rows": 30}}]
    select, generate = build_steps(recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": steps}))
    assert select.note(StepRecord(rows_in=4_446, rows_out=100)) == "100 of 4,446 rows"
    assert generate.note(StepRecord(rows_in=100, rows_out=130)) == "130 rows, from 100"


def test_a_writing_step_says_what_became_of_its_proposals() -> None:
    steps = [{"enhance": {"by": "redact_personal_data"}}, {"generate": {"by": "grounded_rules", "rows": 30}}]
    enhance, generate = build_steps(recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": steps}))
    none: dict[str, Any] = {"rejections": [], "failures": [], "left_as_they_were": [], "dropped": 0}
    left = {**none, "proposed": 69, "accepted": 2, "left_as_they_were": [{"reason": "nothing to redact", "rows": 67}]}
    told = enhance.note(StepRecord(rows_in=69, rows_out=69, details={"funnel": left}))
    assert told == "2 of 69 rows rewritten; as it was most often: nothing to redact (67)"
    lost = [{"gate": "novelty", "reason": "too similar in words", "rows": 3}]
    made = {**none, "proposed": 18, "accepted": 12, "rejections": lost}
    told = generate.note(StepRecord(rows_in=81, rows_out=81, details={"funnel": made}))
    assert told == "12 rows written of 18 proposals, 81 now; lost most often: novelty, too similar in words (3)"
