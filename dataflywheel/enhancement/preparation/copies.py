"""Which rows are copies of which: the result that every duplicate search gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataflywheel.contracts import AnyArray


@dataclass(frozen=True)
class Copies:
    """The outcome of a keep-first search over n rows in order of preference.

    Row i is dropped exactly when some *kept* row before it is a copy of it. In a chain a ~ b ~ c where c is no copy of
    a, b goes and c stays: what c resembles is no longer there. Every dropped row is therefore a copy of a row that is
    kept, and no two kept rows are copies of each other.
    """

    kept: AnyArray
    """Mask (n,) of the rows that stay."""
    dropped: AnyArray
    """Positions (m,) of the rows that go, ascending."""
    copy_of: AnyArray
    """For each dropped row the position of the kept row that it is most similar to."""
    similarity: AnyArray
    """Similarity of each such pair (m,), float64."""

    @classmethod
    def of(cls, rows: int, candidates: AnyArray, original: AnyArray, similarity: AnyArray) -> Copies:
        """From the rows that were looked at: `original[k]` indexes `candidates`, and is -1 where that row stays."""
        gone = np.flatnonzero(original >= 0)
        order = gone[np.argsort(candidates[gone], kind="stable")]
        dropped = candidates[order]
        kept = np.ones(rows, dtype=bool)
        kept[dropped] = False
        return cls(kept, dropped, candidates[original[order]], similarity[order])

    @classmethod
    def none(cls, rows: int) -> Copies:
        nothing = np.zeros(0, dtype=np.int64)
        return cls(np.ones(rows, dtype=bool), nothing, nothing, np.zeros(0))
