"""What the next rows are worth: a curve through losses at nested sizes, drawn out by one doubling at most."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dataflywheel.contracts import FloatArray, UsageError

ALPHAS = np.geomspace(0.02, 2.0, 400)
"""Exponents that are tried; the two other parameters follow from each by least squares."""
FEWEST_SEEDS = 3
POWER_LAW_POINTS = 5
"""Sizes from which on three parameters are fitted; with four, one is left over, and intervals held in 80 % only."""
RESAMPLES = 400
SHARES = (0.25, 0.5)
"""Of a run's final rows, that the curve is drawn through; the whole is the recipe's own arm."""


@dataclass(frozen=True)
class Increment:
    """What the next `rows` rows buy: `gain` is the fall of the loss, with its 90 % interval; `cost` what they cost."""

    rows: int
    gain: float
    low: float
    high: float
    cost: float


@dataclass(frozen=True)
class LearningCurve:
    """L(n) = E + A n^-alpha fitted to losses at nested subsets. `losses` is (seeds, sizes), lower is better.

    Below 5 sizes the point is that of L(n) = a - b log n, the limit of small alpha, which promises most, and the
    interval reaches down to that of alpha = 1.
    """

    sizes: FloatArray
    losses: FloatArray

    @classmethod
    def of(cls, sizes: Sequence[int], losses: Sequence[Sequence[float]]) -> LearningCurve:
        """A curve from losses by seed and size.

        Raises:
            UsageError: fewer than 3 seeds or 2 sizes, sizes that do not ascend, or a loss that is not finite.
        """
        at, found = np.asarray(sizes, dtype=float), np.asarray(losses, dtype=float)
        if found.ndim != 2 or found.shape[1] != len(at) or len(at) < 2 or not (np.diff(at) > 0).all() or at[0] < 1:
            raise UsageError("learning curve: one loss for each of two or more ascending sizes, from every seed")
        if len(found) < FEWEST_SEEDS:
            raise UsageError(f"learning curve: {len(found)} seeds; an interval needs {FEWEST_SEEDS} or more")
        if not np.isfinite(found).all():
            raise UsageError("learning curve: a loss is not finite; leave its seed out or measure it again")
        return cls(at, found)

    def at(self, size: float) -> float:
        """The fitted loss at `size`."""
        return float(self._fitted(self.losses.mean(axis=0)[None], np.array([size]))[0][0, 0])

    def next_rows(self, rows: int, cost_a_row: float = 0.0, seed: int = 0) -> Increment:
        """What `rows` rows beyond the largest size would take off the loss.

        The interval is Student's t around the point, with the standard error of a bootstrap over whole seeds: three
        seeds are too few for the percentiles of a bootstrap, which are too narrow then.

        Raises:
            UsageError: more than a doubling.
        """
        from scipy.stats import t

        largest = self.sizes[-1]
        if rows < 1 or rows > largest:
            raise UsageError(
                f"learning curve: {rows} more rows after {largest:.0f}; a curve tells one doubling ahead at most, so "
                f"ask for 1 to {largest:.0f} rows and measure again there"
            )
        at = np.array([largest, largest + rows])
        seeds = len(self.losses)
        drawn = np.random.default_rng(seed).integers(seeds, size=(RESAMPLES, seeds))
        means = np.concatenate([self.losses.mean(axis=0)[None], self.losses[drawn].mean(axis=1)])
        # The spread of a bootstrap over k seeds is short by (k - 1) / k in variance.
        wide = float(t.ppf(0.95, seeds - 1)) * math.sqrt(seeds / (seeds - 1))
        found = []
        for values in self._fitted(means, at):
            gains = values[:, 0] - values[:, 1]
            found.append((float(gains[0]), wide * float(gains[1:].std())))
        low, high = min(gain - half for gain, half in found), max(gain + half for gain, half in found)
        return Increment(rows, found[0][0], low, high, rows * cost_a_row)

    def _fitted(self, losses: FloatArray, at: FloatArray) -> list[FloatArray]:
        """Values (m, len(at)) of the curves through each row of `losses` (m, sizes): the best, or the two extremes."""
        if len(self.sizes) < POWER_LAW_POINTS:
            shapes = ((np.log(self.sizes), np.log(at)), (1 / self.sizes, 1 / at))
            return [_lines(x[None], losses, to[None])[0][:, 0] for x, to in shapes]
        bends = ALPHAS[:, None]
        # In units of the smallest size, so that no power underflows.
        values, errors = _lines((self.sizes / self.sizes[0]) ** -bends, losses, (at / self.sizes[0]) ** -bends)
        return [values[np.arange(len(losses)), errors.argmin(axis=1)]]


def _lines(x: FloatArray, y: FloatArray, at: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Least squares y = a + b x for every pair of a row of `x` (k, p) and of `y` (m, p).

    Returns:
        Values at `at` (k, q) as (m, k, q), and sums of squared errors (m, k).
    """
    x_mean, y_mean = x.mean(axis=1), y.mean(axis=1)
    centred, rest = x - x_mean[:, None], y - y_mean[:, None]
    slope = rest @ centred.T / (centred**2).sum(axis=1)
    values = y_mean[:, None, None] + slope[:, :, None] * (at - x_mean[:, None])[None]
    errors = (rest[:, None, :] - slope[:, :, None] * centred[None]) ** 2
    return values, errors.sum(axis=2)


def nested_subsets(ids: Sequence[str], sizes: Sequence[int], seed: int = 0) -> list[list[str]]:
    """Subsets of these sizes, each within the next; by the hash of id and seed, so that the order of ids is nothing.

    Raises:
        UsageError: more rows are asked for than there are.
    """
    if max(sizes) > len(set(ids)):
        raise UsageError(f"learning curve: {max(sizes)} rows are asked for, and there are {len(set(ids))}")
    ranked = sorted(set(ids), key=lambda id: hashlib.blake2b(f"{seed}:{id}".encode(), digest_size=16).digest())
    return [ranked[:size] for size in sizes]
