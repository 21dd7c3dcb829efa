"""RHO-loss: train on what is learnable, worth learning and not learnt yet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, ChoosingDraw, FloatArray, Sampler, TrainingRows, UsageError
from dataflywheel.selection.dynamic.passes import Passes


class RhoLoss(Sampler):
    """Out of a large batch, the rows whose loss is furthest above that of a reference model.

    The reference is trained on rows that are known to be good, such as a held-out part of the target; what it cannot
    predict either is noise, what the model already predicts is learnt. Candidates come in shuffled passes over the
    pool, so that a step costs 1 / `ratio` forward passes a row. Rows without a reference loss cannot be compared: they
    are never trained on, and counted as `without_reference`.
    """

    card: ClassVar[Card] = Card(
        title="Prioritized Training on Points that are Learnable, Worth Learning, and Not Yet Learnt",
        authors="Mindermann et al.",
        year=2022,
        paper="2206.07137",
        category="selection",
        subcategory="dynamic",
        summary="Trains each step on the rows whose loss is furthest above a reference model's.",
        needs=("model", "target"),
        cost="$$",
        checked="the choice by hand and in any order of rows; rows with swapped answers among clean ones, five seeds",
        pays="Pools with many wrong or swapped answers, and some hundred rows known to be good for the reference.",
        fails="A reference that has learned little calls everything noise, and rows of kinds that it never saw are "
        "passed over: for a clean pool leave it out, which saves its forward passes.",
        evidence="Here (`benchmarks/dynamic.py`, told in `docs/how-to.md`): where three answers in ten were swapped it "
        "met hardly any of them; what it gains on a clean pool was not measured.",
    )
    needs_reference: ClassVar[bool] = True

    ratio: float = Field(default=0.1, gt=0, le=1)
    """Rows trained on as a share of the candidates; 1 trains on all of them, as they come."""

    def start(self, rows: TrainingRows, batch: int, seed: int) -> ChoosingDraw:
        return _RhoDraw(rows, self.ratio, batch, seed)


class _RhoDraw(ChoosingDraw):
    def __init__(self, rows: TrainingRows, ratio: float, batch: int, seed: int) -> None:
        self.reference, self.ids, self.ratio = rows.reference_loss, np.asarray(rows.ids, dtype=str), ratio
        known = np.flatnonzero(np.isfinite(self.reference))
        if len(known) < batch:
            raise UsageError(
                f"rho_loss: {len(known)} of {len(self.ids)} rows have a reference loss, fewer than a batch of {batch}: "
                "measure the reference on the rows that are trained on"
            )
        self.passes = Passes(known, (seed,))

    def candidates(self, k: int) -> AnyArray:
        return self.passes.take_distinct(min(math.ceil(k / self.ratio), len(self.passes.positions)))

    def next_batch(self, positions: AnyArray, losses: FloatArray, k: int) -> AnyArray:
        return positions[np.lexsort((self.ids[positions], self.reference[positions] - losses))[:k]]

    def state_dict(self) -> dict[str, Any]:
        return {"drawn": self.passes.drawn}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.passes.drawn = int(state["drawn"])

    def summary(self) -> dict[str, Any]:
        return {"without_reference": len(self.ids) - len(self.passes.positions)}
