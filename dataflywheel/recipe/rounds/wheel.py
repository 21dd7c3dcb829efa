"""Rounds: choose and write rows, train, evaluate, keep or take back, and share out the next budget by what was seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dataflywheel.evolution.feedback.score_files import read_scores
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.inputs.ingest import write_tiers
from dataflywheel.recipe.result import Result
from dataflywheel.recipe.rounds.accumulate import offer
from dataflywheel.recipe.rounds.judge_scores import judge_alarms
from dataflywheel.recipe.rounds.round import Kept, Memory, Round
from dataflywheel.recipe.rounds.round_outcome import (
    drifted,
    judged,
    recorded,
    round_result,
    varied,
    vocabulary,
    why_stop,
)
from dataflywheel.recipe.rounds.round_plan import RoundPlan, round_plan, slices_in_reach
from dataflywheel.recipe.rounds.seal_wheel import seal
from dataflywheel.recipe.steps.step import Step
from dataflywheel.recipe.walk import Walk
from dataflywheel.rows.parts import PartWriter, count_rows
from dataflywheel.selection.spec import TOKENS, row_tokens
from dataflywheel.store.atomic import atomic_directory, write_json


class Wheel(Walk):
    """A recipe with rounds: its cleaning is done once, all other steps in every round.

    Every round trains anew from the base model on all rows that were kept. The target is divided: the steering tier
    moves budgets, the select tier decides what is kept, the sealed one is looked at once, at the end.
    """

    memory: Memory | None = None
    """What the rounds so far left, once the cleaning is done."""

    def titles(self) -> list[str]:
        cleaning = [step.title for step in self.steps if not step.every_round]
        rounds = range(1, self.context.recipe.rounds + 1)
        return cleaning + [replace(step, round=round).title for round in rounds for step in self.round_steps()]

    def round_steps(self) -> list[Step]:
        return [step for step in self.steps if step.every_round]

    def fold(self, result: Result) -> list[Path]:
        done: list[Path] = []
        for step in (s for s in self.steps if not s.every_round):
            if not self.attempt(step, result):
                return done
            done.append(self.output(step))
        tiers = {str(tier): rows for tier, rows in write_tiers(self.context).items()}
        looked_at = {tier: rows for tier, rows in tiers.items() if tier != "sealed"}
        self.memory = Memory(self.state.rows, tiers["sealed"], done)
        self.state = replace(self.state, seeds=self.state.rows, tiers=looked_at)
        for round in range(1, self.context.recipe.rounds + 1):
            if not self._round(self.memory, round, result):
                break
        if self.memory.kept is not None:
            self.state = replace(self.state, rows=self.memory.kept.rows)
        return done

    def _round(self, memory: Memory, round: int, result: Result) -> bool:
        """One round; False where it was the last one."""
        budget = self._budget(memory, round, offered := self._offered(memory, round))
        write_json(self.folder(round) / "budget.json", budget.as_dict())
        now = Round(self, memory, round, budget)
        self.state = replace(self.state, rows=self._start(round, offered))
        for step in self.round_steps():
            if budget.steps.get(step.place) == 0 and not step.waits(round):  # what waits says so
                kept = self.state.rows if step.writes else self.nothing(round)
                self.state = replace(self.state, rows=kept)
                continue
            one = budget.applied(step, round)
            if one.role == "train":
                now.gather(one)
            if not self.attempt(one, result):
                return False
            memory.done.append(self.output(one))
            now.took(one)
        return self._close(memory, now, result)

    def _close(self, memory: Memory, now: Round, result: Result) -> bool:
        """Judge the round, remember what the policies learn of it, and say whether another one is worth it."""
        recipe, last, round = self.context.recipe, now.last, now.round
        assert self.state.model is not None
        assert self.state.scoring is not None
        metric, guards = recipe.target[0].metric, recipe.guards
        scores = {t: read_scores(self.output(last) / f"scores-{t}.parquet") for t in ("steer", "select")}
        best = memory.kept
        judgement = judged(best.scores if best else None, scores, metric, guards)
        memory.first_new = now.new if round == 1 else memory.first_new
        if round > 1:
            judgement.measures = varied(memory.first_new, now.new, guards)
            judgement.drift = drifted(memory.first_new, now.new, recipe.seed)
        before = best.scores["steer"] if best else None
        words = vocabulary(self.state.model)
        outcome = round_result(scores["steer"], before, metric, self.state.scoring, now.spends, words)
        memory.history.append(replace(outcome, rows=now.adds, usd=now.paid(), kept=judgement.kept))
        memory.selected.append(scores["select"])
        judgement.judge = judge_alarms(memory.judge_scores, memory.selected, metric)
        if judgement.kept:
            rows = self.folder(round) / now.mixed.folder / "rows"
            memory.kept = Kept(rows, self.state.model, scores)
            self.state = replace(self.state, earlier=rows)
        self.state = replace(self.state, steered=self.output(last) / "scores-steer.parquet")
        self.context = replace(self.context, trained=memory.kept.model if memory.kept else None)
        record = recorded(round, judgement, outcome, now.budget, now.mixed, memory.judge_scores[-1])
        more = round < recipe.rounds
        stop = why_stop(memory.selected, metric, guards, judgement.stops) if more else ""
        record.model_copy(update={"stopped": stop}).write(self.folder(round))
        self.context.watcher.finished(f"round {round}", judgement.told(stop), False)
        result.rounds, result.ended = round, stop
        return more and not stop

    def _offered(self, memory: Memory, round: int) -> Path:
        """What the round may choose from; in the first one all cleaned rows."""
        if round == 1:
            return memory.prepared
        output = self.context.run.step(0, "offer", round)
        known = digest(self.state.fingerprint, "offer", *sorted(memory.used))
        if self.context.run.finished(output, known, tell=True) is None:
            offer(self.context, memory.prepared, memory.used, output, known)
        self.state = replace(self.state, fingerprint=known)
        memory.done.append(output)
        return output / "rows"

    def _start(self, round: int, offered: Path) -> Path:
        """What the round's first step gets: rows to choose from; where nothing chooses, all rows once, then none."""
        if round == 1 or any(step.brings and not step.writes for step in self.steps):
            return offered
        return self.nothing(round)

    def nothing(self, round: int) -> Path:
        empty = self.folder(round) / "nothing"
        with atomic_directory(empty) as aside, PartWriter(aside):
            pass
        return empty

    def _budget(self, memory: Memory, round: int, offered: Path) -> RoundPlan:
        lengths = self.context.measured(memory.prepared, TOKENS, f"round {round}")
        steps = self.round_steps()
        reach = slices_in_reach(self.context, self.state, steps, offered) if memory.history else {}
        rows, tokens = count_rows(memory.prepared), int(row_tokens(lengths).sum())
        return round_plan(self.context.recipe, steps, memory.history, round, reach, rows, tokens, len(memory.used))

    def sealed(self) -> Path | None:
        return None if self.memory is None else self.memory.sealed

    def close(self, result: Result) -> None:
        ended = self.memory is not None and self.memory.kept is not None and not result.stopped
        if self.memory is not None and ended:  # the sealed tier is looked at once, when the last round is over
            self.state = seal(self.context, self.state, self.memory, result)
        super().close(result)

    def folder(self, round: int) -> Path:
        return self.context.run.path / f"round-{round}"
