"""Tag coverage: rows with many tags first, each bringing a tag that was not there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Columns, Selection, Selector
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.selection.order import Rejected, best_first, counts, eligible
from dataflywheel.signals.model.model_based import embed_texts
from dataflywheel.signals.rating.tag_merging import merge_tags


class TagCoverage(Selector):
    """InsTag's complexity-first diverse sampling, over tags merged by spelling and company, and with an
    `embedder` by nearness (see `merge_tags`).

    Goes down the rows by number of tags and takes each that brings a tag not seen in this pass; when none is left
    that does, a new pass begins with nothing seen. Rows without a tag are turned away. `gain` is the number of tags
    that the row brought. The notes hold the merge table: where every tag that did not stay as it was has gone, in how
    many rows it was, and why.
    """

    card: ClassVar[Card] = Card(
        title="#InsTag: Instruction Tagging for Analyzing Supervised Fine-tuning of Large Language Models",
        authors="Lu et al.",
        year=2023,
        paper="2308.07074",
        category="selection",
        subcategory="static",
        summary="Takes rows with many tags first, each with a tag that no earlier row of the pass has.",
        needs=("endpoint",),
        cost="$",
        checked="an order computed by hand; covers more tags than random rows in 10 of 10 seeds",
        pays="Open questions of many intents, of which some thousand rows shall cover all, with the tags as the reason "
        "for each row.",
        fails="Spellings of one tag pass as new ones and long prompts have most tags: read the merge table in the "
        "notes, and name an `embedder`.",
        evidence="The paper: 6k rows gave MT-Bench 6.44 and 6.55 at 13 B; not measured here.",
    )

    tags: str = "instag.tags"
    """Column with a list of tags for each row; `row.tags` for those that came with the rows."""
    min_rows: int = Field(default=2, ge=1)
    """Tags of fewer rows are dropped: what one row alone has is mostly a spelling. The paper drops those under 20."""
    embedder: EmbedderSpec | None = None
    """What tags are embedded with, as the paper merges them: `minilm`, `static`, or a sentence-transformers folder. Not
    given: tags merge by spelling and company alone."""
    nearness: float = Field(default=0.9, gt=0, le=1)
    """Cosine from which on a tag goes to a more frequent one."""

    def needs(self) -> tuple[str, ...]:
        return (self.tags,)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = eligible(columns, self.tags)
        found = [list(tags) if tags is not None else [] for tags in columns[self.tags][rows]]
        table = merge_tags(found, self.min_rows, self._vectors(found), self.nearness)
        tags = [table.apply(row) for row in found]
        tagged = np.flatnonzero([bool(row) for row in tags])
        first = tagged[best_first(tagged, np.array([len(tags[i]) for i in tagged]))]
        order, gain = covering_order([tags[i] for i in first], budget)
        notes = counts(columns, rows, self.tags)
        why = "no tag" if self.min_rows == 1 else f"no tag that {self.min_rows} rows have"
        notes["rejected"] = {int(rows[i]): Rejected(why) for i, row in enumerate(tags) if not row}
        notes["tags"] = len({tag for row in tags for tag in row})
        moved = [line for line in table.table().to_pylist() if line["merged_into"] != line["tag"]]
        notes["merged"] = len(moved)
        notes["merge_table"] = moved
        return Selection(rows[first[order]], np.asarray(gain, dtype=np.float64), "brings a new tag", notes=notes)

    def _vectors(self, rows: Sequence[Sequence[str]]) -> dict[str, AnyArray] | None:
        """Unit vectors of all tags, by tag: no column holds them, since tags are known only once rows are tagged."""
        if self.embedder is None:
            return None
        tags = sorted({tag for row in rows for tag in row})
        vectors, _ = embed_texts(self.embedder, tags)
        return {tag: vector for tag, vector in zip(tags, vectors, strict=True) if np.isfinite(vector).all()}


def covering_order(tags: Sequence[Sequence[str]], budget: int) -> tuple[list[int], list[int]]:
    """Indices of rows in the order of the passes, at most `budget`, and how many new tags each brought.

    Rows without a tag never come.

    >>> covering_order([["a", "b"], ["a"], ["c"], ["b"]], 4)
    ([0, 2, 1, 3], [2, 1, 1, 1])
    """
    order: list[int] = []
    gain: list[int] = []
    left = list(range(len(tags)))
    while left and len(order) < budget:
        seen: set[str] = set()
        waiting = []
        for i in left:
            new = set(tags[i]) - seen
            if new and len(order) < budget:
                order.append(i)
                gain.append(len(new))
                seen |= new
            else:
                waiting.append(i)
        left = waiting if len(waiting) < len(left) else []
    return order, gain
