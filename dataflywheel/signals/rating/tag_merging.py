"""Which tags mean the same: by spelling, by nearness of their vectors, by always standing together; and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray
from dataflywheel.signals.rating.instag import spelling

NOT_PLURAL = ("ss", "us", "is", "ics", "ews")
BLOCK = 1024


@dataclass(frozen=True)
class TagTable:
    """Where every tag goes: parallel lists, by falling number of rows, then by name."""

    tags: list[str]
    rows: list[int]
    """Rows that hold the tag as it was."""
    merged_into: list[str | None]
    """The tag that stands for it at the end, itself where nothing happened; None where it was dropped."""
    reason: list[str]

    def apply(self, tags: Sequence[str]) -> list[str]:
        """A row's tags after merging, each once, in order."""
        into = self._into
        return list(dict.fromkeys(new for tag in tags if (new := into.get(tag)) is not None))

    @property
    def _into(self) -> dict[str, str | None]:
        return dict(zip(self.tags, self.merged_into, strict=True))

    def table(self) -> pa.Table:
        """For export: columns tag, rows, merged_into, reason."""
        columns = {"tag": self.tags, "rows": self.rows, "merged_into": self.merged_into, "reason": self.reason}
        return pa.table(columns)


def merge_tags(
    rows: Sequence[Sequence[str]],
    min_rows: int = 1,
    vectors: Mapping[str, AnyArray] | None = None,
    nearness: float = 0.9,
    confidence: float = 0.99,
    support: int = 20,
) -> TagTable:
    """Merge the tags of all rows, in this order: rare forms into common ones, near ones, companions; drop the rare.

    1. Tags of one spelling up to the plural of their last word merge into the most frequent of them.
    2. With `vectors` (unit length, by tag): a tag goes to the most frequent tag whose cosine is `nearness` or more.
    3. A tag that stands beside another in at least `support` rows and a share `confidence` of its own merges into it.
    4. What then stands in fewer than `min_rows` rows is dropped.

    InsTag clusters vectors with DBSCAN and mines associations with FP-Growth; going to the most frequent near tag gives
    every merge one reason that can be read, and chains no tags together that are far apart.
    """
    merging = _Merging([list(dict.fromkeys(row)) for row in rows])
    merging.by_spelling()
    if vectors:
        merging.by_vectors(vectors, nearness)
    merging.by_company(confidence, support)
    merging.drop_rare(min_rows)
    return merging.result()


class _Merging:
    """Steps over the rows' tags; each one sees what the step before left."""

    def __init__(self, rows: list[list[str]]) -> None:
        self.rows = rows
        self.first = Counter(tag for row in rows for tag in row)
        self.into: dict[str, str | None] = {tag: tag for tag in self.first}
        self.why = dict.fromkeys(self.first, "kept")

    def counts(self) -> dict[str, int]:
        """Rows of each tag that is left, most frequent first, then by name."""
        found = Counter(tag for row in self.rows for tag in row)
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def move(self, moves: Mapping[str, tuple[str | None, str]]) -> None:
        """Replace tags in all rows; what had come to a tag moves on with it."""
        if not moves:
            return
        for tag, now in self.into.items():
            if now is not None and now in moves:
                self.into[tag], reason = moves[now]
                self.why[tag] = reason if tag == now else f"{self.why[tag]}; then {reason}"
        moved = [[moves[tag][0] if tag in moves else tag for tag in row] for row in self.rows]
        self.rows = [list(dict.fromkeys(tag for tag in row if tag is not None)) for row in moved]

    def by_spelling(self) -> None:
        leader: dict[str, str] = {}
        moves: dict[str, tuple[str | None, str]] = {}
        for tag in self.counts():
            first = leader.setdefault(singular(spelling(tag)), tag)
            if first != tag:
                moves[tag] = first, f"another spelling of {first!r}"
        self.move(moves)

    def by_vectors(self, vectors: Mapping[str, AnyArray], nearness: float) -> None:
        order = [tag for tag in self.counts() if tag in vectors]
        if not order:
            return
        matrix = np.stack([np.asarray(vectors[tag], dtype=np.float32) for tag in order])
        leaders: list[int] = []
        moves: dict[str, tuple[str | None, str]] = {}
        for i, tag in enumerate(order):
            cosine = matrix[leaders] @ matrix[i] if leaders else np.zeros(0)
            near = np.flatnonzero(cosine >= nearness)
            if len(near):  # leaders stand in the order of their frequency
                moves[tag] = order[leaders[near[0]]], f"near {order[leaders[near[0]]]!r} (cosine {cosine[near[0]]:.2f})"
            else:
                leaders.append(i)
        self.move(moves)

    def by_company(self, confidence: float, support: int) -> None:
        counts = self.counts()
        common = {tag for tag, count in counts.items() if count >= support}
        beside: Counter[tuple[str, str]] = Counter()
        for row in self.rows:
            kept = [tag for tag in row if tag in common]
            beside.update((a, b) for a in kept for b in kept if a != b)
        rank = {tag: i for i, tag in enumerate(counts)}
        moves: dict[str, tuple[str | None, str]] = {}
        for a, b in sorted(beside, key=lambda pair: (rank[pair[0]], rank[pair[1]])):
            share = beside[a, b] / counts[a]
            # Into the more frequent one only, and never into one that itself has gone: no circles, no chains.
            if beside[a, b] >= support and share >= confidence and rank[b] < rank[a] and not {a, b} & moves.keys():
                moves[a] = b, f"{share:.0%} of its {counts[a]} rows have {b!r} as well"
        self.move(moves)

    def drop_rare(self, min_rows: int) -> None:
        rare = {tag: n for tag, n in self.counts().items() if n < min_rows}
        self.move({tag: (None, f"dropped: in {n} of at least {min_rows} rows") for tag, n in rare.items()})

    def result(self) -> TagTable:
        order = sorted(self.first, key=lambda tag: (-self.first[tag], tag))
        return TagTable(
            order, [self.first[t] for t in order], [self.into[t] for t in order], [self.why[t] for t in order]
        )


def singular(tag: str) -> str:
    """The tag with its last word in the singular, by the regular endings of English.

    >>> singular("short stories"), singular("math problems"), singular("physics"), singular("class")
    ('short story', 'math problem', 'physics', 'class')
    """
    if len(tag) < 4 or not tag.endswith("s") or tag.endswith(NOT_PLURAL):
        return tag
    if tag.endswith("ies") and len(tag) > 4:
        return tag[:-3] + "y"
    return tag[:-2] if tag.endswith(("sses", "xes", "ches", "shes")) else tag[:-1]
