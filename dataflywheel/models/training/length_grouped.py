"""An order of rows in which those of like length share a batch, and which survives a resume."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

GROUP = 50
"""Batches whose rows are sorted by length together: little padding, and still a random order."""


class LengthGroupedOrder:
    """Row positions of each epoch: shuffled, rows of like length in one batch, the batches shuffled again.

    A function of seed and epoch alone, so that a resumed run sees the rows that the killed one would have seen.
    """

    def __init__(self, lengths: list[int], batch: int, seed: int) -> None:
        self.lengths, self.batch, self.seed, self.epoch = np.asarray(lengths), batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng((self.seed, self.epoch))
        order = rng.permutation(len(self.lengths))
        size = GROUP * self.batch
        groups = [order[start : start + size] for start in range(0, len(order), size)]
        ordered = np.concatenate([group[np.argsort(-self.lengths[group], kind="stable")] for group in groups])
        batches = [ordered[start : start + self.batch] for start in range(0, len(ordered), self.batch)]
        last = [batches.pop()] if len(batches[-1]) < self.batch else []
        for i in rng.permutation(len(batches)):
            yield from batches[i].tolist()
        for rest in last:
            yield from rest.tolist()
