"""Rounds: choose and write rows, train, evaluate, keep or take back, and share out the next budget by what was seen."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dataflywheel.contracts import Cost, RoundResult
from dataflywheel.evolution.feedback.evaluate import Evaluate, RowScores, summarise
from dataflywheel.evolution.feedback.score_files import read_scores, write_scores
from dataflywheel.evolution.feedback.tiers import SealedLooks
from dataflywheel.evolution.iteration.trial import examine
from dataflywheel.models.files import folder_digest
from dataflywheel.recipe.accumulate import accumulate, offer
from dataflywheel.recipe.arms import LENGTH, row_tokens
from dataflywheel.recipe.context import digest
from dataflywheel.recipe.ingest_step import target_exam, write_tiers
from dataflywheel.recipe.judge_marks import Marks, marks, of_the_judge
from dataflywheel.recipe.model_step import copy_model, evaluate_tiers
from dataflywheel.recipe.propose import Enhance, Generate
from dataflywheel.recipe.result import Result
from dataflywheel.recipe.slicing import slices_in_reach
from dataflywheel.recipe.steps import Step
from dataflywheel.recipe.training import Prefer, Train
from dataflywheel.recipe.turn_budget import TurnBudget, turn_budget, waits
from dataflywheel.recipe.turn_outcome import Scores, as_json, judged, round_result, varied, vocabulary, why_stop
from dataflywheel.recipe.turn_spent import spent
from dataflywheel.recipe.walk import Walk
from dataflywheel.rows.parts import PartWriter, count_rows, read_rows
from dataflywheel.selection.combine import Select
from dataflywheel.store.atomic import atomic_directory, finite, write_json
from dataflywheel.store.seal import write_sealed

TURNING = (Select, Enhance, Generate, Train, Prefer, Evaluate)


@dataclass
class Kept:
    """The best round so far."""

    rows: Path
    model: Path
    scores: Scores


class Wheel(Walk):
    """A recipe with rounds: its cleaning is done once, all other steps in every round.

    Every round trains anew from the base model on all rows that were kept. The target is divided: the steering tier
    moves budgets, the select tier decides what is kept, the sealed one is looked at once, at the end.
    """

    kept: Kept | None = None

    def _steps(self, result: Result) -> list[Path]:
        done: list[Path] = []
        for step in (s for s in self.steps if not isinstance(s.work, TURNING)):
            if not self._try(step, result):
                return done
            done.append(self._output(step))
        self.prepared = self.seeds = self.rows
        self.tiers = write_tiers(self.context)
        self.exam_rows = self.tiers["sealed"]
        self.history: list[RoundResult] = []
        self.selected: list[RowScores] = []
        self.marks: list[Marks] = []
        self.used: set[str] = set()
        self.first_new = self.rows
        for round in range(1, self.context.recipe.rounds + 1):
            if not self._turn(round, done, result):
                break
        if self.kept is not None:
            self.rows = self.kept.rows
        return done

    def _titles(self) -> list[str]:
        turning = [step for step in self.steps if isinstance(step.work, TURNING)]
        rounds = range(1, self.context.recipe.rounds + 1)
        cleaning = [step.title for step in self.steps if step not in turning]
        return cleaning + [replace(step, round=round).title for round in rounds for step in turning]

    def _turn(self, round: int, done: list[Path], result: Result) -> bool:
        """One round; False where it was the last one."""
        budget = self._budget(round, offered := self._offered(round, done))
        write_json(self._folder(round) / "budget.json", budget.as_dict())
        brought: list[Step] = []
        self.rows = self._start(round, offered)
        for step in (s for s in self.steps if isinstance(s.work, TURNING)):
            if budget.steps.get(step.place) == 0 and not waits(step, round):  # what waits says so
                self.rows = self._nothing(round) if isinstance(step.work, Select) else self.rows
                continue
            one = budget.applied(step, round)
            if isinstance(one.work, Train):
                new = self.rows
                mixed = self._accumulated(one, new, done)
                spends = self._spent(brought, new, done)
                written = self._outputs(round, (Enhance, Generate), done)
                self.marks.append(marks([rows.parent / "proposals.parquet" for rows in written]))
            if not self._try(one, result):
                return False
            done.append(self._output(one))
            brought += [one] if isinstance(one.work, Select | Generate) else []
        return self._close(round, one, new, mixed, budget, spends, result)

    def _close(
        self,
        round: int,
        last: Step,
        new: Path,
        mixed: dict[str, Any],
        budget: TurnBudget,
        spends: dict[str, float],
        result: Result,
    ) -> bool:
        """Judge the round, remember what the policies learn of it, and say whether another one is worth it."""
        settings, guards = last.work, self.context.recipe.guards
        assert isinstance(settings, Evaluate)
        assert self.model is not None
        metric = self.context.recipe.target[0].metric
        scores = {t: read_scores(self._output(last) / f"scores-{t}.parquet") for t in ("steer", "select")}
        self.steered = self._output(last) / "scores-steer.parquet"
        best = self.kept
        judgement = judged(best.scores if best else None, scores, metric, guards)
        self.first_new = new if round == 1 else self.first_new
        judgement.measures = varied(self.first_new, new, guards) if round > 1 else []
        before = best.scores["steer"] if best else None
        outcome = round_result(scores["steer"], before, metric, settings, spends, vocabulary(self.model))
        self.history.append(outcome)
        self.selected.append(scores["select"])
        judgement.judge = of_the_judge(self.marks, self.selected, metric)
        if judgement.kept:
            self.kept = Kept(self._folder(round) / mixed["folder"] / "rows", self.model, scores)
            self.earlier = self.kept.rows
        self.context.trained = self.kept.model if self.kept else None
        said = {"round": round, **as_json(judgement, outcome, budget.as_dict(), mixed, self.marks[-1])}
        more = round < self.context.recipe.rounds
        stop = why_stop(self.selected, metric, guards, judgement.stops) if more else ""
        write_json(self._folder(round) / "turn.json", finite({**said, "stopped": stop}))
        self.context.watcher.finished(f"round {round}", judgement.told(stop), False)
        result.rounds, result.ended = round, stop
        return more and not stop

    def _offered(self, round: int, done: list[Path]) -> Path:
        """What the round may choose from; in the first one all cleaned rows."""
        if round == 1:
            return self.prepared
        output = self.context.run.step(0, "offer", round)
        known = digest(self.fingerprint, "offer", *sorted(self.used))
        if self.context.run.finished(output, known, tell=True) is None:
            offer(self.context, self.prepared, self.used, output, known)
        self.fingerprint = known
        done.append(output)
        return output / "rows"

    def _start(self, round: int, offered: Path) -> Path:
        """What the round's first step gets: rows to choose from; where nothing chooses, all rows once, then none."""
        if round == 1 or any(isinstance(step.work, Select) for step in self.steps):
            return offered
        return self._nothing(round)

    def _nothing(self, round: int) -> Path:
        empty = self._folder(round) / "nothing"
        with atomic_directory(empty) as aside, PartWriter(aside):
            pass
        return empty

    def _budget(self, round: int, offered: Path) -> TurnBudget:
        lengths = self.context.measured(self.prepared, LENGTH, f"round {round}")
        tokens = int(row_tokens(lengths).sum())
        steps = [step for step in self.steps if isinstance(step.work, TURNING)]
        there = slices_in_reach(self.context, steps, offered, self.prepared, self._student()) if self.history else {}
        rows = count_rows(self.prepared)
        return turn_budget(self.context.recipe, steps, self.history, round, there, rows, tokens, len(self.used))

    def _accumulated(self, train: Step, new: Path, done: list[Path]) -> dict[str, Any]:
        """Add the round's rows to those that were kept; they become what is trained on."""
        output = self.context.run.step(train.index, "accumulate", train.round)
        earlier = self.kept.rows if self.kept else None
        before = earlier.relative_to(self.context.run.path) if earlier else ""
        known = digest(self.fingerprint, "accumulate@2", self.context.recipe.guards.model_dump_json(), before)
        metrics = self.context.run.finished(output, known, tell=True)
        if metrics is None:
            written = self._outputs(train.round, (Enhance, Generate), done)
            metrics = accumulate(self.context, earlier, new, train.round, output, known, written)
        self.context.run.bill(output, Cost(**metrics["cost"]))
        for rows in self._outputs(train.round, (Select,), done):  # what it chose, before anything rewrote it
            self.used.update(read_rows(rows, ["id"])["id"].to_pylist())
        self.fingerprint, self.rows = known, output / "rows"
        done.append(output)
        return {"folder": output.name, "rows": metrics["rows_out"], **metrics["details"]}

    def _outputs(self, round: int, kinds: tuple[type, ...], done: list[Path]) -> list[Path]:
        """Rows as steps of these kinds left them in the round: what an earlier run left of others does not count."""
        steps = (replace(step, round=round) for step in self.steps if isinstance(step.work, kinds))
        return [output / "rows" for output in map(self._output, steps) if output in done]

    def _spent(self, brought: list[Step], new: Path, done: list[Path]) -> dict[str, float]:
        """Thousands of tokens that each step added to the training set."""
        found = self.context.measured(self.rows, LENGTH, "accumulate")
        tokens = dict(zip(found.ids, row_tokens(found).tolist(), strict=True))
        chosen = [step.place for step in brought if isinstance(step.work, Select)]
        made = {step.place: self._added(step) for step in brought if isinstance(step.work, Generate)}
        written = self._outputs(brought[0].round, (Enhance, Generate), done) if brought else []
        return spent(tokens, new, written, made, chosen[-1] if chosen else "")

    def _added(self, step: Step) -> set[str]:
        metrics = json.loads((self._output(step) / "metrics.json").read_text(encoding="utf-8"))
        return set(metrics["details"]["added"])

    def _work(self, step: Step, output: Path, fingerprint: str) -> dict[str, Any]:
        if isinstance(step.work, Evaluate):
            assert self.model is not None
            tiers: dict[str, Path] = {tier: path for tier, path in self.tiers.items() if tier != "sealed"}
            return evaluate_tiers(self.context, step.work, self.model, output, fingerprint, tiers)
        return super()._work(step, output, fingerprint)

    def _close_rows(self, result: Result) -> None:
        self._seal(result)
        super()._close_rows(result)

    def _seal(self, result: Result) -> None:
        """Look at the sealed tier with the model of the best round, once, and count the look."""
        if self.kept is None:
            return
        settings = next(s.work for s in self.steps if isinstance(s.work, Evaluate))
        result.model = self.context.run.path / "models" / "student"
        if not result.model.is_dir() or folder_digest(result.model) != folder_digest(self.kept.model):
            copy_model(self.kept.model, result.model)
        model, output = folder_digest(result.model), self.context.run.path / "sealed"
        release = digest(self.context.recipe.model_dump_json(), self.context.target_digest, self.fingerprint)
        known = digest("sealed@1", release, model)
        metrics = self.context.run.finished(output, known, tell=True)
        if metrics is None:
            SealedLooks(self.context.run.path / "sealed-looks.json").look(release, model, "the wheel's result")
            exam = target_exam(self.context, settings, self.tiers["sealed"])
            scores = examine(result.model, exam)
            metrics = finite({"fingerprint": known, **summarise(scores, exam.metric, settings)})
            with atomic_directory(output) as aside:
                write_scores(aside / "scores.parquet", scores)
                write_sealed(aside, metrics)
        result.evaluation = {name: value for name, value in metrics.items() if name != "fingerprint"}
        if self.field is not None:
            select = next(s for s in self.steps if isinstance(s.work, Select))
            label = f"the wheel, {result.rounds} rounds"
            self.field = replace(self.field, before=self.prepared, trained=self.kept.rows, step=select, label=label)

    def _folder(self, round: int) -> Path:
        return self.context.run.path / f"round-{round}"
