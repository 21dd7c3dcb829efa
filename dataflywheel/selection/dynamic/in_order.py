"""Training in a given order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from dataflywheel.contracts import AnyArray, Card, Draw, Sampler, TrainingRows


class InOrder(Sampler):
    """Rows as they are given, first to last in every epoch: for curricula and orderings such as `delt_folding`."""

    card: ClassVar[Card] = Card(
        title="Rows in the given order",
        authors="",
        year=2025,
        paper="",
        category="selection",
        subcategory="dynamic",
        summary="Trains on the rows in the order in which they are given.",
        checked="the rows of every step, also in the last one of an epoch, which may be smaller",
        pays="Rows whose order means something: a curriculum by grade or length, or lessons that need earlier ones.",
        fails="Rows that are sorted by source or subject are learned and forgotten in turn: without a reason for an "
        "order let rows be shuffled.",
        evidence="Here (`benchmarks/dynamic.py`, told in `docs/how-to.md`): training in folded order was behind a "
        "shuffled one.",
    )
    follows_order: ClassVar[bool] = True

    def start(self, rows: TrainingRows, batch: int, seed: int) -> Draw:
        return _OrderDraw(len(rows.ids))


class _OrderDraw(Draw):
    def __init__(self, rows: int) -> None:
        self.rows, self.drawn = rows, 0

    def candidates(self, k: int) -> AnyArray:
        self.drawn += k
        return np.arange(self.drawn - k, self.drawn) % self.rows

    def state_dict(self) -> dict[str, Any]:
        return {"drawn": self.drawn}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.drawn = int(state["drawn"])
