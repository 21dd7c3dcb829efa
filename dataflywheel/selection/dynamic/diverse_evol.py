"""DiverseEvol: every round adds the rows that the model in training sees as farthest from all that it has learned."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from dataflywheel.contracts import Card, Columns, Selection, Selector
from dataflywheel.selection.order import counts, eligible, shuffled
from dataflywheel.selection.static.k_center import greedy_k_center
from dataflywheel.selection.vectors import VectorColumn, vectors_of

STATE = "hidden_state"
VECTOR = f"{STATE}.vector"


class DiverseEvol(Selector):
    """Greedy k-center in rounds: the rows that earlier rounds train on are centres from the start, and each pick is the
    row whose nearest centre is farthest, in Euclidean distance.

    The space is that of the model in training, the mean of its last layer's states over prompt and answer, measured
    anew in every round. The first round draws at random, and is measured by none. In a recipe: `rounds: 10`, `select:
    {by: diverse_evol, keep: 1100}`. Memory is that of the vectors: one distance a row is kept, to its nearest centre.
    """

    card: ClassVar[Card] = Card(
        title="Self-Evolved Diverse Data Sampling for Efficient Instruction Tuning",
        authors="Wu et al.",
        year=2023,
        paper="2311.08182",
        category="selection",
        subcategory="dynamic",
        summary="k-center in rounds, in the space of the model as the round before left it.",
        needs=("model",),
        cost="$$",
        checked="picks of the whole matrix of distances, grown by a column a pick; a wheel that covers planted regions",
        pays="About a thousand rows of a clean pool without a target, for a student that is trained in rounds anyway.",
        fails="What lies farthest is often broken, and each round costs a training and a pass over the pool: filter "
        "first, or take `k_center` over embeddings once.",
    )
    deterministic: ClassVar[bool] = False
    begins: ClassVar[str] = "random"

    vector: VectorColumn = VECTOR
    """Column of the vectors. That of another signal is taken as the recipe measures it: `signals: {last: {hidden_state:
    {of: trained, pooling: last}}}` gives `last.vector`."""

    def needs(self) -> tuple[str, ...]:
        return (self.vector,)

    def signal_parameters(self) -> dict[str, dict[str, Any]]:
        return {STATE: {"of": "trained", "pooling": "mean"}} if self.vector == VECTOR else {}

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows, before = eligible(columns, self.vector), columns.earlier
        centres = np.zeros(0, dtype=np.int64) if before is None else eligible(before, self.vector)
        notes = counts(columns, rows, self.vector) | {"centres": len(centres)}
        if before is None or not len(centres):
            order = shuffled(columns, rows, rng)
            return Selection(order, np.full(len(order), np.nan), "drawn at random, first of all", notes=notes)
        vectors, known = vectors_of(columns, rows, self.vector), vectors_of(before, centres, self.vector)
        order, distance = greedy_k_center(vectors, budget, known)
        reason = f"farthest from the {len(centres):,} rows of earlier rounds and those chosen before"
        return Selection(rows[order], distance, reason, notes=notes)
