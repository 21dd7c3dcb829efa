"""The pool that helpers learn from: teachers, scorers, proxies and references must not know what the target asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dataflywheel.contracts import build
from dataflywheel.enhancement.preparation.decontaminate import Decontaminate
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.steps.clean import Clean
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.store.seal import is_whole


def clean_pool(context: Context, steps: Sequence[Step], pool: str) -> Path:
    """Rows of the pool as it was read that the recipe's own decontamination keeps, or one by default.

    Helpers are made before, between and after a run's steps; they learn from these rows whenever that is. What is
    measured for it is in the store when the step itself comes. `pool` is the pool's fingerprint.
    """
    assert context.pool is not None
    found = next((step for step in steps if step.guards), None)
    default = build(Decontaminate, {})
    step = replace(found or Clean(0, "decontaminate", default), round=1)
    known = digest(pool, context.target_digest, step.identity())
    output = context.home / "clean" / known
    if not is_whole(output):
        step.do(Given(context, steps, State(context.pool, pool), output, known))
    return output / "rows"
