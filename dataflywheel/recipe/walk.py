"""The walk through the steps of a run: what is there already is taken, the rest is done, each step on the last."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

from dataflywheel.contracts import DeferredError, FlywheelError, OverBudgetError, UnreadableAnswersError
from dataflywheel.plugins.blame import blamed
from dataflywheel.plugins.named import code_of
from dataflywheel.recipe.bill import asked_cost, asking_keys, forget_failed
from dataflywheel.recipe.clean_pool import clean_pool
from dataflywheel.recipe.contents import digest, model_contents, named_contents
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.finish import forget_partial, write_dataset, write_partial
from dataflywheel.recipe.held_apart import write_held_apart
from dataflywheel.recipe.inputs.ingest import ingest_pool, ingest_target
from dataflywheel.recipe.planning.targeting import guides_and_judges
from dataflywheel.recipe.result import Result
from dataflywheel.recipe.steps.of_plugin import looked_at
from dataflywheel.recipe.steps.state import State
from dataflywheel.recipe.steps.step import Given, Step
from dataflywheel.rows.parts import count_rows, read_rows
from dataflywheel.store.evaluation import Evaluation
from dataflywheel.store.record import StepRecord
from dataflywheel.store.run import DATASET


class Walk:
    """One turn through all steps: each takes the state that the one before left, and leaves another."""

    state: State
    """After `take_steps`, what the last step left."""

    def __init__(self, context: Context, steps: list[Step]) -> None:
        self.context, self.steps = context, steps
        self.all_reused = True

    def titles(self) -> list[str]:
        """What the live table shows."""
        return [step.title for step in self.steps]

    def take_steps(self) -> Result:
        """Read the pool and the target and do the steps, up to where a budget ends; then `state.rows` are the final
        ones."""
        context, pool = ingest_pool(self.context)
        context = ingest_target(context, guides_and_judges(context.recipe, self.steps))
        if context.target is not None:
            context = replace(context, cleaned=partial(clean_pool, steps=self.steps, pool=pool.fingerprint))
        assert context.pool is not None
        self.context, self.state = context, State(context.pool, pool.fingerprint)
        rows_in = pool.rows_out or 0
        result = Result(context.run.path, rows_in, rows_in)
        self.context.run.forget_steps([self.context.run.step(0, "pool"), *self.fold(result)])
        result.model, told = self.state.model, self.state.evaluation
        result.evaluation = None if told is None else Evaluation.model_validate(told)
        return result

    def fold(self, result: Result) -> list[Path]:
        """Do the steps, up to where a budget ends; gives the directories of those that are done."""
        done = []
        for number, step in enumerate(self.steps):
            final = not any(later.changes_rows for later in self.steps[number:])
            if final and (not number or self.steps[number - 1].changes_rows):
                self.write_rows(result)  # before hours of training
            if not self.attempt(step, result):
                break
            done.append(self.output(step))
        return done

    def sealed(self) -> Path | None:
        """The target rows that a comparison is made on: None for all that are scored."""
        return None

    def close(self, result: Result) -> None:
        """All steps are done: write the data set. Where a budget ended them, see to it that nothing looks like one."""
        if not result.stopped:
            self.write_rows(result)
            forget_partial(self.context)
            return
        own, result.rows_out = result.dataset is not None, count_rows(self.state.rows)
        result.dataset = write_partial(self.context, self.state.rows, len(self.steps), result.rounds, own)

    def write_rows(self, result: Result) -> None:
        """The rows that there are, as the data set."""
        made = write_dataset(self.context, self.state.rows, len(self.steps), result.rounds)
        result.rows_out, result.left_out, result.not_carried = made
        result.dataset = self.context.run.path / DATASET
        result.held_apart = write_held_apart(self.context.run.path)

    def output(self, step: Step) -> Path:
        return self.context.run.step(step.index, step.name, step.round)

    def attempt(self, step: Step, result: Result) -> bool:
        """Do a step unless a budget ends before it or within; then `result` says so."""
        given = self._given(step)
        if not _reusable(step, given) and self.context.out_of_time():
            result.stopped = f"the {self.context.recipe.budget.hours:g} hours were used up before {step.title}"
        else:
            self.context.run.ledger.unbilled.add(given.output)
            try:
                self._done(step, given)
            except UnreadableAnswersError as error:
                raise UnreadableAnswersError(f"{step.title}: {error}") from None
            except (OverBudgetError, DeferredError) as error:
                result.stopped = f"{step.title}: {error}"
        if result.stopped:
            self.context.run.event("stopped", reason=result.stopped)
        return not result.stopped

    def _done(self, step: Step, given: Given) -> None:
        context, output = self.context, given.output
        record = _reusable(step, given)
        reused = record is not None
        self.all_reused &= reused
        if record is None:
            for helper in step.helpers(context.recipe, context.trained is not None):  # with bills of their own
                context.usable(helper.spec, helper.role)
            forget_failed(context)
            context.watcher.started(step.title)
            context.run.event("started", step=step.title)
            record = self._work(step, given)
        context.run.bill(output, record.cost)  # here, so that a kill between step and bill loses none
        self.context = step.context_after(given, record)
        self.state = replace(step.after(given, record), fingerprint=given.fingerprint)
        if step.changes_rows:
            self._check_some_left(step, record)
        if record.again:  # another try may give other rows: what comes after follows from these
            ids = read_rows(self.state.rows, ["id"])["id"].to_pylist()
            self.state = replace(self.state, fingerprint=digest(given.fingerprint, *ids))
        context.watcher.finished(step.title, step.note(record) + context.run.made_anew(output), reused)

    def _work(self, step: Step, given: Given) -> StepRecord:
        """Do the step; what could not be finished is billed for what it took so far."""
        run = self.context.run
        watch = run.stopwatch(given.output, given.fingerprint)
        try:
            with watch, blamed(step.title, [step.name, step.parameters(), self.context.recipe.signals]):
                record = step.do(replace(given, watch=watch))
                if step.source:
                    record = looked_at(step, given, record)
        except (OverBudgetError, DeferredError):
            spent = asked_cost(self.context, given.output)
            run.bill(given.output, replace(spent, seconds=round(watch.seconds, 3)))
            raise
        if not record.again:
            watch.forget()
        run.event("finished step", step=step.title, seconds=record.cost.seconds)
        return record

    def _given(self, step: Step) -> Given:
        return Given(self.context, self.steps, self.state, self.output(step), self._fingerprint(step))

    def _fingerprint(self, step: Step) -> str:
        """Everything that the step's result depends on."""
        recipe = self.context.recipe
        parts = [
            self.state.fingerprint,
            step.identity(),
            self.context.target_digest,
            recipe.seed,
            recipe.models.model_dump_json(),
            model_contents(recipe),
            recipe.budget.rows,
            *asking_keys(self.context, step.needs(), step.signal_parameters()),
            *self.context.followed(step.needs(), step.signal_parameters()),
            *step.evidence(self.context, self.state),
            *named_contents([step.parameters(), recipe.signals]),
            *code_of([step.parameters(), recipe.signals]),
        ]
        return digest(*parts, json.dumps(recipe.signals, sort_keys=True))

    def _check_some_left(self, step: Step, record: StepRecord) -> None:
        if record.rows_in and not record.rows_out:
            raise FlywheelError(
                f"{step.title}: no row is left of {record.rows_in:,}; loosen the step's parameters "
                f"(flywheel why {self.context.run.path} ROW tells what became of a row)"
            )


def _reusable(step: Step, given: Given) -> StepRecord | None:
    """The record of the step where its result is there already, whole, from the same input, and with no failure of an
    endpoint in it that another try may change."""
    record = given.context.run.record(given.output, given.fingerprint)
    if record is None or record.again:
        return None
    gone = step.intact(given, record)
    if gone:
        given.context.run.damaged[given.output] = gone
        return None
    return record
