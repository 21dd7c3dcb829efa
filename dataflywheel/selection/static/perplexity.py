"""Rows by their loss under a model: the hardest, the middling or the easiest."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from dataflywheel.contracts import Card, Columns, Selection, Selector
from dataflywheel.selection.order import best_first, counts, eligible

LOSS = "likelihood.loss_answer_given_prompt"


class Perplexity(Selector):
    """Rows by the mean loss (nats a token) of the answer given the prompt; the order of losses is that of perplexities.

    `middle` starts at the centre of the sorted list and works outwards, so that each budget is a prefix of the next.
    """

    card: ClassVar[Card] = Card(
        title="Compute-Constrained Data Selection",
        authors="Yin and Rush",
        year=2024,
        paper="2410.16208",
        category="selection",
        subcategory="static",
        summary="Keeps rows of the highest, middle or lowest perplexity under a model.",
        needs=("model",),
        cost="$",
        checked="order computed by hand for top, middle and low; rows without a finite loss are reported",
        pays="Pools without a target and a model to train that is at least five times the scorer, whose one pass a row "
        "is then cheap.",
        fails="`top` is mostly noise on a dirty pool and `low` what the model knows: at small budgets with a target "
        "take `bm25` or embeddings.",
        evidence="2410.16208: it pays from a trained model of five times the scorer on, and BM25 and embeddings beat "
        "it at small and medium compute; not measured here.",
    )

    keep: Literal["top", "middle", "low"] = "middle"
    """Which end of the sorted losses is kept; `top` is the highest loss, and on a dirty pool mostly noise."""

    def needs(self) -> tuple[str, ...]:
        return (LOSS,)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = eligible(columns, LOSS)
        loss = columns[LOSS][rows].astype(np.float64)
        order = best_first(rows, -loss if self.keep == "low" else loss)
        if self.keep == "middle":
            place = np.empty(len(rows))
            place[order] = np.arange(len(rows))
            order = best_first(rows, -np.abs(place - (len(rows) - 1) / 2))
        reason = {"top": "highest", "middle": "middle", "low": "lowest"}[self.keep]
        return Selection(rows[order], loss[order], f"{reason} perplexity", notes=counts(columns, rows, LOSS))
