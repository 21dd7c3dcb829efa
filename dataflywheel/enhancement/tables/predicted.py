"""What a cell should hold, by what stands beside it: the values of other columns that go with one value of this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray
from dataflywheel.enhancement.tables.columns import Column

RIGHT = 0.8
"""The least share of rows in which a column must foretell the value of another to have a voice."""
SEEN = 10
"""Rows that must show it, at least."""
BEST = 4
"""Columns that foretell best, of which pairs are tried."""
GAIN, FEWER = 0.2, 3
"""Part of a column's errors that a second one beside it must take away to be heard with it, and how many at least."""
TRIED, TRIED_WITH = 20_000, 5_000
"""Columns times the columns that are heard about each, at most, and times those that are tried as second ones: where a
table has more, those that stand nearest to a column speak of it."""
SURE = 0.99
"""The most that a column is trusted, whatever the rows show."""


@dataclass(frozen=True)
class Voice:
    """What one or two columns foretell of another one, for every row by all the other rows."""

    of: tuple[str, ...]
    codes: AnyArray
    """(n,) the value that most of the other rows with the same value here have, -1 where there is none."""
    share: FloatArray
    """(n,) which part of those rows has it."""
    right: float
    """In which part of the rows where it foretells something the cell holds that."""

    @property
    def weight(self) -> float:
        """Log-odds of being right."""
        trusted = min(self.right, SURE)
        return float(np.log(trusted / (1 - trusted)))


@dataclass(frozen=True)
class Foretold:
    """What the voices together say of a column: for every row the best value, and its lead over what stands there."""

    codes: AnyArray
    """(n,) the value with the most weight, -1 where no voice says anything."""
    weight: FloatArray
    """(n,) the weight of that value."""
    lead: FloatArray
    """(n,) that weight less the weight of the value that the cell holds."""
    agreed: FloatArray
    """(n,) of the cells of this column for which a value had this weight or more, the share that hold that value; one
    that does and one that does not are added, so that few rows prove little."""
    voices: tuple[Voice, ...]


def foretold(table: Mapping[str, Column], name: str) -> Foretold:
    """What the other columns say of each cell of one; a cell never speaks for itself.

    A column speaks where its values foretell this one's in at least 80 % of the rows, each row left out of what is
    foretold of it. Where a second column beside it takes away a part of its errors, both speak together in its place,
    and say nothing of rows that are alone with their two values. A voice weighs its log-odds of being right, times the
    share of its rows that agree, less the log-odds of the value by itself: what is usual is no news.
    """
    of = table[name]
    others = [c for c in _nearest(table, name, TRIED) if 1 < len(c.firsts) <= MANY * max(1, (c.codes >= 0).sum())]
    beside = {c.name for c in _nearest(table, name, TRIED_WITH)}
    single = [v for c in others if (v := voice((c,), of))] if len(of.firsts) > 1 else []
    heard = sorted((v for v in single if v.right >= RIGHT), key=lambda v: -v.right)
    pairs = [
        pair
        for better in heard[:BEST]
        if _errors(better, of) >= FEWER
        for other in others
        if other.name in beside
        and other.name not in better.of
        and (pair := voice((table[better.of[0]], other), of))
        and _explains(pair, better, of)
    ]
    explained = {pair.of[0] for pair in pairs}
    return _together(of, [*(v for v in heard if v.of[0] not in explained), *pairs])


