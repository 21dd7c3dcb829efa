"""Necessary rows: what a model that has learned a few rows still answers badly, beside those few."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from dataflywheel.contracts import Card, Columns, Selection, Selector
from dataflywheel.selection.order import LEARNED, Rejected, best_first, counts, eligible, unmeasured
from dataflywheel.selection.static.k_center import greedy_k_center
from dataflywheel.selection.vectors import VectorColumn, vectors_of


class Necessary(Selector):
    """First the rows that the `warm_up` before has learned, then those that its model answers badly.

    `reward` is the worth of the model's own answers: `own_answer`, measured with `of: trained`. Other rows whose answer
    is worth less than `below` are necessary; of these k-center takes as many as the budget still holds, or they come
    by ascending reward. The rest is turned away, so that fewer rows than the budget may be kept.
    """

    card: ClassVar[Card] = Card(
        title="MoDS: Model-oriented Data Selection for Instruction Tuning",
        authors="Du et al.",
        year=2023,
        paper="2311.15653",
        category="selection",
        subcategory="static",
        summary="What a first model has learned, and the rows that it answers badly.",
        needs=("embedder", "model"),
        cost="$$",
        checked="an independent computation; rows without a reward, and rewards at the bound",
        pays="After a `warm_up` on some hundred rows, where its model does most of the pool right: the budget goes to "
        "what it does not.",
        fails="A row whose own answer is wrong looks necessary too: bound the reward of the rows' answers first, as "
        "`mods` does.",
    )

    reward: str = "own_answer.reward"
    """Column with the reward of the model's own answers."""
    below: float = 0.0
    """Rows whose reward is less are necessary."""
    vector: VectorColumn = "embedding.vector"
    """Column with the vectors that k-center covers; MoDS covers the prompts alone."""
    augment: Literal["k_center", "union"] = "k_center"
    """Which of the necessary rows come first: those that cover them, or those with the least reward. All are kept where
    the budget holds them."""

    def needs(self) -> tuple[str, ...]:
        return (LEARNED, self.vector, self.reward)

    def may_lack(self) -> tuple[str, ...]:
        """What was learned stays, whatever the model makes of it."""
        return (self.vector, self.reward)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = columns.by_id()
        known = columns[LEARNED].astype(bool)[rows]
        learned, others = rows[known], rows[~known]
        able = others[columns.ok(self.vector, self.reward)[others]]
        reward = columns[self.reward].astype(np.float64)
        bad = reward[able] < self.below
        needed, answered = able[bad], able[~bad]
        if self.augment == "k_center":
            vectors = vectors_of(columns, needed, self.vector)
            needed = needed[greedy_k_center(vectors, max(0, budget - len(learned)))[0]]
        else:
            needed = needed[best_first(needed, -reward[needed])]
        why = unmeasured(columns, (self.vector, self.reward))
        rejected = {int(row): Rejected(why[int(row)]) for row in np.setdiff1d(others, able)}
        rejected |= {int(row): Rejected("not necessary", score=0.0 - float(reward[row])) for row in answered}
        notes = {
            **counts(columns, eligible(columns, self.vector, self.reward), self.vector, self.reward),
            "learned": len(learned),
            "necessary": int(bad.sum()),
            "rejected": rejected,
        }
        gain = np.concatenate([np.full(len(learned), np.nan), 0.0 - reward[needed]])
        reason = ["learned in the warm-up"] * len(learned) + ["the model's own answer is worth little"] * len(needed)
        return Selection(np.concatenate([learned, needed]), gain, reason, notes=notes)
