"""BM25: the pool's rows that share the rarest words with the evaluation rows."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, FlywheelError, Selection, Selector
from dataflywheel.selection.order import SLICE, Rejected, counts, eligible, target_rows
from dataflywheel.selection.taking_turns import Takers, WhenTaken, best_of, groups_of, take_turns, told
from dataflywheel.signals.words.term_weights import Words, weighted

TEXT = "row.text"


class BM25(Selector):
    """Takers choose their best row by BM25 in turn, until the budget is filled.

    An evaluation row is the query and the pool's rows are the documents. The score is the sum over the query's words of
    `log(1 + (n - d + 0.5) / (d + 0.5)) * f (k1 + 1) / (f + k1 (1 - b + b length / mean length))`, f being how often the
    row has the word and d how many of the n rows have it, divided by the number of the query's words, so that a slice's
    long rows do not speak for all of it. Words are those of `deduplicate`, in any script, in lower case. With several
    slices each slice is a taker, as good to a row as the best of its evaluation rows; with one, every
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
        pays="A target with words of its own (a profession, a product, a kind of exercise) and a mixed pool; it needs "
        "no model.",
        fails="Rows that say the same in other words or another language are not found: take `rds_plus` with "
        "`embedding.vector` for those.",
        evidence="Here (`benchmarks/selection.md`), bits per byte better than random rows: gsm8k +0.569 [+0.543, "
        "+0.595], pubmedqa +0.142 [+0.128, +0.156]; 2410.16208 too has it ahead of perplexity and LESS at small and "
        "medium compute.",
    )
    version: ClassVar[int] = 2
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
        return (TEXT,)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        target, queries = target_rows(self.name, columns, TEXT)
        asked = Words.of(target[TEXT])
        queries = queries[asked.number[queries] > 0]
        if not len(queries):
            raise FlywheelError(f"{self.name}: no row of the target has a word")
        rows = eligible(columns, TEXT)
        notes, said = counts(columns, rows, TEXT), Words.of(columns[TEXT][rows])
        silent, rows, said = rows[said.number == 0], rows[said.number > 0], said.spoken()
        names, groups = groups_of(self.takers, target.values.get(SLICE), queries)
        vocabulary = np.unique(asked.words)
        pool = weighted(said.counted(vocabulary), said.number, self.k1, self.b)
        shares = asked.shares(vocabulary)

        def likeness(members: AnyArray) -> FloatArray:
            product: FloatArray = (pool @ shares[members].toarray().T).T
            return product

        def scores(start: int, stop: int) -> FloatArray:
            return best_of(groups[start:stop], likeness, len(rows), len(vocabulary))

        order, gain, by = take_turns(scores, len(groups), len(rows), budget, self.when_taken == "lose_turn")
        notes |= told(names, groups, by)
        notes["rejected"] = {int(row): Rejected("it has no word") for row in silent}
        return Selection(rows[order], gain, "BM25 for a word of the best target row", notes=notes)
