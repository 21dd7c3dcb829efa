"""A round's budget adds up to the whole, by step and by slice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import RoundResult, SliceResult
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.rounds.round_plan import round_plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.sections import Limits
from dataflywheel.recipe.steps.build import build_steps


def recipe(keep: Any, rows: Any, rounds: int, feedback: dict[str, Any]) -> Recipe:
    steps = [{"select": {"by": "random", "keep": keep}}, {"generate": {"by": "grounded_rules", "rows": rows}}]
    value = {
        "name": "b",
        "pool": [{"builtin": "python_docs"}],
        "steps": [*steps, "train", "evaluate"],
        "rounds": rounds,
        "feedback": feedback,
    }
    return recipe_from(value)


def both(*names: str) -> dict[str, list[str]]:
    return {"01-select": [*names], "02-generate": [*names]}


def slice_of(name: str, success: float) -> SliceResult:
    return SliceResult(name, 8 * (1 - success), 0.0, 8.0, 50, success)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 500), st.integers(1, 300), st.integers(2, 7))
def test_equal_rounds_add_up_to_the_whole(keep: int, rows: int, rounds: int) -> None:
    made = recipe(keep, rows, rounds, {"weakest_slices": {}})
    steps = build_steps(made)
    total: Counter[str] = Counter()
    done: list[RoundResult] = []
    for round in range(1, rounds + 1):
        budget = round_plan(made, steps, done, round, both("a", "b"), 10_000, 10**6)
        total.update(budget.steps)
        for place, slices in budget.slices.items():
            assert sum(slices.values()) == budget.steps[place]
        done.append(RoundResult([slice_of("a", 0.5), slice_of("b", 0.9)], {}, 0.1))
    assert total == {"01-select": keep, "02-generate": rows}


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 300), st.integers(2, 6), st.booleans())
def test_what_writes_from_failures_gets_all_its_rows_after_the_first_round(rows: int, rounds: int, arms: bool) -> None:
    """Also beside a policy over ways to get rows, which then has nothing to move in the first round."""
    steps = [{"select": {"by": "random", "keep": 90}}, {"generate": {"by": "llm2llm", "rows": rows}}]
    feedback = {"thompson": {}} if arms else {"proportional": {}}
    value = {"name": "b", "pool": [{"builtin": "python_docs"}], "steps": [*steps, "train", "evaluate"]}
    made = recipe_from({**value, "rounds": rounds, "feedback": feedback})
    done: list[RoundResult] = []
    total: Counter[str] = Counter()
    for round in range(1, rounds + 1):
        budget = round_plan(made, build_steps(made), done, round, both("a"), 10_000, 10**6)
        assert round > 1 or budget.steps == {"01-select": -(-90 // rounds), "02-generate": 0}
        total.update(budget.steps)
        done.append(RoundResult([slice_of("a", 0.5)], {}, 0.1))
    assert sum(total.values()) == 90 + rows
    assert arms or total["02-generate"] == rows


def test_the_weaker_slice_gets_more_than_its_share() -> None:
    made = recipe(200, 1, 2, {"weakest_slices": {}})
    done = [RoundResult([slice_of("weak", 0.5), slice_of("strong", 0.95)])]
    budget = round_plan(made, build_steps(made), done, 2, both("weak", "strong"), 10_000, 10**6)
    assert budget.slices["01-select"]["weak"] > 80
    select = budget.applied(build_steps(made)[0], 2)
    assert select.work.per == "slice"  # type: ignore[union-attr]
    assert select.round == 2


def test_a_slice_that_only_a_generator_reaches_gets_its_rows_there() -> None:
    made = recipe(200, 200, 2, {"weakest_slices": {}})
    done = [RoundResult([slice_of("absent", 0.5), slice_of("strong", 0.95)])]
    reach = {"01-select": ["strong"], "02-generate": ["absent", "strong"]}
    budget = round_plan(made, build_steps(made), done, 2, reach, 10_000, 10**6)
    assert budget.slices["01-select"] == {"strong": 100}
    assert budget.slices["02-generate"]["absent"] > 80
    assert budget.by_slice is not None
    assert sum(budget.by_slice.amounts.values()) == 200
    assert set(budget.by_slice.reasons) == {"absent", "strong"}


def test_a_budget_in_tokens_stays_in_tokens() -> None:
    made = recipe("9000 tokens", 30, 3, {"weakest_slices": {}})
    budget = round_plan(made, build_steps(made), [], 1, {}, 10_000, 10**6)
    assert budget.steps == {"01-select": 3000, "02-generate": 10}
    assert budget.applied(build_steps(made)[0], 1).work.keep == "3000 tokens"  # type: ignore[union-attr]


def test_a_policy_over_arms_moves_rows_between_the_steps() -> None:
    made = recipe(100, 100, 2, {"thompson": {}})
    none: list[SliceResult] = []
    done = [
        RoundResult(none, {"01-select": 10.0, "02-generate": 1.0}, 0.0),
        *(RoundResult(none, {"01-select": 1.0, "02-generate": 10.0}, -1.0) for _ in range(3)),
        *(RoundResult(none, {"01-select": 10.0, "02-generate": 1.0}, 1.0) for _ in range(3)),
    ]
    budget = round_plan(made, build_steps(made), done, 2, {}, 10_000, 10**6)
    assert sum(budget.steps.values()) == 100
    assert budget.steps["01-select"] > 60


@pytest.mark.parametrize("seed", range(5))
def test_moved_rows_stay_within_the_recipes_rows(seed: int) -> None:
    made = recipe(100, 100, 4, {"thompson": {}}).model_copy(update={"seed": seed, "budget": Limits(rows=100)})
    done: list[RoundResult] = []
    taken = 0
    for round in range(1, 5):
        steps = round_plan(made, build_steps(made), done, round, {}, 10_000, 10**6, taken).steps
        taken += steps["01-select"]
        gain = 0.01 * steps["01-select"] if round > 1 else 0.0
        done.append(RoundResult([], {name: rows / 10 for name, rows in steps.items()}, gain))
    assert taken <= 100
