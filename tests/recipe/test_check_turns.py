"""What is refused of writers before anything is asked."""

from __future__ import annotations

from typing import Any

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.checks import check
from dataflywheel.recipe.steps.build import build_steps


@pytest.mark.parametrize("by", ["llm2llm", "blind_spots"])
def test_what_writes_from_failures_is_refused_where_nothing_is_trained_before(by: str) -> None:
    def checked(steps: list[Any], **more: Any) -> None:
        value = {"name": "a", "pool": [{"builtin": "python_docs"}], "models": {"teacher": PRICED}, "steps": steps}
        recipe = recipe_from({**value, "target": [{"builtin": "python_docs", "split": "held_out"}], **more})
        next(step for step in build_steps(recipe) if step.name == "generate").check(recipe, comparison=False)

    write, trained = {"generate": {"by": by, "rows": 3}}, {"train": {"max_steps": 1}}
    for steps in ([write], [write, trained]):
        with pytest.raises(UsageError, match=f"{by} writes from rows that the student got wrong.*rounds: 2.*`train`"):
            checked(steps)
    checked([trained, write, trained])
    checked([write, trained, "evaluate"], rounds=2, feedback={"proportional": {}})


@pytest.mark.parametrize("rounds", [1, 2])
def test_what_is_written_is_counted_in_rows(rounds: int) -> None:
    steps = [{"decontaminate": {"semantic": None}}, {"generate": {"by": "grounded_rules", "rows": "500 tokens"}}]
    value = {"name": "a", "pool": [{"builtin": "python_docs"}], "steps": [*steps, "train", "evaluate"]}
    wheel = {"rounds": rounds, "feedback": {"proportional": {}}} if rounds > 1 else {}
    recipe = recipe_from({**value, "target": [{"builtin": "python_docs", "split": "held_out"}], **wheel})
    with pytest.raises(UsageError, match=r"02-generate: `rows: 500 tokens` counts tokens.*20%"):
        check(recipe, build_steps(recipe), comparison=False)


PRICED: dict[str, Any] = {
    "endpoint": "http://localhost:9/v1",
    "model": "m",
    "usd_per_mtok": {"in": 1, "out": 1},
    "capabilities": {},
}


@pytest.mark.parametrize(
    ("earlier", "wrong"),
    [
        ({name: value for name, value in PRICED.items() if name != "usd_per_mtok"}, "price"),
        ({**PRICED, "capabilities": {"chat": False}}, "chat"),
        ({**PRICED, "api_key": "s"}, "earlier: a key is kept secret"),
        (None, ""),
    ],
)
def test_a_second_model_is_checked_as_the_first(earlier: dict[str, Any] | None, wrong: str) -> None:
    value = {
        "name": "a",
        "pool": [{"builtin": "python_docs"}],
        "models": {"teacher": PRICED},
        "budget": {"usd": 1},
        "steps": [{"generate": {"by": {"syn_po": {"earlier": earlier}}, "rows": 3}}],
    }
    recipe = recipe_from(value)
    (step,) = build_steps(recipe)
    if not wrong:
        step.check(recipe, comparison=False)
        return
    with pytest.raises(UsageError, match=wrong):
        step.check(recipe, comparison=False)
