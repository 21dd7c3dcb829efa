"""What came of a round of a wheel, as it is kept in its `turn.json`: written and read by these classes alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Self

import orjson
from pydantic import Field

from dataflywheel.store.atomic import finite, write_json
from dataflywheel.store.run import natural
from dataflywheel.store.scoreboard import Kept, Number, ValueInterval

FILE = "turn.json"


class Shares(Kept):
    """What a policy gave: rows by slice or by step, and why."""

    amounts: dict[str, int] = {}
    reasons: dict[str, str] = {}


class RoundBudget(Kept):
    """Rows (or tokens) of each step, by its place, and of each slice of a step."""

    steps: dict[str, int] = {}
    slices: dict[str, dict[str, int]] = {}
    arms: Shares | None = None
    by_slice: Shares | None = None

    def of_slices(self) -> dict[str, int]:
        """Rows of each slice over all steps.

        >>> RoundBudget(slices={"02-select": {"a": 3, "b": 1}, "03-generate": {"a": 2}}).of_slices()
        {'a': 5, 'b': 1}
        """
        found: dict[str, int] = {}
        for amounts in self.slices.values():
            for name, amount in amounts.items():
                found[name] = found.get(name, 0) + amount
        return found


class SliceRecord(Kept):
    """How the model does on one slice, in the metric and as a share of what can be had."""

    name: str = ""
    value: Number = math.nan
    low: Number = math.nan
    high: Number = math.nan
    n: int = 0
    success: Number = math.nan


class Trained(Kept):
    """What the round was trained on: where it lies, how many rows, and how many of them no model or rule wrote."""

    folder: str = ""
    rows: int | None = None
    real: int = 0
    made: int = 0
    real_share: Number | None = None


class Measure(Kept):
    """One measure of the round's new rows beside the first round's, each the mean over samples of equal size."""

    name: str
    now: Number = math.nan
    first: Number = math.nan
    low: Number = math.nan
    """Lower end of what samples of the first round show, 99.7 %."""
    alarm: str = ""
    """In a sentence, or ""."""
    change: Number = math.nan
    """Relative to the first round; NaN where that is 0."""

    @classmethod
    def of(cls, name: str, now: float, first: float, low: float, alarm: str) -> Self:
        return cls(name=name, now=now, first=first, low=low, alarm=alarm, change=now / first - 1 if first else math.nan)


class DriftRecord(Kept):
    """One test of whether the round's new rows are as the first round's: the distance, and how often a random split of
    the same rows is as far apart, by itself and with all tests of the round together."""

    column: str
    test: str
    statistic: Number = math.nan
    p: Number = math.nan
    adjusted: Number = math.nan
    before: int = 0
    after: int = 0


class JudgedRecord(Kept):
    """What a judge gave the answers that were accepted, in the mean, and how long they are in characters."""

    answers: int = 0
    score: Number = math.nan
    length: Number = math.nan


class RoundRecord(Kept):
    """One round: its budget, whether it stayed and why, how good its model is, and what was learned from."""

    round: int = 0
    budget: RoundBudget = Field(default_factory=RoundBudget)
    kept: bool = False
    reasons: list[str] = []
    change: ValueInterval | None = None
    """By how much the round's model is better than the best one before; None of the first round."""
    slices: list[SliceRecord] = []
    """On the steering tier."""
    spent: dict[str, float] = {}
    """Thousands of tokens that each step added to what is trained on."""
    gain: Number = 0.0
    """Of the steering tier through this round."""
    rows: Trained = Field(default_factory=Trained)
    diversity: list[Measure] = []
    drift: list[DriftRecord] = []
    """Of its new rows against the first round's."""
    judge: JudgedRecord | None = None
    alarms: list[str] = []
    stopped: str = ""
    """Why it was the last one, "" where it was not or all rounds were turned."""

    def write(self, folder: Path) -> None:
        """Into the round's folder."""
        write_json(folder / FILE, finite(self.model_dump()))

    @classmethod
    def all(cls, run: Path) -> list[Self]:
        """Of all rounds of a run, the first one first.

        Raises:
            ValueError: a file holds something else.
        """
        paths = sorted(run.glob(f"round-*/{FILE}"), key=lambda path: natural(path.parent.name))
        return [cls.model_validate(orjson.loads(path.read_bytes())) for path in paths]
