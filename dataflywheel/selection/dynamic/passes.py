"""Rows in shuffled passes without an end: what samplers draw from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray


class Passes:
    """Positions in one shuffled pass after another: a function of the seed and of how many were drawn, all its state.

    >>> rows = Passes(np.arange(4), (0,))
    >>> sorted(rows.take(4).tolist()), sorted(rows.take(4).tolist())
    ([0, 1, 2, 3], [0, 1, 2, 3])
    """

    def __init__(self, positions: AnyArray, seed: tuple[int, ...]) -> None:
        self.positions, self.seed, self.drawn = np.asarray(positions), seed, 0
        self._pass, self._order = -1, self.positions

    def take(self, k: int) -> AnyArray:
        """The next k positions (k,); a pass that ends is followed by the next."""
        parts = []
        while k > 0:
            number, place = divmod(self.drawn, len(self.positions))
            parts.append(self._shuffled(number)[place : place + k])
            self.drawn += len(parts[-1])
            k -= len(parts[-1])
        return np.concatenate(parts) if parts else self.positions[:0]

    def take_distinct(self, k: int) -> AnyArray:
        """The next k positions of one pass (k,), at most all; a rest that is too small is left for later passes."""
        rest = -self.drawn % len(self.positions)
        if 0 < rest < k:
            self.drawn += rest
        return self.take(k)

    def untouched(self) -> AnyArray:
        """Positions that no pass has reached."""
        return self._shuffled(0)[self.drawn :] if self.drawn < len(self.positions) else self.positions[:0]

    def _shuffled(self, number: int) -> AnyArray:
        if number != self._pass:
            rng = np.random.default_rng((*self.seed, number))
            self._pass, self._order = number, rng.permutation(self.positions)
        return self._order


class BySource:
    """Rows drawn source by source, in passes of each source's own; `names` is sorted."""

    def __init__(self, sources: Sequence[str], seed: int) -> None:
        found, of = np.unique(np.asarray(sources, dtype=str), return_inverse=True)
        self.names, self.of, self.seed = [str(name) for name in found], of, seed
        self.sizes = np.bincount(of)
        self._passes = [Passes(np.flatnonzero(of == i), (seed, 1, i)) for i in range(len(found))]

    def draw(self, weights: FloatArray, k: int, step: int) -> AnyArray:
        """k positions (k,): the source of each at random by `weights` (sources,), then that source's next row."""
        rng = np.random.default_rng((self.seed, 0, step))
        counts = rng.multinomial(k, weights)
        return np.concatenate([one.take(int(count)) for one, count in zip(self._passes, counts, strict=True)])

    def undrawn(self) -> AnyArray:
        """Positions that were not drawn yet."""
        return np.concatenate([one.untouched() for one in self._passes])

    @property
    def drawn(self) -> list[int]:
        """Rows drawn from each source so far, which is all the state."""
        return [one.drawn for one in self._passes]

    @drawn.setter
    def drawn(self, counts: Sequence[int]) -> None:
        for one, count in zip(self._passes, counts, strict=True):
            one.drawn = int(count)
