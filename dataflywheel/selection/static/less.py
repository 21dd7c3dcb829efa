"""LESS: the rows whose next training step would lower the target's loss most."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, Selection, Selector
from dataflywheel.selection.order import SLICE, best_first, counts, eligible, target_rows

VECTOR, LENGTH = "gradient_projection.vector", "text.tokens_answer"
BLOCK = 4096
"""Rows whose vectors are held in float32 at once."""


class LESS(Selector):
    """Rows by descending influence: the largest, over the target's slices, of the mean over its rows of the inner
    product of vectors.

    A pool row's vector is Adam's step for it and a target row's its plain gradient, each the mean cosine's part of
    every checkpoint (see the signal). Gradients of a mean over tokens shrink with length, so the rank correlation of
    influence with the answer's length is reported.
    """

    card: ClassVar[Card] = Card(
        title="LESS: Selecting Influential Data for Targeted Instruction Tuning",
        authors="Xia et al.",
        year=2024,
        paper="2402.04333",
        category="selection",
        subcategory="static",
        summary="Keeps the rows whose training gradient points where the target's loss falls.",
        needs=("model", "target"),
        cost="$$$",
        checked="brute force; one of four planted skills found; whole gradients without a projection",
        pays="A target that says what is wanted, a mixed pool of some ten thousand rows, and a budget for backward "
        "passes over all of them.",
        fails="On large pools it cost most and fell behind random choice in 2503.01807: begin with `bm25`, `dsir` or "
        "`rds_plus`, and pay for it where it beats them.",
        evidence="Here (`benchmarks/selection.md`), bits per byte better than random rows: gsm8k +0.581 [+0.541, "
        "+0.621], the best, pubmedqa +0.090 [+0.078, +0.102], behind `dsir` and `bm25`; 390 processor seconds on gsm8k "
        "beside 2 of `dsir`.",
    )
    targeted: ClassVar[bool] = True

    def needs(self) -> tuple[str, ...]:
        return (VECTOR, LENGTH)

    def target_parameters(self) -> dict[str, dict[str, Any]]:
        return {"gradient_projection": {"direction": "gradient"}}

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        target, queries = target_rows(self.name, columns, VECTOR)
        rows = eligible(columns, *self.needs())
        slices = target.values.get(SLICE)
        labels = np.array([""] * len(queries) if slices is None else slices[queries], dtype=str)
        names = sorted(set(labels.tolist()))
        means = np.stack([target[VECTOR][queries[labels == name]].mean(axis=0, dtype=np.float32) for name in names])
        by_slice = products(columns[VECTOR], rows, means)
        score = by_slice.max(axis=1, initial=-np.inf)
        order = best_first(rows, score)
        notes = counts(columns, rows, VECTOR) | {"queries": len(queries)}
        notes["nearest_slice"] = {
            name: int(count)
            for name, count in zip(
                names, np.bincount(by_slice[order[:budget]].argmax(axis=1), minlength=len(names)), strict=True
            )
        }
        if len(set(score.tolist())) > 1:
            notes["length_correlation"] = rank_correlation(score, columns[LENGTH][rows])
        return Selection(rows[order], score[order], "influence on the target", notes=notes)


def products(vectors: AnyArray, rows: AnyArray, means: FloatArray) -> FloatArray:
    """Inner products (m, s) of the vectors of `rows` (m,) with the slices' means (s, d), in bounded blocks."""
    found = np.empty((len(rows), len(means)), dtype=np.float32)
    for start in range(0, len(rows), BLOCK):
        found[start : start + BLOCK] = vectors[rows[start : start + BLOCK]].astype(np.float32) @ means.T
    return found


def rank_correlation(a: AnyArray, b: AnyArray) -> float | None:
    """Spearman's rank correlation; None where either does not vary."""
    from scipy.stats import spearmanr

    if len(set(a.tolist())) < 2 or len(set(b.tolist())) < 2:
        return None
    return round(float(spearmanr(a, b).statistic), 4)
