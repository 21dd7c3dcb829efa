"""What a round of a wheel was worth: kept or taken back, whether to go on, and what the policies learn of it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dataflywheel.contracts import RoundResult
from dataflywheel.enhancement.distribution.drift_of_files import drift_of_files
from dataflywheel.evolution.feedback.evaluate import Evaluate, RowScores
from dataflywheel.evolution.feedback.paired import improvement
from dataflywheel.evolution.feedback.slice_results import slice_results
from dataflywheel.evolution.iteration.diversity import FEWEST, Diversity, alarms, collapsed, diversity
from dataflywheel.evolution.iteration.protected import Protected, protect
from dataflywheel.evolution.iteration.stopping import Stopping
from dataflywheel.recipe.rounds.judge_scores import JudgeScores
from dataflywheel.recipe.rounds.round_plan import RoundPlan
from dataflywheel.recipe.sections import Guards
from dataflywheel.rows.parts import count_rows, read_rows
from dataflywheel.rows.text import texts
from dataflywheel.store.round_record import (
    DriftRecord,
    Measure,
    RoundBudget,
    RoundRecord,
    SliceRecord,
    Trained,
)
from dataflywheel.store.scoreboard import ValueInterval

DRIFT_ROWS = 1_000
"""Rows of each round that are compared: more make no test clearer that matters, and take longer."""
Scores = Mapping[str, RowScores]
"""By tier."""


@dataclass
class Judgement:
    """A round's verdict. `reasons` are sentences."""

    kept: bool
    reasons: list[str]
    change: ValueInterval | None
    """Against the best round so far, on the select tier."""
    measures: list[Measure] = field(default_factory=list)
    judge: Sequence[str] = ()
    """What is to be said of the judge whose scores chose what the model learns from."""
    drift: list[DriftRecord] = field(default_factory=list)

    @property
    def alarms(self) -> list[str]:
        return [*alarms(self.measures), *self.judge]

    @property
    def stops(self) -> list[str]:
        """The alarms that end a wheel: a judge's, and those of diversity where several measures say it."""
        return [*collapsed(self.measures), *self.judge]

    def told(self, stop: str) -> str:
        """The round's line; `stop`: why it is the last one."""
        said = [self.reasons[0], *([stop] if stop else self.alarms)]
        return f"{'kept' if self.kept else 'taken back'}: {'; '.join(said)}"


def judged(best: Scores | None, now: Scores, metric: str, guards: Guards) -> Judgement:
    """Whether the round stays: it does not where the select tier came out worse, or a protected slice did."""
    if best is None:
        return Judgement(True, ["the first round"], None)
    change = improvement(best["select"], now["select"], metric)
    told = f"{change.value:+.4g} [{change.low:+.4g}, {change.high:+.4g}] over {change.n} rows of the select tier"
    there = {str(name) for name in now["select"].slices}
    margins = dict.fromkeys((name for name in guards.protected if name in there), guards.margin)
    protection = protect(best["select"], now["select"], metric, Protected(slices=margins))
    reasons = [
        f"{name} is protected and has no row in the select tier" for name in guards.protected if name not in there
    ]
    reasons += protection.reasons.values()
    state = "worse than" if change.high < 0 else "better than" if change.low > 0 else "level with"
    told = f"{state} the best round so far: {told}"
    return Judgement(not (change.value < 0 or protection.roll_back), [told, *reasons], change)


def varied(first: Path, now: Path, guards: Guards) -> list[Measure]:
    """Diversity of a round's new rows beside that of the first round's; nothing where there are too few to tell."""
    one, other = (texts(read_rows(rows, ["messages"])["messages"]) for rows in (first, now))
    if min(len(one), len(other)) < FEWEST:
        return []
    return diversity(one, other, Diversity(drop=guards.diversity_drop))


def drifted(first: Path, now: Path, seed: int) -> list[DriftRecord]:
    """Whether a round's new rows are as long, and have the same tags, as those of the first round; nothing where there
    are too few rows to tell."""
    if min(count_rows(first), count_rows(now)) < FEWEST:
        return []
    found = drift_of_files(str(first), str(now), sample=DRIFT_ROWS, seed=seed)
    return [DriftRecord(**asdict(one)) for one in found]


def vocabulary(model: Path) -> int:
    """Tokens that a model folder knows."""
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    return int(config.get("vocab_size") or config["text_config"]["vocab_size"])


def why_stop(select: Sequence[RowScores], metric: str, guards: Guards, found: Sequence[str]) -> str:
    """A plain sentence, or "" where another round is worth its budget."""
    stopping = Stopping(patience=guards.patience, minimum_gain=guards.minimum_gain)
    return stopping.why(select, metric, alarms=found)


def round_result(
    steer: RowScores,
    before: RowScores | None,
    metric: str,
    settings: Evaluate,
    spent: Mapping[str, float],
    vocabulary: int,
) -> RoundResult:
    """What the policies see: the steering tier by slice, what was added by each step, and the gain."""
    slices = slice_results(steer, metric, settings, math.log(vocabulary))
    gain = improvement(before, steer, metric).value if before is not None else 0.0
    return RoundResult(slices, spent, gain)


def recorded(
    round: int, judgement: Judgement, result: RoundResult, budget: RoundPlan, mixed: Trained, marked: JudgeScores
) -> RoundRecord:
    """The round as it is written; why it was the last one is added when that is known."""
    return RoundRecord(
        round=round,
        budget=RoundBudget.model_validate(budget.as_dict()),
        kept=judgement.kept,
        reasons=judgement.reasons,
        change=judgement.change,
        slices=[SliceRecord(**asdict(one)) for one in result.slices],
        spent=dict(result.spent),
        gain=result.gain,
        rows=mixed,
        diversity=judgement.measures,
        drift=judgement.drift,
        judge=marked.record(),
        alarms=judgement.alarms,
    )
