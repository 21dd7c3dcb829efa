"""What the live table says of a finished step."""

from __future__ import annotations

from dataflywheel.recipe.notes import note


def test_a_step_that_adds_rows_never_says_more_rows_than_all() -> None:
    assert note({"step": "select", "rows_in": 4_446, "rows_out": 100, "details": {}}) == "100 of 4,446 rows"
    assert note({"step": "generate", "rows_in": 100, "rows_out": 130, "details": {}}) == "130 rows, from 100"
