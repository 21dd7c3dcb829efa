"""What methods that write and their gates cost, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dataflywheel.contracts import Cost, Method, PoolStatistics, build
from dataflywheel.proposing.kinds import Proposer
from dataflywheel.recipe.asking import judge, teacher
from dataflywheel.recipe.pricing import ANSWER_SECONDS, model_seconds
from dataflywheel.recipe.schema import Recipe


def asking_cost(recipe: Recipe, kind: type[Method], given: Mapping[str, Any], part: PoolStatistics) -> Cost:
    """What a method asks of models for so many rows."""
    spec = teacher(recipe, kind, given)
    judging = judge(recipe, kind, given)
    cost = build(kind, {**given, "model": spec, **({"judge": judging} if judging else {})}).estimate(part)
    usd = cost.tokens * (spec.usd_per_mtok.input + spec.usd_per_mtok.output) / 2e6 if spec.usd_per_mtok else 0.0
    return replace(cost, usd=cost.usd or usd, seconds=round(cost.calls * ANSWER_SECONDS / spec.concurrency, 2))


def local_seconds(
    recipe: Recipe, kind: type[Method], given: Mapping[str, Any], pool: PoolStatistics, speed: float
) -> float:
    """What a writer computes on local models of the student's size, where all these rows may be written from."""
    if not issubclass(kind, Proposer) or kind.operations is Proposer.operations:
        return 0.0
    made = build(kind, {**placeholder(kind), **given})
    return model_seconds(recipe.models.student, 1, round(made.operations(pool)), speed)


def placeholder(method: type) -> dict[str, object]:
    """A model for checking parameters with, where the recipe's is given only when the step runs."""
    fields = getattr(method, "model_fields", {})
    return {"model": "tiny"} if "model" in fields and fields["model"].is_required() else {}
