"""BM25: the pool's rows that share the rarest words with the evaluation rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, Selection, Selector
from dataflywheel.selection.order import SLICE, counts, eligible, target_rows
from dataflywheel.selection.taking_turns import Takers, WhenTaken, best_of, groups_of, take_turns, told
from dataflywheel.signals.text.hashed_ngrams import BUCKETS

GRAMS = "hashed_ngrams.buckets"


class BM25(Selector):
    """Takers choose their best row by BM25 in turn, until the budget is filled.

    An evaluation row is the query and the pool's rows are the documents. The score is the sum over the query's words of
    `log(1 + (n - d + 0.5) / (d + 0.5)) * f (k1 + 1) / (f + k1 (1 - b + b length / mean length))`, f being how often the
    row has the word and d how many of the n rows have it, divided by the number of the query's words, so that a slice's
    long rows do not speak for all of it. Words are hashed into 10,000 buckets: two that share one count as one word.
    With several slices each slice is a taker, as good to a row as the best of its evaluation rows; with one, every
    evaluation row is a taker.
    """

    card: ClassVar[Card] = Card(
        title="Compute-Constrained Data Selection",
        authors="Yin and Rush",
        year=2024,
        paper="2410.16208",
        category="selection",
        subcategory="static",
        summary="Keeps the rows that share rare words with the target, by BM25, target by target.",
        needs=("target",),
        checked="scores computed word by word from the formula; turns by the naive algorithm; a planted subject",
    )
    targeted: ClassVar[bool] = True

    k1: float = Field(default=1.5, ge=0)
    """How much a word counts that a row repeats: with 0 no more than once."""
    b: float = Field(default=0.75, ge=0, le=1)
    """How much a row's length is held against it: 0 not at all."""
    takers: Takers = None
    """Who takes turns: each slice of the target or each of its rows. Not given: slices where there are several."""
    when_taken: WhenTaken = "lose_turn"
    """A taker whose next best row is gone already loses the turn, or takes the best row that is left."""

    def needs(self) -> tuple[str, ...]:
        return (GRAMS,)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        target, queries = target_rows(self.name, columns, GRAMS)
        rows = eligible(columns, GRAMS)
        names, groups = groups_of(self.takers, target.values.get(SLICE), queries)
        pool = weighted(word_counts(list(columns[GRAMS][rows])), self.k1, self.b) if len(rows) else None
        shares = word_shares(target[GRAMS], queries)

        def likeness(members: AnyArray) -> FloatArray:
            product: FloatArray = (pool @ shares[members].toarray().T).T
            return product

        def scores(start: int, stop: int) -> FloatArray:
            return best_of(groups[start:stop], likeness, len(rows), BUCKETS)

        order, gain, by = take_turns(scores, len(groups), len(rows), budget, self.when_taken == "lose_turn")
        notes = counts(columns, rows, GRAMS) | told(names, groups, by)
        return Selection(rows[order], gain, "BM25 for a word of the best target row", notes=notes)


def word_counts(values: Sequence[bytes | None]) -> Any:
    """How often each text has each bucket of its words, a sparse (n, buckets) matrix of float32; pairs are left out."""
    from scipy.sparse import csr_matrix

    found = [np.frombuffer(value or b"", dtype="<u2") for value in values]
    words = [one[: (len(one) + 1) // 2] for one in found]  # n words are followed by their n - 1 pairs
    ends = np.concatenate([[0], np.cumsum([len(one) for one in words])])
    at = np.concatenate([*words, np.zeros(0, dtype="<u2")]).astype(np.int32)
    counted = csr_matrix((np.ones(len(at), dtype=np.float32), at, ends), shape=(len(words), BUCKETS))
    counted.sum_duplicates()
    return counted


def weighted(counted: Any, k1: float, b: float) -> Any:
    """What each word of each row adds to the score of a query that has it once, in the place of the counts."""
    n, length = counted.shape[0], np.asarray(counted.sum(axis=1)).ravel()
    having = np.bincount(counted.indices, minlength=BUCKETS)
    rarity = np.log1p((n - having + 0.5) / (having + 0.5))
    burden = np.repeat(k1 * (1 - b + b * length / max(float(length.mean()), 1.0)), np.diff(counted.indptr))
    found = counted.copy()
    found.data = (rarity[counted.indices] * counted.data * (k1 + 1) / (counted.data + burden)).astype(np.float32)
    return found


def word_shares(values: AnyArray, usable: AnyArray) -> Any:
    """Each text's words as shares of their number, a sparse matrix of a row a text; of those not `usable`, nothing."""
    wanted = np.zeros(len(values), dtype=bool)
    wanted[usable] = True
    counted = word_counts([value if use else None for value, use in zip(values, wanted, strict=True)])
    words = np.asarray(counted.sum(axis=1)).ravel()
    counted.data /= np.repeat(np.maximum(words, 1), np.diff(counted.indptr))
    return counted
