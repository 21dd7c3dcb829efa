"""Which steps are left out: all that change rows but decontamination, or those that are named."""

from __future__ import annotations

from typing import Any

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.leaving import left_out, title
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.steps.step import Step

STEPS: list[Any] = [
    {"deduplicate": {"near": 0.8}},
    "decontaminate",
    {"filter": {"bounds": {"text.tokens_answer": [1, None]}}},
    {"select": {"by": "random", "keep": 5}},
    {"enhance": {"by": "redact_personal_data"}},
    {"generate": {"by": "grounded_rules", "rows": 5}},
    {"generate": {"by": "grounded_rules", "rows": 7}},
    "train",
    "evaluate",
]


def chosen(wanted: bool | list[str], **more: Any) -> list[str]:
    compare = {"arms": ["random"], "leave_one_out": wanted, **more}
    made = recipe_from({"name": "x", "pool": {"path": "p"}, "steps": STEPS, "compare": compare})
    return [step.place for step in left_out(build_steps(made), made.compare)]


def test_all_steps_that_change_rows_but_decontamination() -> None:
    expected = ["01-deduplicate", "03-filter", "04-select", "05-enhance", "06-generate", "07-generate"]
    assert chosen(True) == expected
    assert chosen(False) == []
    made = recipe_from({"name": "x", "pool": {"path": "p"}, "steps": STEPS})
    assert left_out(build_steps(made), made.compare) == []


def test_steps_are_named_by_name_or_by_number() -> None:
    assert chosen(["generate", "01-deduplicate"]) == ["01-deduplicate", "06-generate", "07-generate"]
    assert chosen(["07-generate"]) == ["07-generate"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("decontaminate", "cannot be left out: the target must never be trained on"),
        ("02-decontaminate", "cannot be left out: the target must never be trained on"),
        ("train", "train cannot be left out: it changes no rows"),
        ("05-enhanse", "no step '05-enhanse'; did you mean '05-enhance'"),
    ],
)
def test_what_cannot_be_left_out_is_refused(name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        chosen([name])


def test_training_changes_no_rows() -> None:
    made = recipe_from({"name": "x", "pool": {"path": "p"}, "steps": STEPS})
    steps: list[Step] = build_steps(made)
    assert [step.changes_rows for step in steps] == [True] * 7 + [False] * 2
    assert title(steps[4]) == "without 05-enhance"


def test_a_curve_needs_three_seeds() -> None:
    with pytest.raises(UsageError, match="a learning curve needs 3 seeds"):
        chosen(False, curve=True, seeds=2)
    assert chosen(False, curve=True, seeds=3) == []
