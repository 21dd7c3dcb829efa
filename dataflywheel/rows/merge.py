"""Which rows are copies of an earlier one: on ids alone, a share of them at a time, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.rows.buckets import HELD, Buckets

Array = np.ndarray[Any, np.dtype[Any]]
SHARE_BITS = 9
"""Equal ids meet in one of 512 shares, which these first bits tell; ids are digests, so shares are equally large. One
share holds `HELD` entries at 67 million different rows."""
KNOWN = np.dtype([("high", np.uint64), ("low", np.uint64), ("place", np.int64), ("copies", np.int64)])
COPY = np.iinfo(np.int64).min
"""In place of the copies of a row that is one of an earlier row."""
COUNTED = np.dtype([("place", np.int64), ("copies", np.int64)])


class Merging:
    """Takes the ids of all rows in order; then says of each row how many it stands for."""

    def __init__(self, folder: Path, held: int = HELD) -> None:
        self.rows = self.kept = 0
        self.held = held
        self._ids = Buckets(folder / "ids", KNOWN, held)
        self._counts = Buckets(folder / "counts", COUNTED, held)

    def add(self, ids: Array, copies: Array) -> None:
        """The next rows.

        Args:
            ids: (n, 2) uint64. copies: (n,) how often each row counts already.
        """
        entries = np.empty(len(ids), KNOWN)
        entries["high"], entries["low"], entries["copies"] = ids[:, 0], ids[:, 1], copies
        entries["place"] = np.arange(self.rows, self.rows + len(ids))
        self.rows += len(ids)
        entries = merged(entries)  # one row a million times is one entry a block, or its share would know no bound
        self._ids.add((entries["high"] >> np.uint64(64 - SHARE_BITS)).astype(np.uint16), entries)

    def totals(self, sizes: Iterable[int]) -> Iterator[Array]:
        """For so many rows at a time (n,) int64: at the first of equal ids the copies of all, elsewhere `COPY`."""
        for entries in self._ids.each(1 << SHARE_BITS):
            found = merged(entries)
            self.kept += len(found)
            counted = np.empty(len(found), COUNTED)
            counted["place"], counted["copies"] = found["place"], found["copies"]
            self._counts.add((found["place"] // self.held).astype(np.uint32), counted)
        windows = self._windows()
        known = np.zeros(0, np.int64)
        for size in sizes:
            while len(known) < size:
                known = np.concatenate([known, next(windows)])
            yield known[:size]
            known = known[size:]

    def _windows(self) -> Iterator[Array]:
        """The totals of all rows, `held` of them at a time."""
        for number, entries in enumerate(self._counts.each(-(-self.rows // self.held))):
            total = np.full(self.held, COPY)
            total[entries["place"] - number * self.held] = entries["copies"]
            yield total


def merged(entries: Array) -> Array:
    """Of entries with equal ids, which stand in the order of their places, the first, with the copies of all."""
    if not len(entries):
        return entries
    order = np.lexsort((entries["low"], entries["high"]))
    ordered = entries[order]
    high, low = ordered["high"], ordered["low"]
    starts = np.flatnonzero(np.r_[True, (high[1:] != high[:-1]) | (low[1:] != low[:-1])])
    found = ordered[starts]
    found["copies"] = np.add.reduceat(ordered["copies"], starts)
    return found
