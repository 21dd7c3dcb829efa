"""Is what a rewritten row says still what the row said?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.proposing.gates.invariants import INVARIANTS
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.text import Part, part_of
from dataflywheel.signals.model.model_based import embed_texts
from dataflywheel.signals.wording.sides import Sides

UNRELATED = 0.15
"""Cosine of two answers below which one is about something else; no revision by experts came below it."""
TOLD = 4
"""Words of an answer from which it is told by its embedding what it is about."""
LONGEST = 200_000
"""Characters of a text that invariants are looked for in."""


class Meaning(Gate):
    """Rejects a rewrite that changed what must stay: by invariants of the wording, and by a band of similarity.

    A conjunction: similarity alone ranks contradictions above entailments, since they share nearly all words. The
    reason names the stage that rejected. A new row (nothing is replaced) passes: it has nothing to keep.

    Denials are read in English and thirty other languages; scope in English, Chinese, Dutch, French, German, Italian,
    Japanese, Portuguese, Russian and Spanish; opposites and exchanged sides in English alone. A text in any other
    language is held by its numbers, names, code, links and the cosine: of what it denies nothing is known.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="Meaning-preservation gate: similarity band and invariants",
        authors="",
        year=2025,
        paper="",
        category="proposing",
        subcategory="gates",
        summary="Rewrites keep numbers, units, names, negation, scope, options, code, links and a band of similarity.",
        needs=("embedder",),
        checked="negations, numbers, names, units and options changed in 1,000 real rows; transforms that keep meaning",
        pays="Rewriters that must keep what a row says, since negations and exchanged numbers hardly move a cosine.",
        fails="Free paraphrase is often turned away, exchanged facts in other words pass, and outside the languages "
        "it reads denials are not held: use `additions: true` for revisions, or `answers_agree`.",
        evidence="benchmarks/gates.md: 0.994 of 342 exchanges of numbers and 0.922 of 245 reviews turned to the other "
        "label are rejected, but also 0.336 of 235 published transformations that keep the meaning.",
    )

    part: Part = "all"
    """What is compared: the prompt, the answer, or both."""
    additions: bool = False
    """Whether new numbers, names, code and links may come in, and sentences be written anew, as a revision does it.
    What stays of a sentence must still say the same; code, links and options may not be lost either way."""
    keep: tuple[Literal["code", "links", "options", "numbers", "units", "negation", "scope", "names"], ...] = (
        "code",
        "links",
        "options",
        "numbers",
        "units",
        "negation",
        "scope",
        "names",
    )
    """The invariants that are checked. `negation` holds opposites (`safe`, `unsafe`), and comparisons, which may
    be turned round whole ("Ann is taller than Ben", "Ben is shorter than Ann"); `scope` all and some, always and
    sometimes, must and may, before and after, at least and at most, only."""
    least: float | None = Field(0.5, ge=-1, le=1)
    """Cosine of embeddings below which the two say different things; null switches it off."""
    most: float | None = Field(None, ge=-1, le=1)
    """Cosine above which the rewrite changed nothing; null allows any small change."""
    embedder: EmbedderSpec = Field(default=EmbedderSpec(builtin="minilm"))
    """What similarity is measured with; not loaded where both bounds are null."""

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        pairs = [self.texts(p) for p in proposals]
        checks = [PASSED if pair is None else self.invariants(*pair) for pair in pairs]
        if self.least is None and self.most is None:
            return checks
        left = [i for i, pair in enumerate(pairs) if pair is not None and any(pair) and checks[i].passed]
        sides = [pairs[i] or ("", "") for i in left]
        if sides:
            cosines = self.cosines(sides)
            for i, cosine in zip(left, cosines, strict=True):
                checks[i] = self.band(cosine)
        if self.part == "all" and self.least is not None:
            self.look_at_answers(proposals, checks)
        return checks

    def look_at_answers(self, proposals: Sequence[Proposal], checks: list[Check]) -> None:
        """Turn away answers that have nothing to do with those they replace, which a long prompt in common hides."""
        alone = self.model_copy(update={"part": "answer"})
        pairs = {i: pair for i, p in enumerate(proposals) if checks[i].passed and (pair := alone.texts(p)) is not None}
        pairs = {i: p for i, p in pairs.items() if p[0] != p[1] and min(len(t.split()) for t in p) >= TOLD}
        if pairs:
            for i, cosine in zip(pairs, self.cosines(list(pairs.values())), strict=True):
                if cosine < UNRELATED:
                    checks[i] = Check(False, "too far in meaning", f"answers: cosine {cosine:.2f} < {UNRELATED:g}")

    def texts(self, proposal: Proposal) -> tuple[str, str] | None:
        """The part before and after; None where nothing is replaced."""
        if proposal.before is None or proposal.row is None:
            return None
        before, after = (part_of(row["messages"], self.part).strip() for row in (proposal.before, proposal.row))
        return before, after

    def invariants(self, before: str, after: str) -> Check:
        longest = max(len(before), len(after))
        if longest > LONGEST:
            return Check(False, "too long to compare", f"{longest:,} characters; {LONGEST:,} are compared at most")
        sides = Sides.of(before, after, self.additions)
        for name, broken in INVARIANTS.items():
            if name in self.keep:
                found = broken(sides)
                if found is not None:
                    return Check(False, *found)
        return PASSED

    def cosines(self, sides: Sequence[tuple[str, str]]) -> list[float]:
        """Of each text before with the one after; NaN where one could not be embedded."""
        vectors, _ = embed_texts(self.embedder, [text for pair in sides for text in pair])
        found: list[float] = np.einsum("nd,nd->n", vectors[::2], vectors[1::2]).astype(float).tolist()
        return found

    def band(self, cosine: float) -> Check:
        if np.isnan(cosine):
            return Check(False, "similarity unknown", "one of the texts could not be embedded")
        facts = {"cosine": cosine}
        if self.least is not None and cosine < self.least:
            return Check(False, "too far in meaning", f"cosine {cosine:.2f} < {self.least:g}", facts)
        if self.most is not None and cosine > self.most:
            return Check(False, "nothing changed", f"cosine {cosine:.2f} > {self.most:g}", facts)
        return Check(True, facts=facts)
