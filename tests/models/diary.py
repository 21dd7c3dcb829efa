"""A sampler that writes down what the trainer asks it and tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from dataflywheel.contracts import AnyArray, ChoosingDraw, Draw, FloatArray, Sampler, TrainingRows

PAGES: list[dict[str, Any]] = []
"""One entry a step of the last training."""


class Diary(Sampler):
    """Takes the hardest of `offered` candidates a batch, and writes down what it is told."""

    watches: ClassVar[bool] = True
    offered: int = 1
    step: int = 7

    def start(self, rows: TrainingRows, batch: int, seed: int) -> Draw:
        PAGES.clear()
        return DiaryDraw(rows, self)


class DiaryDraw(ChoosingDraw):
    def __init__(self, rows: TrainingRows, sampler: Diary) -> None:
        self.rows, self.sampler, self.drawn = rows, sampler, 0

    def candidates(self, k: int) -> AnyArray:
        found = (self.drawn + self.sampler.step * np.arange(k * self.sampler.offered)) % len(self.rows.ids)
        self.drawn += 1
        PAGES.append({"k": k, "offered": found, "chosen": found})
        return found

    def next_batch(self, positions: AnyArray, losses: FloatArray, k: int) -> AnyArray:
        chosen = positions[np.argsort(-losses, kind="stable")[:k]]
        PAGES[-1] |= {"losses": losses, "chosen": chosen}
        return chosen

    def observe(self, positions: AnyArray, losses: Sequence[FloatArray]) -> None:
        PAGES[-1] |= {"seen": positions, "told": [one.copy() for one in losses]}

    def state_dict(self) -> dict[str, Any]:
        return {"drawn": self.drawn}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.drawn = state["drawn"]