def _nearest(table: Mapping[str, Column], name: str, most: int) -> list[Column]:
    """The other columns in their order; of a wide table those that stand nearest, `most` by all its columns."""
    names = list(table)
    at = names.index(name)
    near = sorted((k for k in range(len(names)) if k != at), key=lambda k: abs(k - at))[: max(1, most // len(names))]
    return [table[names[k]] for k in sorted(near)]


def _errors(one: Voice, of: Column) -> int:
    return int((one.codes != of.codes)[(one.codes >= 0) & (of.codes >= 0)].sum())


def _explains(pair: Voice, one: Voice, of: Column) -> bool:
    """Whether a pair errs clearly less often than its first column, where both say something."""
    both = (pair.codes >= 0) & (one.codes >= 0) & (of.codes >= 0)
    wrong, before = (int((v.codes != of.codes)[both].sum()) for v in (pair, one))
    return before - wrong >= FEWER and wrong <= (1 - GAIN) * before


MANY = 0.9
"""A column whose values hardly ever come twice foretells nothing."""


def voice(by: Sequence[Column], of: Column) -> Voice | None:
    """What columns foretell of another one by the other rows, or None where too few rows show it."""
    key = by[0].codes
    for more in by[1:]:
        key = np.where((key >= 0) & (more.codes >= 0), key * (len(more.firsts) + 1) + more.codes, -1)
    known = (key >= 0) & (of.codes >= 0)
    if known.sum() < SEEN:
        return None
    keys, group = np.unique(key, return_inverse=True)
    codes, share = _most(group, of.codes, known, len(keys), len(of.firsts))
    codes = np.where(key >= 0, codes, -1)
    told = known & (codes >= 0)
    if told.sum() < SEEN:
        return None
    return Voice(tuple(c.name for c in by), codes, share, float((codes == of.codes)[told].mean()))


def _most(group: AnyArray, codes: AnyArray, known: AnyArray, groups: int, width: int) -> tuple[AnyArray, FloatArray]:
    """Of each row's group without the row itself the value that is there most, -1 where the group has no other, and
    its share: by the two values that are there most, one of which the row may hold."""
    pairs, own, counts = np.unique(group[known] * width + codes[known], return_inverse=True, return_counts=True)
    of, value = pairs // width, pairs % width
    order = np.lexsort((value, -counts, of))
    begins = np.searchsorted(of[order], np.arange(groups))
    ends = np.searchsorted(of[order], np.arange(groups), side="right")
    top = np.full((2, groups), -1)
    for k in range(2):
        there = begins + k < ends
        top[k, there] = order[(begins + k)[there]]
    mine = np.full(len(group), -1)
    mine[known] = own
    left = np.stack([np.where(t >= 0, counts[t], 0) - (t == mine) * (mine >= 0) for t in top[:, group]])
    second = left[1] > left[0]
    chosen = np.where(second, top[1, group], top[0, group])
    count = np.where(second, left[1], left[0])
    size = np.bincount(of, weights=counts, minlength=groups)[group] - known
    found = np.where((chosen >= 0) & (count > 0), value[chosen], -1)
    return found, np.where(size > 0, count / np.maximum(size, 1), 0.0)


def _together(of: Column, voices: Sequence[Voice]) -> Foretold:
    rows = len(of.codes)
    best, weight, held = np.full(rows, -1), np.zeros(rows), np.zeros(rows)
    if voices:
        said = np.stack([v.codes for v in voices])
        usual = of.counts / max(1, of.counts.sum())
        news = np.maximum(0.0, np.log(usual) - np.log1p(-np.minimum(usual, SURE)))
        heard = np.stack(
            [np.where(v.codes >= 0, np.maximum(0.0, v.weight * v.share - news[v.codes]), 0.0) for v in voices]
        )
        for v in range(len(voices)):  # the weight of what each voice says, by all that say the same
            total = ((said == said[v]) * heard).sum(0)
            more = (said[v] >= 0) & (total > weight)
            best, weight = np.where(more, said[v], best), np.where(more, total, weight)
        held = ((said == of.codes) * heard).sum(0)
    held = np.where(of.codes >= 0, held, 0.0)
    return Foretold(best, weight, weight - held, agreed(of, best, weight), tuple(voices))


def agreed(of: Column, best: AnyArray, weight: FloatArray) -> FloatArray:
    """See `Foretold.agreed`."""
    judged = (best >= 0) & (of.codes >= 0)
    order = np.argsort(-weight, kind="stable")
    right, seen = np.cumsum((judged & (best == of.codes))[order]), np.cumsum(judged[order])
    ends = np.searchsorted(-weight[order], -weight, side="right") - 1  # the last of equal weight
    return np.asarray((right[ends] + 1) / (seen[ends] + 2), np.float64)
