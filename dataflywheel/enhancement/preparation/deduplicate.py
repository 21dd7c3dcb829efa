"""Drop copies: near-duplicates by their words, semantic duplicates by their embeddings."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from dataflywheel.contracts import AnyArray, Card, Cleaner, Columns, Decisions, Status, TargetView, Texts
from dataflywheel.enhancement.preparation.copies import Copies
from dataflywheel.enhancement.preparation.near_copies import shingles_by_text, verified_copies
from dataflywheel.enhancement.preparation.semantic_copies import semantic_duplicates
from dataflywheel.rows.text import Part

LENGTHS = {
    "all": ("text.chars_prompt", "text.chars_answer"),
    "prompt": ("text.chars_prompt",),
    "answer": ("text.chars_answer",),
}


class Deduplicate(Cleaner):
    """Keeps the best of all rows that are copies of each other, first by words, then by meaning among those left.

    A row is dropped only if it is a verified copy of a row that is kept, which its decision names together with the
    similarity; see `Copies` for what this means in chains. A row that has nothing to compare (no word, no embedding) is
    kept.
    """

    card: ClassVar[Card] = Card(
        title="SemDeDup: Data-efficient learning at web-scale through semantic deduplication",
        authors="Abbas et al.",
        year=2023,
        paper="2303.09540",
        category="enhancement",
        subcategory="preparation",
        summary="Near-duplicates by MinHash (Broder 1997) and true Jaccard, semantic ones by k-means cells and cosine.",
        checked="exact Jaccard and exact cosine over all pairs; datasketch, rensa and semhash",
        pays="Pools merged from several sources or scraped, before a model rates, rewrites or learns each copy again.",
        fails="Rows of one template that differ in a number or name alone are near copies and go too, and `semantic` "
        "merges questions that only sound alike: raise the bounds there.",
        evidence="benchmarks/results.md: of 50,000 rows all that were dropped are true copies (93.0 % for "
        "datasketch), and 198 of 200 planted copies were found.",
    )

    version: ClassVar[int] = 2

    near: float | None = Field(0.8, gt=0, le=1)
    """Jaccard similarity of word 3-grams from which two rows are copies; null switches the check off."""
    semantic: float | None = Field(None, gt=0, le=1)
    """Cosine of embeddings from which two rows are copies, for instance 0.95; null switches the check off."""
    part: Part = "all"
    """Text whose words are compared."""
    keep: str = "any"
    """Which of several copies stays: `any`, which is the one with the smallest id, in whatever order the rows came;
    `longest`; the column (`signal.column`) whose highest value does; or `first`, by which the order of rows decides."""

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        if self.near is None and self.semantic is None:
            raise ValueError("give near, semantic or both; with neither nothing would be dropped")
        if self.keep not in ("any", "first", "longest") and "." not in self.keep:
            raise ValueError(
                f"keep must be 'any', 'longest', 'first' or a column such as 'rating.quality', not {self.keep!r}"
            )
        return self

    @property
    def text(self) -> Part:  # type: ignore[override]  # which text the executor renders follows the parameter
        return self.part

    def needs(self) -> tuple[str, ...]:
        near = ("near_duplicate.signature",) if self.near is not None else ()
        semantic = ("embedding.vector",) if self.semantic is not None else ()
        return (*near, *semantic, *self._preferring())

    def signal_parameters(self) -> dict[str, dict[str, Any]]:
        return {"near_duplicate": {"part": self.part}}

    def _preferring(self) -> tuple[str, ...]:
        if self.keep in ("any", "first"):
            return ()
        return LENGTHS[self.part] if self.keep == "longest" else (self.keep,)

    def decide(self, columns: Columns, texts: Texts, target: TargetView | None) -> Decisions:
        order = self.preference(columns)
        fate: dict[int, tuple[str, int, float]] = {}
        if self.near is not None:
            found = verified_copies(
                columns["near_duplicate.signature"],
                measured(columns, "near_duplicate"),
                order,
                lambda places: shingles_by_text(columns.ids[order[places]], texts),
                self.near,
            )
            order = settle(fate, order, found, f"near-duplicate: Jaccard {{:.3f}} >= {self.near:g}")
        if self.semantic is not None:
            vectors = columns["embedding.vector"][order]
            vectors[~measured(columns, "embedding")[order]] = np.nan
            found = semantic_duplicates(vectors, self.semantic)
            settle(fate, order, found, f"semantic duplicate: cosine {{:.3f}} >= {self.semantic:g}")
        decisions = Decisions()
        kept = {"any": "no copy of another row", "first": "first of its kind"}.get(self.keep, "no copy of a better row")
        for i, id in enumerate(columns.ids.tolist()):
            if i in fate:
                reason, other, similarity = fate[i]
                decisions.add(id, "dropped", reason, str(columns.ids[other]), similarity)
            else:
                decisions.add(id, "kept", kept)
        return decisions

    def preference(self, columns: Columns) -> AnyArray:
        """Positions of all rows, the most worth keeping first; unmeasured rows come last, ties go to the smaller id."""
        if self.keep == "first":
            return np.arange(len(columns))
        if self.keep == "any":
            return columns.by_id()
        values = sum(np.asarray(columns[name], dtype=np.float64) for name in self._preferring())
        usable = np.logical_and.reduce([columns.ok(name) for name in self._preferring()])
        order = columns.by_id()
        return order[np.argsort(-np.where(usable, values, -np.inf)[order], kind="stable")]


def measured(columns: Columns, signal: str) -> AnyArray:
    status = columns.values.get(f"{signal}.status")
    return np.ones(len(columns), dtype=bool) if status is None else np.asarray(status) <= Status.TRUNCATED


def settle(fate: dict[int, tuple[str, int, float]], order: AnyArray, found: Copies, reason: str) -> AnyArray:
    """Enter what a search dropped, in positions of the pool; gives the order of the rows that are left."""
    for row, other, similarity in zip(order[found.dropped], order[found.copy_of], found.similarity, strict=True):
        fate[int(row)] = (reason.format(similarity), int(other), float(similarity))
    return order[found.kept]
