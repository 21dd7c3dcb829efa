"""DSIR: rows drawn so that their words are distributed as the target's."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, Selection, Selector, UsageError
from dataflywheel.selection.order import best_first, counts, eligible
from dataflywheel.signals.text.hashed_ngrams import bucket_counts

GRAMS = "hashed_ngrams.buckets"
FLOOR = 1e-8


class DSIR(Selector):
    """Draws rows without replacement with probability proportional to target probability over pool probability.

    Both are bags of hashed n-grams: `log w = sum_b count_b (log p_target(b) - log p_pool(b))`, and the draw is Gumbel
    top-k on `log w`. With `pseudo_count: 0`, `weight: sum` and the signal's `hash: sha256`, weights are those of the
    authors' package without its minimum length. `gain` is `log w`.
    """

    card: ClassVar[Card] = Card(
        title="Data Selection for Language Models via Importance Resampling",
        authors="Xie et al.",
        year=2023,
        paper="2302.03169",
        category="selection",
        subcategory="static",
        summary="Importance resampling: draws rows whose words and word pairs are likelier in the target.",
        needs=("target",),
        checked="weights bit for bit as in the data-selection package 1.0.3; divergence to the target below random's",
        pays="A target of tens of rows or more and a mixed pool of up to millions: no model, a processor's second or "
        "two for ten thousand rows.",
        fails="It matches words and not worth, so that junk that sounds like the target is drawn: clean before it, and "
        "see `bm25` beside it.",
        evidence="Here (`benchmarks/selection.md`), bits per byte better than random rows: gsm8k +0.568 [+0.522, "
        "+0.615], pubmedqa +0.150 [+0.130, +0.169], the best there; a million rows take 78 processor seconds and 2,575 "
        "MB (`benchmarks/scale.md`).",
    )
    deterministic: ClassVar[bool] = False
    targeted: ClassVar[bool] = True

    weight: Literal["sum", "mean"] = "mean"
    """`sum` favours long rows where they are like the target, and short ones where nothing is; `mean` takes the mean
    over a row's n-grams, times the pool's mean number of them, so that length has no say."""
    pseudo_count: float = Field(default=0.1, ge=0)
    """N-grams a bucket, spread as in the pool, that are added to the target's. An n-gram that the target lacks then
    counts against a row, and does not decide on it: with 0 it costs 9 nats or so."""
    noise: float = Field(default=1.0, ge=0)
    """Scale of the Gumbel noise: 1 is the draw described above, 0 takes the rows of greatest weight."""

    def needs(self) -> tuple[str, ...]:
        return (GRAMS,)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = eligible(columns, GRAMS)
        if not len(rows):
            return Selection(rows, np.zeros(0), "", notes=counts(columns, rows, GRAMS))
        values = columns[GRAMS][rows]
        ratio = log_ratio(self._target(columns), bucket_counts(list(values)), self.pseudo_count)
        log_weight, size = log_weights(values, ratio)
        if self.weight == "mean":
            log_weight = log_weight / size * size.mean()
        order = best_first(rows, log_weight + self.noise * rng.gumbel(size=len(rows)))
        reason = f"drawn by likeness to the target's n-grams ({self.weight})"
        return Selection(rows[order], log_weight[order], reason, notes=counts(columns, rows, GRAMS))

    def _target(self, columns: Columns) -> AnyArray:
        target = columns.target
        held = [] if target is None else [value for value in target[GRAMS][target.ok(GRAMS)] if value]
        if not held:
            raise UsageError("dsir: the target has no text to compare with; give evaluation rows under `target`")
        return bucket_counts(held)


def log_ratio(target: AnyArray, pool: AnyArray, pseudo_count: float = 0.0) -> FloatArray:
    """`log(p_target + 1e-8) - log(p_pool + 1e-8)` for each bucket, from counts (buckets,) each.

    >>> log_ratio(np.array([3, 1]), np.array([1, 1])).round(3).tolist()
    [0.405, -0.693]
    """
    pool_share = pool / pool.sum()
    added = pseudo_count * len(pool)
    share = (target + added * pool_share) / (target.sum() + added)
    ratio: FloatArray = np.log(share + FLOOR) - np.log(pool_share + FLOOR)
    return ratio


def log_weights(values: AnyArray, ratio: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Log importance weight and number of n-grams of each text (n,), from the signal's bytes.

    One dense product a row: summed in the order of buckets, the weights are those of the authors' package to the last
    bit.
    """
    weight, size = np.empty(len(values)), np.empty(len(values))
    for i, value in enumerate(values):
        grams = np.frombuffer(value, dtype="<u2")
        size[i] = len(grams)
        weight[i] = np.dot(ratio, np.bincount(grams, minlength=len(ratio)))
    return weight, size
