"""Is a proposal more than a variant of a row that there is already?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, FloatArray
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.rows.parts import iter_batches
from dataflywheel.rows.text import Part, part_of, texts
from dataflywheel.signals.model.model_based import embed_texts
from dataflywheel.signals.words.rouge import RougeIndex, indexed
from dataflywheel.signals.words.shingles import word_hashes


@dataclass
class Known:
    """The rows that a proposal must differ from: the pool, then the accepted ones as they come."""

    wording: RougeIndex | None
    vectors: Vectors | None
    accepted: int = 0
    """How many of the accepted rows are in here."""


@dataclass
class Vectors:
    """Unit vectors of rows, in a block that grows by doubling."""

    block: FloatArray
    ids: list[str] = field(default_factory=list)

    def add(self, ids: Sequence[str], vectors: FloatArray) -> None:
        """Enter rows; one that could not be embedded (NaN) is near to nothing."""
        end = len(self.ids) + len(ids)
        if end > len(self.block):
            grown = np.zeros((max(end, 2 * len(self.block)), vectors.shape[1]), dtype=np.float32)
            grown[: len(self.ids)] = self.block[: len(self.ids)]
            self.block = grown
        self.block[len(self.ids) : end] = np.nan_to_num(vectors)
        self.ids += ids

    def nearest(self, vector: AnyArray, skip: str) -> tuple[str, float] | None:
        """The row with the largest cosine, and that; the row `skip` does not count."""
        if not self.ids:
            return None
        cosines = self.block[: len(self.ids)] @ vector
        if skip in self.ids:
            cosines[self.ids.index(skip)] = -np.inf
        best = int(cosines.argmax())
        return (self.ids[best], float(cosines[best])) if np.isfinite(cosines[best]) else None


class Novelty(Gate):
    """Rejects what is too near to a row of the pool, to an accepted row, or to an earlier proposal of the batch.

    ROUGE-L on words (case and punctuation aside) as in Self-Instruct, with equal decisions to comparing with every row,
    and the cosine of embeddings, which finds repeats in other words. A rewrite may be near to the row it replaces. Of
    two near proposals of one batch the later goes, whatever becomes of the earlier one in other gates. Of texts over
    8,192 words the first 8,192 are compared.
    """

    card: ClassVar[Card] = Card(
        title="Self-Instruct: Aligning Language Models with Self-Generated Instructions",
        authors="Wang et al.",
        year=2023,
        paper="2212.10560",
        category="proposing",
        subcategory="gates",
        summary="New rows differ from pool, accepted rows and each other by ROUGE-L, and by embeddings if wanted.",
        checked="equal decisions to the exhaustive comparison on real instructions, many times faster",
        pays="Generators that run long on few seeds: copies are found against the pool and all that was accepted, "
        "without a model.",
        fails="ROUGE-L does not see repeats in other words, and the cosine takes rows of one subject for repeats; on "
        "worked problems of one form compare `part: answer`, or spread by `attribute_grid`.",
        evidence="benchmarks/gates.md, alpaca_libre v1: ROUGE-L of 0.7 finds 0.998 of 848 marked rows at 0.040 false "
        "alarms, a cosine of 0.8 (static embedder) finds 0.842 at 0.193.",
    )
    alone: ClassVar[bool] = False

    version: ClassVar[int] = 2

    part: Part = "prompt"
    """What is compared."""
    rouge_l: float | None = Field(0.7, gt=0, le=1)
    """A row with a larger ROUGE-L F to a known one goes; null switches it off."""
    cosine: float | None = Field(None, gt=0, le=1)
    """The same by embeddings; null switches it off and needs no embedder."""
    embedder: EmbedderSpec = Field(default=EmbedderSpec(builtin="minilm"))
    """What the cosine is measured with."""

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        known = around.once(f"novelty:{self.digest()}", lambda: self.pool(around))
        self.catch_up(known, around)
        new = [part_of(p.row["messages"], self.part) if p.row is not None else "" for p in proposals]
        replaced = [p.before["id"] if p.before is not None else "" for p in proposals]
        checks = [PASSED] * len(proposals)
        if known.wording is not None:
            self.by_words(checks, known.wording, new, replaced)
        if known.vectors is not None:
            self.by_meaning(checks, known.vectors, new, replaced)
        return checks

    def by_words(self, checks: list[Check], known: RougeIndex, new: Sequence[str], replaced: Sequence[str]) -> None:
        batch = RougeIndex(known.threshold, known.rank)
        words, offsets = word_hashes(new)
        for i, (start, end) in enumerate(pairwise(offsets.tolist())):
            one = known.words(words[start:end])
            near = known.above(one, (replaced[i],) if replaced[i] else ()) or batch.above(one)
            if near is None:
                batch.add(f"proposal {i + 1} of its batch", one)
            else:
                detail = f"ROUGE-L {near[1]:.2f} to {near[0]}"
                checks[i] = Check(False, "too similar in words", detail, {"rouge_l": near[1]})

    def by_meaning(self, checks: list[Check], known: Vectors, new: Sequence[str], replaced: Sequence[str]) -> None:
        left = [i for i, check in enumerate(checks) if check.passed]
        if not left or self.cosine is None:
            return
        batch = Vectors(np.zeros((0, known.block.shape[1]), dtype=np.float32))
        vectors, _ = embed_texts(self.embedder, [new[i] for i in left])
        for i, vector in zip(left, vectors, strict=True):
            if np.isnan(vector).any():
                checks[i] = Check(False, "novelty unknown", "the text could not be embedded")
                continue
            found = [near for near in (known.nearest(vector, replaced[i]), batch.nearest(vector, "")) if near]
            id, cosine = max(found, key=lambda near: near[1], default=("", -1.0))
            facts = {"nearest_cosine": cosine} if found else {}
            if cosine > self.cosine:
                checks[i] = Check(False, "too similar in meaning", f"cosine {cosine:.2f} to {id}", facts)
            else:
                checks[i] = Check(True, facts=facts)
                batch.add([f"proposal {i + 1} of its batch"], vector[None])

    def pool(self, around: Surroundings) -> Known:
        ids: list[str] = []
        parts: list[str] = []
        if around.pool is not None:
            for rows in iter_batches(around.pool, ["id", "messages"]):
                ids += rows["id"].to_pylist()
                parts += texts(rows["messages"], self.part)
        wording = None if self.rouge_l is None else indexed(ids, *word_hashes(parts), self.rouge_l)
        vectors = None
        if self.cosine is not None:
            embedded, _ = embed_texts(self.embedder, parts)
            vectors = Vectors(np.zeros((0, embedded.shape[1]), dtype=np.float32))
            vectors.add(ids, embedded)
        return Known(wording, vectors)

    def catch_up(self, known: Known, around: Surroundings) -> None:
        """Enter the rows that were accepted since the last look."""
        rows = around.accepted[known.accepted :]
        if not rows:
            return
        ids, parts = [row["id"] for row in rows], [part_of(row["messages"], self.part) for row in rows]
        if known.wording is not None:
            words, offsets = word_hashes(parts)
            for id, (start, end) in zip(ids, pairwise(offsets.tolist()), strict=True):
                known.wording.add(id, known.wording.words(words[start:end]))
        if known.vectors is not None:
            known.vectors.add(ids, embed_texts(self.embedder, parts)[0])
        known.accepted = len(around.accepted)
