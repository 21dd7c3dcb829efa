"""What things cost, and the size of a pool before anything ran."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """An estimate or a bill.

    A pass is one row that a model reads forwards or learns backwards: a training counts every row once in each, as
    often as it is learned. Tokens are those that a model reads, each time that it does; of models that are asked, those
    that they write too. Seconds are those that went by, waiting included, over all attempts.
    """

    seconds: float = 0.0
    forward: int = 0
    backward: int = 0
    tokens: int = 0
    calls: int = 0
    usd: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, f) + getattr(other, f) for f in self.__dataclass_fields__))

    def as_dict(self) -> dict[str, float]:
        return {f: getattr(self, f) for f in self.__dataclass_fields__}


@dataclass(frozen=True)
class PoolStatistics:
    """What the planner knows of a pool before any step runs: counts over all rows."""

    rows: int
    chars: int
    tokens: int
    """An estimate: characters divided by 4 for text without whitespace tokens measured."""
    pairs: int = 0
    """Rows that hold a worse answer beside the good one."""
    labelled: int = 0
    """Rows without one whose label says whether their answer is wanted."""
    gaps: tuple[tuple[str, int], ...] = ()
    """Cells of tables that hold no value, by column, of columns that hold some."""
