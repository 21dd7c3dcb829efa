"""What is refused of writers before anything is asked."""

from __future__ import annotations

from typing import Any

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.recipe.check_turns import check_proposing
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.steps import build_steps

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
        check_proposing(recipe, step)
        return
    with pytest.raises(UsageError, match=wrong):
        check_proposing(recipe, step)
