"""Entries on disk by a number of theirs, so that those of one number can be looked at without any of the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
HELD = 1 << 17
"""Entries in memory before they go to disk."""


class Buckets:
    """Entries of one type, put aside by number: `folder` gets a file a number once more than `held` are there."""

    def __init__(self, folder: Path, entry: np.dtype[Any], held: int = HELD) -> None:
        self.folder, self.entry, self.held = folder, entry, held
        self._waiting: list[tuple[Array, Array]] = []
        self._count = 0
        self._on_disk: set[int] = set()

    def add(self, numbers: Array, entries: Array) -> None:
        """Put `entries` (n,) where `numbers` (n,), unsigned, say."""
        self._waiting.append((numbers, entries))
        self._count += len(entries)
        if self._count > self.held:
            self.folder.mkdir(exist_ok=True)
            for number, found in self._parted():
                with (self.folder / str(number)).open("ab") as file:
                    found.tofile(file)
                self._on_disk.add(number)

    def each(self, count: int) -> Iterator[Array]:
        """The entries of every number below `count`, one number after the other, each as added; they are gone then."""
        held = dict(self._parted())
        for number in range(count):
            found = held.pop(number, np.zeros(0, self.entry))
            if number in self._on_disk:
                path = self.folder / str(number)
                found = np.concatenate([np.fromfile(path, self.entry), found])
                path.unlink()
            yield found

    def _parted(self) -> list[tuple[int, Array]]:
        """Take what waits, by number."""
        if not self._waiting:
            return []
        numbers, entries = (np.concatenate(part) for part in zip(*self._waiting, strict=True))
        self._waiting, self._count = [], 0
        order = np.argsort(numbers, kind="stable")
        ordered = numbers[order]
        starts = np.flatnonzero(np.diff(ordered)) + 1
        parts = np.split(entries[order], starts)
        return list(zip(ordered[np.r_[0, starts]].tolist(), parts, strict=True)) if len(entries) else []
