"""The step `warm_up`: a first model is trained on a few of the rows, for signals that ask what it knows already."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from dataflywheel import catalog
from dataflywheel.contracts import Cost, Decisions, Method, Named, PoolStatistics, UsageError
from dataflywheel.distillation.model.fine_tuning import FineTuning
from dataflywheel.evolution.iteration.training_cost import training_cost
from dataflywheel.evolution.iteration.trial import trained
from dataflywheel.models.training.trainer import Trainer
from dataflywheel.recipe.pricing import model_seconds
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.check_select import check_rounds_before, check_signals, check_vectors
from dataflywheel.recipe.steps.learning import Learning, Settings, student_folder
from dataflywheel.recipe.steps.select import with_target
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.selection.combine import select_rows
from dataflywheel.selection.order import LEARNED
from dataflywheel.selection.spec import Select
from dataflywheel.store.record import StepRecord


class WarmUp(Settings):
    """The step `warm_up`: the untrained student learns a few of the rows, all of which go on. Signals with `of:
    trained` are then of this model; a later `train` begins from the untrained student again."""

    by: Named = {"k_center": {}}
    """The selector that chooses what is learned, with its parameters."""
    keep: str | int
    """How many rows are learned: `500`, or `5%` of those that are there."""

    def choice(self) -> Select:
        """The selection of what is learned."""
        return Select(by=[self.by], keep=self.keep)


@dataclass(frozen=True)
class WarmingUp(Learning, keyword="warm_up"):
    """Training on a part of the rows, of which none is kept or dropped for it."""

    Work = WarmUp

    work: WarmUp

    def method(self) -> str:
        return self.work.choice().label()

    def needs(self) -> tuple[str, ...]:
        return self.work.choice().needs()

    def signal_parameters(self) -> dict[str, dict[str, Any]]:
        return self.work.choice().signal_parameters()

    def guided_by(self) -> list[str]:
        return [selector.name for selector in self.work.choice().selectors() if selector.targeted]

    def involved(self) -> list[type[Method]]:
        return [*map(catalog.get, self.work.by), *self.signals()]

    def trained_by(self) -> Trainer:
        return FineTuning()

    def check(self, recipe: Recipe, comparison: bool) -> None:
        super().check(recipe, comparison)
        choice = self.work.choice()
        if recipe.rounds > 1:
            raise UsageError(
                f"{self.title}: a wheel trains a model in every round, which signals with `of: trained` follow; leave "
                "`warm_up` out, or write `rounds: 1`"
            )
        for method in [] if recipe.target else self.guided_by():
            raise UsageError(
                f"{self.title}: {method} compares rows with a target; name evaluation rows under `target:`"
            )
        check_rounds_before(choice, recipe)
        check_signals(choice, recipe)
        check_vectors(choice, recipe)

    def learns_first(self, rows: int) -> int:
        budget = self.work.choice().budget()
        return 0 if budget.unit == "tokens" else budget.rows(rows)

    def learned(self, pool: PoolStatistics) -> float:
        """The share of the rows that is learned."""
        budget = self.work.choice().budget()
        if budget.unit == "tokens":
            return min(1.0, budget.amount / max(1, pool.tokens))
        return budget.rows(pool.rows) / max(1, pool.rows)

    def cost(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Cost:
        part = self.learned(pool)
        passes = part * self.passes(round(pool.rows * part))
        tokens, rows = int(pool.tokens * passes), int(pool.rows * passes)
        seconds = model_seconds(recipe.models.student, 6, tokens, speed)
        return Cost(seconds=seconds, forward=rows, backward=rows, tokens=tokens)

    def model_name(self, given: Given) -> str:
        return f"student-{self.place}"

    def do(self, given: Given) -> StepRecord:
        context, rows, choice = given.context, given.state.rows, self.work.choice()
        columns = context.measured(rows, self.needs(), self.title, self.signal_parameters())
        began = time.perf_counter()
        rng = np.random.default_rng([context.recipe.seed, self.index])
        _, chosen = select_rows(with_target(context, choice, columns, self.title), choice, rng)
        ranking = time.perf_counter() - began
        ids = [id for id, action in zip(chosen.ids, chosen.action, strict=True) if action != "dropped"]
        if not ids:
            raise UsageError(f"{self.title}: {choice.label()} chose no row to learn; raise `keep`")
        student, settings = student_folder(context), self.seeded(context)
        self.check_room(given, len(ids), len(columns))
        made, facts = trained(context.home, rows, ids, student, settings, partial(self.advanced, context))
        cost = training_cost(facts, settings.batch_size) + Cost(seconds=round(ranking, 3))
        left_out, cut = dict(facts.pop("left_out")), facts.pop("cut_rows", {})
        facts.pop("changed_rows")
        details = {**facts, "by": choice.label(), "cut": len(cut), "learned": len(ids) - len(left_out)}
        return self.leave(given, made, cost, details, _decisions(chosen, left_out))

    def check_room(self, given: Given, learned: int, rows: int) -> None:
        """Raises UsageError, before anything is trained: a later step goes on from what was learned, and keeps less."""
        for step in given.steps[self.index :]:
            keeps = min(step.left(PoolStatistics(rows, 0, 0)).rows, given.context.recipe.budget.rows or rows)
            if LEARNED in step.needs() and keeps < learned:
                raise UsageError(too_few(self, learned, step, keeps))

    def after(self, given: Given, record: StepRecord) -> State:
        state = super().after(given, record)
        return replace(state, learned=given.output, warmed=state.warmed + record.cost)

    def note(self, record: StepRecord) -> str:
        details = record.details
        return f"{details['learned']:,} of {record.rows_in:,} rows learned, {details['tokens']:,} tokens"


def too_few(warm_up: Step, learned: int, step: Step, keeps: int) -> str:
    """What to say where fewer rows are kept than were learned."""
    return (
        f"{step.title}: {keeps:,} rows would be kept, and the {learned:,} that {warm_up.title} learns are the first of "
        "them; let it learn fewer, or keep more"
    )


def _decisions(chosen: Decisions, left_out: Mapping[str, str]) -> Decisions:
    """All rows go on; those that were learned have the score 1, and the reason of their choice."""
    decisions = Decisions()
    for id, action, reason in zip(chosen.ids, chosen.action, chosen.reason, strict=True):
        if action == "dropped":
            decisions.add(id, "kept", "not learned in the warm-up")
        elif id in left_out:
            decisions.add(id, "kept", f"not learned in the warm-up, {left_out[id]}")
        else:
            decisions.add(id, "kept", f"learned in the warm-up: {reason}", score=1.0)
    return decisions
