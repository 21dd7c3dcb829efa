"""What one round of a wheel brings, and what the rounds leave to each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dataflywheel.contracts import RoundResult
from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.rounds.accumulate import accumulate
from dataflywheel.recipe.rounds.judge_scores import JudgeScores, judge_scores_of
from dataflywheel.recipe.rounds.round_outcome import Scores
from dataflywheel.recipe.rounds.round_plan import RoundPlan
from dataflywheel.recipe.rounds.round_spent import spent
from dataflywheel.recipe.steps.step import Step
from dataflywheel.rows.parts import read_rows
from dataflywheel.selection.spec import TOKENS, row_tokens
from dataflywheel.store.record import StepRecord
from dataflywheel.store.round_record import Trained

if TYPE_CHECKING:
    from dataflywheel.recipe.walk import Walk


@dataclass(frozen=True)
class Kept:
    """The best round so far."""

    rows: Path
    model: Path
    scores: Scores


@dataclass
class Memory:
    """What the rounds so far leave to the next one."""

    prepared: Path
    """The cleaned rows."""
    sealed: Path
    """The part of the target that is looked at once, at the end."""
    done: list[Path]
    """Directories of the steps that are done."""
    first_new: Path = field(init=False)
    """The rows that the first round brought."""
    history: list[RoundResult] = field(default_factory=list)
    selected: list[RowScores] = field(default_factory=list)
    """Scores of the select tier, one a round."""
    judge_scores: list[JudgeScores] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    """Rows that a round has chosen: none chooses them again."""
    kept: Kept | None = None

    def __post_init__(self) -> None:
        self.first_new = self.prepared

    def outputs(self, walk: Walk, round: int, wanted: Callable[[Step], bool]) -> list[Path]:
        """Rows as the wanted steps left them in the round: what an earlier run left of others does not count."""
        steps = (replace(step, round=round) for step in walk.steps if wanted(step))
        return [output / "rows" for output in map(walk.output, steps) if output in self.done]


@dataclass
class Round:
    """One round: the steps that brought rows, and what was gathered of them when it came to training."""

    walk: Walk
    memory: Memory
    round: int
    budget: RoundPlan
    brought: list[Step] = field(default_factory=list)
    last: Step = field(init=False)
    """The step that was done last."""
    new: Path = field(init=False)
    """The rows of this round alone."""
    mixed: Trained = field(init=False)
    """What was trained on: those and the kept ones."""
    spends: dict[str, float] = field(init=False)
    """Thousands of tokens that each step added to it."""
    adds: dict[str, float] = field(init=False)
    """Rows that each step added to it."""

    def took(self, step: Step) -> None:
        """A step of the round is done."""
        self.last = step
        self.brought += [step] if step.brings else []

    def gather(self, train: Step) -> None:
        """All rows of the round are there: add them to those that were kept, which become what is trained on."""
        self.new = self.walk.state.rows
        written = self.memory.outputs(self.walk, self.round, writes)
        self.mixed = self._accumulated(train, written)
        self.spends, self.adds = self._spent(written)
        self.memory.judge_scores.append(judge_scores_of([rows.parent / "proposals.parquet" for rows in written]))

    def _accumulated(self, train: Step, written: list[Path]) -> Trained:
        walk, memory, context = self.walk, self.memory, self.walk.context
        output = context.run.step(train.index, "accumulate", train.round)
        earlier = memory.kept.rows if memory.kept else None
        before = earlier.relative_to(context.run.path) if earlier else ""
        known = digest(walk.state.fingerprint, "accumulate@2", context.recipe.guards.model_dump_json(), before)
        record = context.run.record(output, known, tell=True)
        if record is None:
            record = accumulate(context, earlier, self.new, train.round, output, known, written)
        context.run.bill(output, record.cost)
        for rows in memory.outputs(walk, train.round, chooses):  # what it chose, before anything rewrote it
            memory.used.update(read_rows(rows, ["id"])["id"].to_pylist())
        walk.state = replace(walk.state, fingerprint=known, rows=output / "rows")
        memory.done.append(output)
        return Trained(folder=output.name, rows=record.rows_out, **record.details)

    def paid(self) -> dict[str, float]:
        """Dollars of each step that writes, at what its answers cost when they were asked for: those that the store
        had count too, so that the same recipe and store give the same budgets."""
        written = {s.place: StepRecord.read(self.walk.output(s)).details for s in self.brought if writes(s)}
        return {place: float(details["funnel"]["usd"]) for place, details in written.items()}

    def _spent(self, written: list[Path]) -> tuple[dict[str, float], dict[str, float]]:
        found = self.walk.context.measured(self.walk.state.rows, TOKENS, "accumulate")
        tokens = dict(zip(found.ids, row_tokens(found).tolist(), strict=True))
        chosen = [step.place for step in self.brought if chooses(step)]
        made = {step.place: self._added(step) for step in self.brought if writes(step)}
        which = self.new, written if self.brought else [], made, chosen[-1] if chosen else ""
        return spent(tokens, *which), spent(dict.fromkeys(tokens, 1000), *which)

    def _added(self, step: Step) -> set[str]:
        return set(StepRecord.read(self.walk.output(step)).details["added"])


def writes(step: Step) -> bool:
    return step.writes


def chooses(step: Step) -> bool:
    """Whether it brings rows that were there before."""
    return step.brings and not step.writes
