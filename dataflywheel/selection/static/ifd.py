"""Instruction-following difficulty: how much the prompt helps a model to predict the answer."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, Selection, Selector
from dataflywheel.selection.order import Rejected, best_first, counts, eligible


def difficulty(given: AnyArray, alone: AnyArray, ratio: Literal["loss", "perplexity"]) -> FloatArray:
    """Loss ratio `given / alone`, or perplexity ratio `exp(given - alone)`; NaN where it is not finite.

    Args:
        given: mean loss of the answer given the prompt, nats a token, shape (n,).
        alone: mean loss of the answer without the prompt, shape (n,).

    >>> difficulty(np.array([1.0]), np.array([2.0]), "loss"), difficulty(np.array([1.0]), np.array([2.0]), "perplexity")
    (array([0.5]), array([0.36787944]))
    """
    given, alone = given.astype(np.float64), alone.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        value = given / alone if ratio == "loss" else np.exp(given - alone)
    return np.where(np.isfinite(value), value, np.nan)


class IFD(Selector):
    """Rows by descending difficulty ratio; a ratio above 1 means that the prompt hinders, so the pair is misaligned.

    The two papers rank differently: Cherry divides losses, Superfiltering (2402.00530) perplexities. Cherry's scorer
    first learns a thousand rows, some of each cluster (its "brief experience"): here that is another recipe before,
    with `select` and `train`, whose model is named as the `scorer`. A built-in scorer has learned the whole pool that
    it scores, so that its losses tell rows from each other and not from what it never saw.
    """

    card: ClassVar[Card] = Card(
        title="From Quantity to Quality: Boosting LLM Performance with Self-Guided Data Selection "
        "for Instruction Tuning",
        authors="Li et al.",
        year=2023,
        paper="2308.12032",
        category="selection",
        subcategory="static",
        summary="Keeps the rows whose prompt helps least, but helps, to predict the answer.",
        needs=("model",),
        cost="$",
        checked="both ratios computed by hand; above 1, zero loss and failed rows each leave with their own reason",
        pays="Machine-written instruction pools without a target, to drop pairs whose prompt hinders and keep a tenth; "
        "two passes a row of a small scorer.",
        fails="A high ratio is also odd or wordy answers: with a target take `dsir` or `rds_plus`, without one put "
        "`random` and `length_matched_random` beside it.",
        evidence="Here (`benchmarks/selection.md`), bits per byte better than random rows: gsm8k -0.090 [-0.153, "
        "-0.026], which is worse, pubmedqa +0.059 [+0.043, +0.076]; in 2410.09335 rarely significant on large pools.",
    )

    ratio: Literal["loss", "perplexity"] = "loss"
    """`loss` as in Cherry LLM, `perplexity` as in Superfiltering."""
    signal: str = "likelihood"
    """The likelihoods that it reads: those of the scorer, or a name that the recipe gave to others, such as `lately` in
    `signals: {lately: {likelihood: {of: trained}}}`, the model in training."""

    def needs(self) -> tuple[str, ...]:
        return (f"{self.signal}.loss_answer_given_prompt", f"{self.signal}.loss_answer")

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        given, alone = self.needs()
        rows = eligible(columns, given, alone)
        value = difficulty(columns[given][rows], columns[alone][rows], self.ratio)
        rejected = {int(row): Rejected("ifd not measured: the ratio is not finite") for row in rows[np.isnan(value)]}
        for i in np.flatnonzero(value > 1):
            rejected[int(rows[i])] = Rejected("ifd above 1", score=float(value[i]))
        fit = value <= 1
        notes = counts(columns, rows, given) | {"above_one": int((value > 1).sum()), "rejected": rejected}
        rows, value = rows[fit], value[fit]
        order = best_first(rows, value)
        return Selection(rows[order], value[order], f"difficulty ({self.ratio} ratio)", notes=notes)
