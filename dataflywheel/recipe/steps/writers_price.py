"""What methods that write and their gates cost, before anything is written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dataflywheel.catalog import get
from dataflywheel.contracts import Cost, Method, PoolStatistics, build
from dataflywheel.models.language.language_model import MAX_TOKENS
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.asking import ANSWER_TOKENS, AskingProposer
from dataflywheel.proposing.kinds import Proposer
from dataflywheel.recipe.asking import judge, teacher
from dataflywheel.recipe.needs import asks
from dataflywheel.recipe.pricing import ANSWER_SECONDS, model_seconds
from dataflywheel.recipe.schema import Recipe

STEP_SECONDS = 0.005
"""Of a step of decoding beside its arithmetic: most of what a small model takes."""


def asking_cost(
    recipe: Recipe, kind: type[Method], given: Mapping[str, Any], part: PoolStatistics, speed: float
) -> Cost:
    """What a method asks of models for so many rows; of one that writes on this machine, at most."""
    spec = teacher(recipe, kind, given)
    judging = judge(recipe, kind, given)
    made = build(kind, {**given, "model": spec, **({"judge": judging} if judging else {})})
    cost = made.estimate(part)
    if limit := limit_here(spec, made):
        return _to_the_limit(spec, cost, limit, isinstance(made, AskingProposer), speed)
    usd = cost.tokens * (spec.usd_per_mtok.input + spec.usd_per_mtok.output) / 2e6 if spec.usd_per_mtok else 0.0
    return replace(cost, usd=cost.usd or usd, seconds=round(cost.calls * ANSWER_SECONDS / spec.concurrency, 2))


def limit_here(spec: ModelSpec, made: Method) -> int:
    """Tokens of an answer of a writer whose model is on this machine: one that has learned little does not end before
    them. 0 for those that are behind an endpoint or do not write."""
    return int(getattr(made, "max_tokens", 0)) if isinstance(made, Proposer) and spec.endpoint is None else 0


def written_here(recipe: Recipe, title: str, name: str, given: Mapping[str, Any]) -> list[str]:
    """A line where a step is priced by the limit of what a model on this machine writes."""
    kind = get(name, Proposer)
    if not asks(kind):
        return []
    spec = teacher(recipe, kind, given)
    limit = limit_here(spec, build(kind, {**given, "model": spec}))
    said = f"{title}: a model on this machine writes, priced as if each answer took all of its {limit:,} tokens"
    return [f"{said} (max_tokens): the most; a model that has learned to end takes less"] if limit else []


def _to_the_limit(spec: ModelSpec, cost: Cost, limit: int, usual: bool, speed: float) -> Cost:
    """The cost where each answer has as many tokens as it may have; `usual`: in `cost` it has the usual number."""
    tokens = cost.tokens + cost.calls * (limit - (min(limit, ANSWER_TOKENS) if usual else 0))
    together = max(1, MAX_TOKENS * cost.calls // max(1, tokens))
    steps = math.ceil(cost.calls / together) * limit
    seconds = model_seconds(spec, 2, tokens, speed) + steps * STEP_SECONDS
    return replace(cost, tokens=tokens, seconds=round(seconds, 2))


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
