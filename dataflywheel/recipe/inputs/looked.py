"""What the beginnings of a recipe's inputs say of them: sizes, what cannot be read, and the first rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dataflywheel.contracts import PoolStatistics
from dataflywheel.recipe.context import CHARS_PER_TOKEN
from dataflywheel.recipe.inputs.sources import inputs
from dataflywheel.recipe.sections import Source
from dataflywheel.rows.peek import look_into
from dataflywheel.rows.schema import Row


@dataclass(frozen=True)
class Looked:
    """What the beginnings of the inputs say: rows and characters of all, what lies beside them and is not read, with
    the reason, the first rows of every input that is not built in, and how many lines and records cannot be read, with
    the reason of the first."""

    size: PoolStatistics
    unread: list[tuple[str, str]]
    first: list[list[Row]]
    bad: int
    why: str


def statistics(sources: Sequence[Source]) -> PoolStatistics:
    """Rows and characters of the pool, from a look at the first rows of each file and its size."""
    return look(sources, 0).size


def look(sources: Sequence[Source], wanted: int) -> Looked:
    """Read the beginning of every input, once; `wanted` rows of each are kept for whoever checks rows."""
    entries = inputs(sources)
    looked = [look_into(entry, wanted) for entry in entries]
    found = [size for size, _ in looked]
    rows, chars = sum(f.rows for f in found), sum(f.chars for f in found)
    pairs, labelled = sum(f.pairs for f in found), sum(f.labelled for f in found)
    gaps: Counter[str] = Counter()
    for one in found:
        gaps.update(dict(one.gaps))
    size = PoolStatistics(rows, chars, chars // CHARS_PER_TOKEN, pairs, labelled, tuple(gaps.items()))
    unread = list(dict.fromkeys(entry for f in found for entry in f.unread))
    why = next((f.why for f in found if f.why), "")
    return Looked(size, unread, [first for _, first in looked], sum(f.bad for f in found), why)
