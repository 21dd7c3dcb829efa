"""The walk through the steps of a run: what is there already is taken, the rest is done, each step on the last."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import Cost, DeferredError, FlywheelError, OverBudgetError, UsageError
from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.evolution.iteration.trial import Exam
from dataflywheel.models.files import folder_digest
from dataflywheel.recipe.arms import Field
from dataflywheel.recipe.asking import account_of, asked_cost, asking_keys, forget_failed
from dataflywheel.recipe.clean_pool import clean_pool
from dataflywheel.recipe.compare import forget_comparison, run_comparison
from dataflywheel.recipe.context import Context, digest, model_contents, named_contents
from dataflywheel.recipe.failures import Student, evidence
from dataflywheel.recipe.finish import embedding_map, map_is_whole, write_dataset
from dataflywheel.recipe.ingest_step import ingest_pool, ingest_target, target_exam
from dataflywheel.recipe.leave_out import leave_out
from dataflywheel.recipe.leaving import changes_rows, left_out, title
from dataflywheel.recipe.model_step import evaluate_step, student_folder, train_step
from dataflywheel.recipe.needs import asks, signals_of
from dataflywheel.recipe.notes import note
from dataflywheel.recipe.prefer_step import prefer_step
from dataflywheel.recipe.propose import Enhance, Generate
from dataflywheel.recipe.propose_step import apply_propose_step
from dataflywheel.recipe.result import Result
from dataflywheel.recipe.row_step import apply_row_step
from dataflywheel.recipe.steps import Step
from dataflywheel.recipe.target_judge import judges
from dataflywheel.recipe.targeting import guides_and_judges
from dataflywheel.recipe.training import Prefer, Train, teaching
from dataflywheel.rows.parts import read_rows
from dataflywheel.selection.combine import Select


class Walk:
    """One turn through all steps."""

    def __init__(self, context: Context, steps: list[Step]) -> None:
        self.context, self.steps = context, steps
        self.rows = Path()
        self.seeds: Path | None = None
        """What generators write from, where it is not the rows that came so far."""
        self.earlier: Path | None = None
        """Training rows of rounds before."""
        self.exam_rows: Path | None = None
        """The target rows that the comparison is made on: all of them where none are named."""
        self.fingerprint = ""
        self.field: Field | None = None
        self.all_reused = True
        self.model: Path | None = None
        self.steered: Path | None = None  # scores of the steering tier in the last round
        self.settings: Train | None = None

    def go(self) -> Result:
        wanted = signals_of(need for step in self.steps for need in step.needs())
        methods = [catalog.get(name) for name in wanted]
        methods += [method for step in self.steps for method in step.proposes(self.context.recipe.target != [])]
        judged = any(step.name == "evaluate" for step in self.steps) and judges(self.context.recipe) is not None
        with account_of(self.context, judged or any(asks(method) for method in methods)):
            return self._walk("embedding" in wanted)

    def _walk(self, mapped: bool) -> Result:
        context = self.context
        left = left_out(self.steps, context.recipe.compare)
        after = [*map(title, left), *(["compare"] if context.recipe.compare else [])]
        context.watcher.planned(["00-pool", *self._titles(), *after])
        result = self.take_steps()
        self._close_rows(result)
        forget_comparison(context.run.path / "compare.json", self.fingerprint)
        if context.recipe.compare and not result.stopped:
            result.comparison = self._compare(left)
        if mapped and not (map_is_whole(context.run.path) and self.all_reused):
            embedding_map(context, self.rows)
        context.run.event("finished", stopped=result.stopped)
        return result

    def take_steps(self) -> Result:
        """Read the pool and the target and do the steps; then `rows` are the final ones."""
        rows_in, self.fingerprint = ingest_pool(self.context)
        ingest_target(self.context, guides_and_judges(self.context.recipe, self.steps))
        assert self.context.pool is not None
        if self.context.target is not None:
            self.context.cleaned = cache(partial(clean_pool, self.context, self.steps, self.fingerprint))
        self.rows = self.context.pool
        result = Result(self.context.run.path, rows_in, rows_in)
        self.context.run.forget_steps([self.context.run.step(0, "pool"), *self._steps(result)])
        return result

    def _close_rows(self, result: Result) -> None:
        """All rows are chosen: write the data set."""
        result.rows_out, result.left_out = write_dataset(self.context, self.rows, len(self.steps), result.rounds)

    def _titles(self) -> list[str]:
        """What the live table shows."""
        return [step.title for step in self.steps]

    def _steps(self, result: Result) -> list[Path]:
        """Do the steps, up to where a budget ends; gives the directories of those that are done."""
        done = []
        for number, step in enumerate(self.steps):
            if isinstance(step.work, Train) and not any(map(changes_rows, self.steps[number:])):
                self._close_rows(result)  # before hours of training
            if not self._try(step, result):
                break
            done.append(self._output(step))
        return done

    def _try(self, step: Step, result: Result) -> bool:
        """Do a step unless a budget ends before it or within; then `result` says so."""
        output = self._output(step)
        if not self._reusable(step) and self.context.out_of_time():
            result.stopped = f"the {self.context.recipe.budget.hours:g} hours were used up before {step.title}"
        else:
            try:
                self._step(step, result)
            except (OverBudgetError, DeferredError) as error:
                self.context.run.bill(output, asked_cost(self.context, output))
                result.stopped = f"{step.title}: {error}"
            except BaseException:
                self.context.run.unbilled = output  # entered once nothing is under way any more
                raise
        if result.stopped:
            self.context.run.event("stopped", reason=result.stopped)
        return not result.stopped

    def _output(self, step: Step) -> Path:
        return self.context.run.step(step.index, step.name, step.round)

    def _fingerprint(self, step: Step) -> str:
        """Everything that the step's result depends on."""
        parts = [
            self.fingerprint,
            step.identity(),
            self.context.target_digest,
            self.context.recipe.seed,
            self.context.recipe.models.model_dump_json(),
            model_contents(self.context.recipe),
            self.context.recipe.budget.rows,
            *(asking_keys(self.context, step) + evidence(self.context, step, self._student())),
            *named_contents([step.parameters(), self.context.recipe.signals]),
        ]
        return digest(*parts, json.dumps(self.context.recipe.signals, sort_keys=True))

    def _student(self) -> Student | None:
        return Student(self.model, self.steered) if self.model is not None else None

    def _reusable(self, step: Step) -> dict[str, Any] | None:
        """The metrics of the step where its result is there already, whole, from the same input, and with no failure of
        an endpoint in it that another try may change."""
        metrics = self.context.run.finished(self._output(step), self._fingerprint(step))
        if metrics is not None and metrics["details"].get("again"):
            return None
        if metrics is not None and isinstance(step.work, Train | Prefer) and not self._holds_model(step, metrics):
            self.context.run.damaged[self._output(step)] = [metrics["details"]["model"]]
            return None
        return metrics

    def _step(self, step: Step, result: Result) -> None:
        output, fingerprint = self._output(step), self._fingerprint(step)
        metrics = self._reusable(step)
        reused = metrics is not None
        self.all_reused &= reused
        if metrics is None:
            forget_failed(self.context)
            self.context.watcher.started(step.title)
            self.context.run.event("started", step=step.title)
            metrics = self._work(step, output, fingerprint)
            self.context.run.event("finished step", step=step.title, seconds=metrics["cost"]["seconds"])
        self.context.run.bill(output, Cost(**metrics["cost"]))  # here, so that a kill between step and bill loses none
        self._after(step, output, metrics, result)
        self.fingerprint = fingerprint
        if metrics["details"].get("again"):  # another try may give other rows: what comes after follows from these
            self.fingerprint = digest(fingerprint, *read_rows(self.rows, ["id"])["id"].to_pylist())
        self.context.watcher.finished(step.title, note(metrics) + self.context.run.made_anew(output), reused)

    def _holds_model(self, step: Step, metrics: dict[str, Any]) -> bool:
        """Whether the model on disk is the one that the step made: another recipe of that name may have replaced it."""
        folder, details = self.context.run.path / "models" / self._model_name(step), metrics["details"]
        named = details["model"] == f"models/{folder.name}"
        return named and folder.is_dir() and bool(folder_digest(folder) == details["digest"])

    def _model_name(self, step: Step) -> str:
        """Of a model's folder: what `prefer` makes of a trained one takes its place, and that one stays beside it."""
        name = "student" if self.context.recipe.rounds == 1 else f"round-{step.round}"
        preferred = any(isinstance(other.work, Prefer) for other in self.steps)
        return f"{name}-sft" if preferred and isinstance(step.work, Train) else name

    def _work(self, step: Step, output: Path, fingerprint: str) -> dict[str, Any]:
        if isinstance(step.work, Train):
            return train_step(self.context, step.work, self.rows, output, fingerprint, self._model_name(step))
        if isinstance(step.work, Prefer):
            assert self.model is not None, "the plan refuses `prefer` without a trained model"
            name = self._model_name(step)
            before = [self._output(replace(s, round=step.round)) for s in self.steps if s.index < step.index]
            held = (before, step.round)
            return prefer_step(self.context, step.work, self.rows, self.model, output, fingerprint, name, *held)
        if isinstance(step.work, Evaluate):
            if self.model is None:
                raise UsageError(f"{step.title}: nothing was trained before; put a `train` step before it")
            return evaluate_step(self.context, step.work, self.model, output, fingerprint)
        if isinstance(step.work, Enhance | Generate):
            given = (self.rows, output, fingerprint, self.seeds, self.earlier)
            return apply_propose_step(self.context, step, *given, self._student())
        return apply_row_step(self.context, step, self.rows, output, fingerprint)

    def _after(self, step: Step, output: Path, metrics: dict[str, Any], result: Result) -> None:
        if isinstance(step.work, Train | Prefer):
            self.model = result.model = self.context.trained = self.context.run.path / metrics["details"]["model"]
        if isinstance(step.work, Train):
            self.settings = step.work
            if self.field is not None:
                self.field = replace(self.field, trained=self.rows)
        elif isinstance(step.work, Evaluate):
            result.evaluation = metrics["details"]
        elif not isinstance(step.work, Prefer):
            if isinstance(step.work, Select):
                self.field = self._field(step, output, metrics)
            self.rows = output / "rows"
            if metrics["rows_in"] and not metrics["rows_out"]:
                raise FlywheelError(
                    f"{step.title}: no row is left of {metrics['rows_in']:,}; loosen the step's parameters "
                    f"(flywheel why {self.context.run.path} ROW tells what became of a row)"
                )

    def _field(self, step: Step, output: Path, metrics: dict[str, Any]) -> Field:
        assert self.context.pool is not None
        guards = tuple(s for s in self.steps if s.name == "decontaminate")
        seconds = metrics["details"]["ranking_seconds"]
        return Field(self.rows, self.context.pool, guards, output / "rows", step, seconds)

    def _compare(self, left: list[Step]) -> dict[str, Any]:
        exams = [s.work for s in self.steps if isinstance(s.work, Evaluate)]
        if self.field is None or self.settings is None or not exams or self.context.target is None:
            raise UsageError("compare: the recipe needs a target and the steps select, train and evaluate")
        without = leave_out(self.context, self.steps, left, type(self))
        self.context.watcher.started("compare")
        exam: Exam = target_exam(self.context, exams[0], self.exam_rows)
        student = student_folder(self.context)
        taught = teaching(self.context, self.settings, student)
        settings = self.settings.settings()
        return run_comparison(self.context, self.field, student, settings, exam, self.fingerprint, taught, without)
