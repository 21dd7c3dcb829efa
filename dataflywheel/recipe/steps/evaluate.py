"""The step `evaluate`: the model that was trained last is scored on the target."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from dataflywheel.contracts import Cost, PoolStatistics, UsageError
from dataflywheel.evolution.feedback.evaluate import Evaluate, RowScores, summarise
from dataflywheel.evolution.feedback.score_files import write_scores
from dataflywheel.evolution.iteration.trial import SCORING, examine
from dataflywheel.evolution.metrics.named import metric_of
from dataflywheel.evolution.metrics.win_rate import WinRate
from dataflywheel.models.language.meter import counted
from dataflywheel.recipe.asking import teacher
from dataflywheel.recipe.bill import asked_cost, failed_at_endpoint
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.helpers import Helper
from dataflywheel.recipe.inputs.ingest import eval_set, one_metric
from dataflywheel.recipe.inputs.looked import Looked, statistics
from dataflywheel.recipe.inputs.renewed import of_renewed
from dataflywheel.recipe.inputs.target_judge import judges, judging_cost
from dataflywheel.recipe.inputs.target_rows import check_target_rows
from dataflywheel.recipe.pricing import model_seconds
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.recipe.steps.told import tried_again
from dataflywheel.recipe.steps.untrained import UNTRAINED, Untrained, enter_bill, untrained
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.record import StepRecord


@dataclass(frozen=True)
class Evaluating(Step, keyword="evaluate"):
    """Scores by slice, with intervals; in a wheel on the tiers that a round may look at."""

    Work = Evaluate
    changes_rows: ClassVar[bool] = False

    work: Evaluate

    def version(self) -> int:
        return SCORING

    def check(self, recipe: Recipe, comparison: bool) -> None:
        one_metric(recipe)

    def evidence(self, context: Context, state: State) -> list[str]:
        """The user's code that scores, where it is theirs."""
        found = [metric_of(entry.metric) for entry in context.recipe.target[:1]]
        return [code for metric in found if (code := metric.contents() + metric.source)]

    def cost(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Cost:
        target, times = statistics(recipe.target), 1 + sum(name == "renew" for name, _ in recipe.named_steps())
        seconds = model_seconds(recipe.models.student, 2, times * target.tokens, speed)
        judging = sum([judging_cost(recipe, target)] * times, Cost())
        return Cost(seconds=seconds, forward=times * target.rows, tokens=times * target.tokens) + judging

    def learned_first(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Mapping[str, Cost]:
        """The untrained student is scored once, of a divided target on the select tier alone."""
        if not self.work.untrained or judges(recipe) is not None:
            return {}
        target, share = statistics(recipe.target), recipe.tiers.select if recipe.rounds > 1 else 1.0
        rows, tokens = round(share * target.rows), round(share * target.tokens)
        return {UNTRAINED: Cost(model_seconds(recipe.models.student, 2, tokens, speed), rows, tokens=tokens)}

    def helpers(self, recipe: Recipe, trained: bool) -> list[Helper]:
        found = judges(recipe)
        spec = (found.model or teacher(recipe, WinRate)) if found is not None else None
        return [Helper(spec, "judge")] if spec is not None and spec.builtin else []

    def foreseen(self, recipe: Recipe, looked: Looked, before: Sequence[Step]) -> Mapping[str, object]:
        return {"target": check_target_rows(recipe)}

    def do(self, given: Given) -> StepRecord:
        context, state = given.context, given.state
        if state.model is None:
            raise UsageError(f"{self.title}: nothing was trained before; put a `train` step before it")
        began = time.perf_counter()
        tiers: Mapping[str, Path | None] = state.tiers or {"": None}
        exams = {tier: eval_set(context, self.work, rows) for tier, rows in tiers.items()}
        with counted() as read:
            scores = {tier: examine(state.model, exam) for tier, exam in exams.items()}
            told = {
                tier: summarise(found, exams[tier].metric, self.work)
                | of_renewed(context, state.model, self.work, found, exams[tier].metric)
                for tier, found in scores.items()
            }
        cost = Cost(round(time.perf_counter() - began, 3), forward=read.passes, tokens=read.tokens)
        # What the step says of a divided target is what the select tier says.
        details = {**told["select"], "tiers": told} if state.tiers else told[""]
        exam = exams["select" if state.tiers else ""]
        known = self.learned_first_as(context.recipe, context.scored is not None)
        base = untrained(context, exam, known) if self.work.untrained else None
        if base is not None:
            details |= base.details(exam.metric, self.work)
        return self._leave(given, scores, base, {**details, **failed_at_endpoint(context)}, cost)

    def _leave(
        self,
        given: Given,
        scores: Mapping[str, RowScores],
        base: Untrained | None,
        details: Mapping[str, Any],
        cost: Cost,
    ) -> StepRecord:
        rows = sum(len(found.ids) for found in scores.values())
        cost += asked_cost(given.context, given.output)
        with atomic_directory(given.output) as aside:
            for tier, found in scores.items():
                write_scores(aside / (f"scores-{tier}.parquet" if tier else "scores.parquet"), found)
            if base is not None:
                write_scores(aside / "untrained.parquet", base.scores)
            return self.record(given, rows, cost, details).model_copy(update={"rows_in": rows}).write(aside)

    def after(self, given: Given, record: StepRecord) -> State:
        state = given.state
        enter_bill(given.context, record.details)
        return replace(state, scoring=state.scoring or self.work, evaluation=record.details)

    def note(self, record: StepRecord) -> str:
        details = record.details
        value, low, high = (_number(details["overall"][name]) for name in ("value", "low", "high"))
        base = details.get("untrained")
        before = f", untrained {_number(base['overall']['value'])}" if base else ""
        return f"{details['metric']} {value} ({low} to {high}){before}{tried_again(record)}"


def _number(value: float | None) -> str:
    """Three decimals; JSON keeps what could not be measured as null."""
    return "not measured" if value is None or math.isnan(value) else f"{value:.3f}"
