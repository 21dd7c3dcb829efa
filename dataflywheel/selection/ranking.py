"""Score, shortlist, diversity: the order in which a budget is filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from dataflywheel.contracts import AnyArray, Columns, FloatArray, Selection, Selector
from dataflywheel.selection.order import SCORE, Rejected, best_first, eligible, rejections, turns
from dataflywheel.selection.quota import share_out
from dataflywheel.selection.ranked import ranked
from dataflywheel.selection.spec import Select


@dataclass
class Ranking:
    """Rows in the order in which they are taken; positions are those of the columns that were ranked, n in all."""

    order: AnyArray
    gain: FloatArray
    """The last method's gain, parallel to `order`."""
    score: FloatArray
    """What `by` said of each row (n,), NaN where it said nothing; the mean rank where there are several."""
    place: AnyArray
    """Rank by score (n,), from 0; -1 where a row was not reached or turned away."""
    scored: int
    """Rows that the scores can rank."""
    shortlist: AnyArray
    """Rows handed to the chooser; those of `order` where there is none."""
    rejected: dict[int, Rejected]
    complete: bool
    """Whether every row that can be ranked was: asking deeper gives nothing new."""
    nested: bool
    reason: str | Sequence[str]
    notes: list[Selection] = field(default_factory=list)
    weight: FloatArray | None = None
    """What the method that decides which rows are kept says of how much each counts (n,), NaN where it ranked none;
    None where it says nothing, and where the mean of several ranks decides."""


def rank_rows(
    columns: Columns,
    spec: Select,
    depth: int,
    wanted: int | None,
    seeds: AnyArray,
    group: AnyArray,
    weight: list[float],
) -> Ranking:
    """The ranking down to `depth` rows at least, or all rows.

    Args:
        wanted: rows that the chooser is asked for; None for all of its shortlist.
        seeds: one for every scorer and one for the chooser, so that a deeper ranking continues a shallower one.
        group, weight: group of each row (n,) and its share, by which a shortlist is divided.
    """
    chooser = spec.chooser()
    ranking = _scored(columns, spec.scorers(), len(columns) if chooser else min(depth, len(columns)), seeds)
    if chooser is None:
        return ranking
    sizes = share_out(depth, np.bincount(group[ranking.order], minlength=len(weight)).tolist(), weight)
    turn = turns(group[ranking.order], len(weight))
    shortlist = ranking.order[turn < np.asarray(sizes)[group[ranking.order]]]
    usable = int((np.asarray(weight)[group[ranking.order]] > 0).sum())
    offered = columns.take(shortlist)
    offered.values[SCORE] = 1 - ranking.place[shortlist] / max(len(columns), 1)
    chosen = ranked(chooser, offered, len(shortlist) if wanted is None else wanted, seeds[-1])
    for row, why in rejections(chosen).items():
        near = None if why.near is None else int(shortlist[why.near])
        ranking.rejected[int(shortlist[row])] = Rejected(why.reason, near, why.score)
    ranking.order, ranking.gain = shortlist[chosen.order], chosen.gain
    ranking.shortlist = shortlist
    ranking.complete = len(shortlist) == usable
    ranking.reason = chosen.reason
    ranking.weight = by_row(len(columns), shortlist[chosen.order], chosen.weight)
    ranking.notes.append(chosen)
    return ranking


def put_in_order(ranking: Ranking, taken: AnyArray, columns: Columns, ordering: Selector, seed: int) -> None:
    """The rows that are taken (n,) in another order, before all others; nothing but their order changes."""
    here = taken[ranking.order]
    kept = ranking.order[here]
    offered = columns.take(kept)
    offered.values[SCORE] = 1 - ranking.place[kept] / max(len(columns), 1)
    found = ranked(ordering, offered, len(kept), seed)
    ranking.order = np.concatenate([kept[found.order], ranking.order[~here]])
    ranking.gain = np.concatenate([found.gain, ranking.gain[~here]])
    ranking.notes.append(found)


def _scored(columns: Columns, scorers: list[Selector], depth: int, seeds: AnyArray) -> Ranking:
    """One scorer's own order, or the order of mean ranks over several."""
    n = len(columns)
    if len(scorers) > 1:
        depth = n
    ranks = [ranked(scorer, columns, depth, seed) for scorer, seed in zip(scorers, seeds, strict=False)]
    rejected: dict[int, Rejected] = {}
    for one in ranks:
        rejected = rejections(one) | rejected
    score = np.full(n, np.nan)
    order, gain = ranks[0].order, ranks[0].gain
    if len(scorers) > 1:
        order, gain = _by_mean_rank(columns, ranks)
    score[order] = gain
    for row, why in rejected.items():
        score[row] = np.nan if why.score is None else why.score
    place = np.full(n, -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    reason = ranks[0].reason if len(scorers) == 1 else "mean rank"
    complete = depth >= n
    nested = all(one.nested for one in ranks)
    known = len(order) if complete else n - len(rejected)
    weight = by_row(n, order, ranks[0].weight if len(ranks) == 1 else None)
    return Ranking(order, gain, score, place, known, order, rejected, complete, nested, reason, list(ranks), weight)


def by_row(n: int, order: AnyArray, weight: FloatArray | None) -> FloatArray | None:
    """Weights parallel to `order` as those of the n rows."""
    if weight is None:
        return None
    found = np.full(n, np.nan)
    found[order] = weight
    return found


def _by_mean_rank(columns: Columns, ranks: list[Selection]) -> tuple[AnyArray, FloatArray]:
    """Rows that all scorers rank, by ascending mean rank (from 1); ties by row id."""
    total, seen = np.zeros(len(columns)), np.zeros(len(columns), dtype=np.int64)
    for one in ranks:
        total[one.order] += np.arange(1, len(one.order) + 1)
        seen[one.order] += 1
    rows = eligible(columns)
    rows = rows[seen[rows] == len(ranks)]
    mean = total[rows] / len(ranks)
    order = best_first(rows, -mean)
    return rows[order], mean[order]
