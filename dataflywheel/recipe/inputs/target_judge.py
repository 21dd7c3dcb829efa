"""The judge of a target whose metric asks one: who it is, what must hold, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel.contracts import Cost, Judge, PoolStatistics, UsageError
from dataflywheel.evolution.judging.pairwise import Pairwise
from dataflywheel.evolution.judging.self_test import self_test
from dataflywheel.evolution.metrics.named import metric_of
from dataflywheel.evolution.metrics.win_rate import WinRate
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.asking import check_asking, teacher
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.schema import Recipe

VERDICT_TOKENS = 40
ANSWER_SECONDS = 2.0


def judges(recipe: Recipe) -> WinRate | None:
    """The metric of the target, where it asks a judge."""
    found = metric_of(recipe.target[0].metric) if recipe.target else None
    return found if isinstance(found, WinRate) else None


def judge_of(context: Context, metric: str) -> Judge | None:
    """The judge, tested on known answers, where the metric asks one.

    Raises:
        FlywheelError: it fails the self-test.
    """
    found = metric_of(metric)
    if not isinstance(found, WinRate):
        return None
    spec = context.usable(found.model or teacher(context.recipe, WinRate), "judge")
    judge = judge_by(found, spec)
    self_test(judge.judge).require(f"win_rate by {spec.model or spec.hf or spec.builtin}")
    return judge


def judge_by(metric: WinRate, spec: ModelSpec) -> Judge:
    """The judge of a metric, by that model."""
    return Pairwise(
        model=spec, evidence=metric.evidence, max_tokens=metric.max_tokens, instructions=metric.instructions
    )


def check_judged(recipe: Recipe, names: Sequence[str], comparison: bool) -> None:
    """Refuse a judge where there is none to ask, and where every trial would pay it.

    Raises:
        UsageError: no model, one that cannot judge, or a recipe with rounds or a comparison.
    """
    found = judges(recipe)
    if found is None or "evaluate" not in names:
        return
    if comparison or recipe.rounds > 1:
        what = "a comparison" if comparison else "rounds"
        raise UsageError(
            f"target: win_rate pays a judge for every answer, so it is no metric for {what}, which train many models; "
            "evaluate by it in a recipe of its own, or choose a metric that asks nobody"
        )
    check_asking(recipe, WinRate, {"model": found.model} if found.model else {})


def judging_cost(recipe: Recipe, target: PoolStatistics) -> Cost:
    """Every pair is shown twice: the question, the answer and the reference, and a verdict of a few words."""
    found = judges(recipe)
    if found is None:
        return Cost()
    spec, calls = found.model or teacher(recipe, WinRate), 2 * target.rows
    read, written = 4 * target.tokens, VERDICT_TOKENS * calls
    usd = (read * spec.usd_per_mtok.input + written * spec.usd_per_mtok.output) / 1e6 if spec.usd_per_mtok else 0.0
    return Cost(
        calls=calls,
        tokens=read + written,
        usd=round(usd, 6),
        seconds=round(calls * ANSWER_SECONDS / spec.concurrency, 2),
    )
