"""RDS+: the pool's rows nearest to the evaluation rows, as a language model's own states see both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, Selection, Selector
from dataflywheel.selection.order import SLICE, counts, eligible, target_rows
from dataflywheel.selection.taking_turns import Takers, WhenTaken, best_of, groups_of, take_turns, told
from dataflywheel.selection.vectors import VectorColumn, target_gradients, vectors_of


class RDSPlus(Selector):
    """Takers choose their nearest row by cosine in turn, until the budget is filled.

    With several slices each slice is a taker, as near to a row as the nearest of its evaluation rows is; with one,
    every evaluation row is a taker. The vectors are the signal `hidden_state` with its default pooling, the mean of the
    last layer weighted by position.
    """

    card: ClassVar[Card] = Card(
        title="Large-Scale Data Selection for Instruction Tuning",
        authors="Ivison et al.",
        year=2025,
        paper="2503.01807",
        category="selection",
        subcategory="static",
        summary="Keeps the rows whose position-weighted hidden states are nearest to the target's, target by target.",
        needs=("model", "target"),
        cost="$",
        checked="brute force on random cases; share of the right task families, and the loss on them after training, "
        "against random choice on P3",
        pays="A target of tens to hundreds of rows and a large mixed pool: one pass a row of a model, or of an "
        "embedder.",
        fails="Nearest to a target are its leaks, so `decontaminate` first; a scorer that knows little sees little: "
        "take `vector: embedding.vector` then.",
        evidence="Here (`benchmarks/selection.md`), bits per byte better than random rows: gsm8k +0.528 [+0.462, "
        "+0.595], pubmedqa +0.122 [+0.104, +0.140]; by embeddings +0.561 [+0.529, +0.594] and +0.141 [+0.126, +0.156].",
    )
    targeted: ClassVar[bool] = True

    vector: VectorColumn = "hidden_state.vector"
    """Column with the vectors; with `embedding.vector` it is the choice by embeddings that the paper compares with."""
    takers: Takers = None
    """Who takes turns: each slice of the target or each of its rows. Not given: slices where there are several."""
    when_taken: WhenTaken = "lose_turn"
    """A taker whose next best row is gone already loses the turn, as in the authors' code, or takes the best row that
    is left, as the paper reads."""

    def needs(self) -> tuple[str, ...]:
        return (self.vector,)

    def target_parameters(self) -> dict[str, dict[str, Any]]:
        return target_gradients()

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        target, queries = target_rows(self.name, columns, self.vector)
        rows = eligible(columns, self.vector)
        names, groups = groups_of(self.takers, target.values.get(SLICE), queries)
        pool = directions(vectors_of(columns, rows, self.vector))
        aims = directions(vectors_of(target, np.arange(len(target)), self.vector))

        def scores(start: int, stop: int) -> FloatArray:
            return nearest_of(pool, aims, groups[start:stop])

        order, gain, by = take_turns(scores, len(groups), len(rows), budget, self.when_taken == "lose_turn")
        notes = counts(columns, rows, self.vector) | told(names, groups, by)
        return Selection(rows[order], gain, "cosine with the nearest target row", notes=notes)


def directions(vectors: AnyArray) -> FloatArray:
    """Vectors (n, d) at unit length, float32; one of length zero stays zero, at right angles to all."""
    vectors = np.asarray(vectors, dtype=np.float32)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: FloatArray = vectors / np.where(length > 0, length, 1)
    return unit


def nearest_of(pool: FloatArray, aims: FloatArray, groups: Sequence[AnyArray]) -> FloatArray:
    """Each group's largest product of its rows of `aims` with every row of `pool`, (groups, n), in bounded blocks."""
    return best_of(groups, lambda members: np.asarray(aims[members] @ pool.T), len(pool))
