"""Which pairs of rows are the same thing by their scores: a threshold from labelled pairs, or where scores part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dataflywheel.contracts import FloatArray, UsageError
from dataflywheel.enhancement.tables.columns import Column, text_of
from dataflywheel.enhancement.tables.mended import cells
from dataflywheel.enhancement.tables.pair_scores import Pairing
from dataflywheel.rows.reading import Input, iter_parsed

Pair = tuple[int, int]
"""A row of the first table and one of the second."""
PARTED = 0.75
"""The least part of the scores' variance that lies between both sides of a threshold; scores spread evenly have it."""
LOWEST = 0.3
"""Where no pairs are labelled, rows that share less are never the same, wherever the scores part."""
FIELDS = ("first", "second", "match")


@dataclass(frozen=True)
class Threshold:
    """From which score on two rows are the same, and how that was found out."""

    score: float
    """Above every score where nothing says."""
    by: str


@dataclass(frozen=True)
class Labelled:
    """Pairs of which somebody said whether they are the same."""

    pairs: tuple[Pair, ...]
    same: tuple[bool, ...]


def key_of(table: Mapping[str, Column], named: str, ids: Sequence[str]) -> list[str]:
    """What names each row of a table: the column that is named, the first one whose values all differ, or the ids."""
    every = [table[named]] if named in table else list(table.values())
    for column in every:
        if not column.missing.any() and (named in table or len(column.firsts) == len(column.texts)):
            return column.texts
    return list(ids)


def labelled_pairs(path: str, first: Sequence[str], second: Sequence[str]) -> Labelled:
    """Labelled pairs of a file with the columns `first` and `second`, what names a row of each table, and `match`.

    Raises:
        UsageError: a column is missing, a label cannot be read, or a row is in neither table.
    """
    place = [{key: i for i, key in enumerate(keys)} for keys in (first, second)]
    pairs, same = [], []
    for parsed in iter_parsed(Input(path, format="table")):
        for row in parsed.rows:
            held = {name: text_of(value) for name, value in (cells(row) or {}).items()}
            if any(name not in held for name in FIELDS):
                raise UsageError(f"{path}: columns {', '.join(FIELDS)} are wanted, and a line has {', '.join(held)}")
            if held["match"].lower() not in ("1", "0", "true", "false", "yes", "no"):
                raise UsageError(f"{path}: `match` is 1 or 0 (true or false, yes or no), not {held['match']!r}")
            for side, keys in zip(FIELDS, place, strict=False):
                if held[side] not in keys:
                    raise UsageError(f"{path}: {held[side]!r} names no row of the {side} table; see `key`")
            pairs.append((place[0][held["first"]], place[1][held["second"]]))
            same.append(held["match"].lower() in ("1", "true", "yes"))
    if len(set(same)) < 2:
        raise UsageError(f"{path}: pairs that match and pairs that do not are wanted, and there are {len(same)} of one")
    return Labelled(tuple(pairs), tuple(same))


def by_labels(scores: FloatArray, same: Sequence[bool]) -> Threshold:
    """The threshold with the best F1 on labelled pairs; of equal ones the one with most room around it."""
    order = np.sort(np.unique(scores))
    middle = [order[0] - 1e-6, *((a + b) / 2 for a, b in pairwise(order))]
    room = [0.0, *(b - a for a, b in pairwise(order))]
    truth = np.array(same)
    best = max(zip(middle, room, strict=True), key=lambda at: (round(f1(scores >= at[0], truth), 9), at[1]))
    return Threshold(float(best[0]), f"{len(same):,} labelled pairs")


def by_gap(scores: FloatArray) -> Threshold:
    """The threshold that parts scores into two groups of least variance (Otsu 1979), where they part at all."""
    order = np.sort(scores)
    if len(order) < 4 or order[-1] - order[0] < 1e-9:
        return Threshold(np.inf, "nothing, too few scores")
    total, low = order.cumsum(), np.arange(1, len(order))
    high = len(order) - low
    apart = low * high * (total[:-1] / low - (total[-1] - total[:-1]) / high) ** 2 / len(order) ** 2
    at = int(apart.argmax())
    if apart[at] < PARTED * order.var():
        return Threshold(np.inf, "nothing, the scores show no gap (give labelled pairs, or a score as `least`)")
    return Threshold(max(LOWEST, float((order[at] + order[at + 1]) / 2)), "the gap between the scores")


def best_and_second(pairing: Pairing, pairs: Sequence[Pair], scores: FloatArray) -> FloatArray:
    """Of each row of the first table its best score and its second best one, which is hardly ever a match; of a row
    with one candidate alone the second is that of some other row."""
    found: dict[int, list[float]] = {}
    for (row, _), score in zip(pairs, scores.tolist(), strict=True):
        found.setdefault(row, []).append(score)
    rows = len(next(iter(pairing.other.values())).texts)
    for row, other in pairs:
        if len(found[row]) == 1 and rows > 1:
            found[row].append(pairing.score(row, (other + max(1, rows // 2)) % rows))
    return np.array([score for held in found.values() for score in sorted(held, reverse=True)[:2]], float)


def best_matches(pairs: Iterable[tuple[Pair, float]], once: bool = True) -> dict[int, tuple[int, float]]:
    """The best pair of each row of the first table, best pairs first; with `once` no row of the second is in two."""
    found: dict[int, tuple[int, float]] = {}
    taken: set[int] = set()
    for (i, j), score in sorted(pairs, key=lambda one: (-one[1], one[0])):
        if i not in found and not (once and j in taken):
            found[i] = (j, score)
            taken.add(j)
    return found


def f1(said: np.ndarray, truth: np.ndarray) -> float:
    """Of pairs that are said to match: twice those that do, over those that are said to and those that do."""
    return float(2 * (said & truth).sum() / max(1, said.sum() + truth.sum()))
