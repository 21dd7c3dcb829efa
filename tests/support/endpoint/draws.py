"""Randomness that is a pure function of what it is drawn for."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from hashlib import blake2b
from itertools import accumulate
from statistics import NormalDist

_NORMAL = NormalDist()


def unit(*parts: object) -> float:
    """A number in (0, 1), evenly distributed over different parts."""
    digest = blake2b(repr(parts).encode(), digest_size=7).digest()
    return (int.from_bytes(digest, "big") + 0.5) / 2**56


def normal(*parts: object) -> float:
    """A draw of the standard normal distribution."""
    return _NORMAL.inv_cdf(unit(*parts))


def pick(weights: Sequence[float], *parts: object) -> int:
    """An index drawn in proportion to its weight."""
    sums = list(accumulate(weights))
    return min(bisect(sums, unit(*parts) * sums[-1]), len(weights) - 1)
