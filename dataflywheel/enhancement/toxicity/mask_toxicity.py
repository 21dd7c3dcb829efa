"""Masking: the words that make a text toxic to the classifier give way to a mark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.enhancement.toxicity.changed import changed, said
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.rewritten import replaced, unchanged
from dataflywheel.rows.schema import Row
from dataflywheel.signals.safety.toxicity_classifier import ToxicityClassifier, pieces_of
from dataflywheel.signals.safety.toxicity_labels import ToxicityLabels

NOT_TOXIC = "not toxic"
STILL_TOXIC = "still toxic"
_WORD = re.compile(r"\S+")


class MaskToxicity(ToxicityLabels, Proposer):
    """Proposes each toxic row with as few words masked as bring every message, and its thoughts, below the threshold.

    A word weighs what the score falls without it; words are masked from the heaviest on. What stays toxic leaves the
    data set with its reason: a row that would lose more than `most` of a toxic message's words (`still toxic`), and
    one whose masked form a gate turns away, such as for a lost "not". The rejected answer of a preference pair is
    meant to be worse and stays. Whether a text still reads well is tested by the gate `fluent`, where it is named;
    most masks are not fluent.
    """

    version: ClassVar[int] = 2

    card: ClassVar[Card] = Card(
        title="ParaDetox: Detoxification with Parallel Data",
        authors="Logacheva et al.",
        year=2022,
        paper="10.18653/v1/2022.acl-long.469",
        category="enhancement",
        subcategory="toxicity",
        summary="Masks or deletes the words that make a text toxic to a classifier of the user's labels.",
        needs=("labels",),
        checked="planted words; beside copying and deleting a learned word list on human rewrites",
        pays="Many rows, labels of one's own, no model to ask, and readers for whom a mark in the text does no harm.",
        fails="What is toxic as a whole and not by a word stays toxic or leaves a gap that no longer reads well; then "
        "`rewrite_toxicity`, or hold the row apart by `quarantine`.",
        evidence="benchmarks/gates.md, 1,000 rows of paradetox: J 0.340, hardly above deleting a learned word list "
        "(0.334), below people (0.423), and far above copying (0.022).",
    )
    rewrites: ClassVar[bool] = True
    keeps_meaning: ClassVar[bool] = True
    gates: ClassVar[tuple[NamedGate, ...]] = ("meaning", "contamination")

    mask: str = "***"
    """What stands for a masked word; empty: words are deleted."""
    most: float = Field(default=0.3, gt=0, le=1)
    """Largest share of a message's words that may be masked."""
    drop: bool = True
    """Whether a row that stays toxic leaves the data set; `false` keeps it as it was, for a later step to rewrite."""

    def propose(self, demand: Demand) -> list[Proposal]:
        classifier = self.classifier()
        limit = classifier.threshold(self.false_positive_rate)
        texts = sorted({text for row in demand.seeds for text in said(row)})
        scores = classifier.scores(texts)
        toxic = [text for text, score in zip(texts, scores, strict=True) if score > limit]
        known = dict(zip(toxic, masked(toxic, classifier, limit, self.mask, self.most), strict=True))
        return [self._proposal(row, known) for row in demand.seeds]

    def _proposal(self, row: Row, known: dict[str, str | None]) -> Proposal:
        here = [text for text in said(row) if text in known]
        if not here:
            return unchanged(row, NOT_TOXIC)
        if any(known[text] is None for text in here):
            return unchanged(row, STILL_TOXIC, drop=self.drop)
        return replaced(row, changed(row, self.name, lambda text: known.get(text) or text), drop=self.drop)


def masked(
    texts: Sequence[str], classifier: ToxicityClassifier, limit: float, mask: str = "***", most: float = 0.3
) -> list[str | None]:
    """Each text with the fewest of its heaviest words masked that bring its score to `limit` or below; None where more
    than the share `most` of its words, or all of them, would be needed. A text that is not toxic stays."""
    spans = [[match.span() for match in _WORD.finditer(text)] for text in texts]
    without = [_without(text, one, {i}, "") for text, one in zip(texts, spans, strict=True) for i in range(len(one))]
    scores = iter(_worst(classifier, without))
    tried: list[str] = []
    for text, one in zip(texts, spans, strict=True):
        fallen = [next(scores) for _ in one]
        order = sorted(range(len(one)), key=lambda i: (fallen[i], i))
        tried += [_without(text, one, set(order[:n]), mask) for n in range(_allowed(len(one), most) + 1)]
    found = iter(zip(tried, _worst(classifier, tried), strict=True))
    kept = [[next(found) for _ in range(_allowed(len(one), most) + 1)] for one in spans]
    return [next((text for text, score in one if score <= limit and text.strip()), None) for one in kept]


def _allowed(words: int, most: float) -> int:
    return max(1, int(most * words)) if words else 0


def _without(text: str, spans: Sequence[tuple[int, int]], places: set[int], mask: str) -> str:
    """The text with the words at these places masked; with an empty mask a word goes with the space before it."""
    pieces, done = [], 0
    for i in sorted(places):
        start, end = spans[i]
        pieces += [text[done:start] if mask else text[done:start].rstrip(" "), mask]
        done = end
    joined = "".join([*pieces, text[done:]])
    return joined if mask else joined.strip(" ")


def _worst(classifier: ToxicityClassifier, texts: Sequence[str]) -> list[float]:
    """Scores; 0 where nothing is left that could be read."""
    return [
        float(score) if pieces_of(text) else 0.0 for text, score in zip(texts, classifier.scores(texts), strict=True)
    ]
