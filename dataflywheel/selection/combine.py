"""The step `select`: score, then diversity, then quota, under a budget that is met exactly."""

from __future__ import annotations

import math

import numpy as np

from dataflywheel.contracts import AnyArray, Columns, Decisions, FloatArray, Selection, UsageError, nearest
from dataflywheel.selection.quota import group_weights, share_out
from dataflywheel.selection.ranking import Ranking, put_in_order, rank_rows
from dataflywheel.selection.reasons import Outcome, decisions_of, notes_of
from dataflywheel.selection.spec import GROUP_COLUMN, Select, row_tokens

__all__ = ["Select", "select_rows"]


CLOSE = 0.005
"""Share of a budget in counted tokens that may be left over."""


def select_rows(
    columns: Columns, spec: Select, rng: np.random.Generator, tokens: AnyArray | None = None
) -> tuple[Selection, Decisions]:
    """Apply a combination to measured rows.

    `tokens` are those of each row (n,) as a budget in tokens counts them, where they are better known than by the
    estimate of prompt and answer. Such a budget is met once no more than `CLOSE` of it is left, so that methods need
    not rank the whole pool for its last row.

    Rows that miss a needed value are not eligible. A budget in rows or percent is met exactly, or every eligible row
    is kept; a budget in tokens is filled in ranking order with every row that still fits (within its group's quota,
    where there is one).

    Returns:
        The kept rows, best first, as positions into `columns`; and one decision for every row of `columns`, in their
        order.

    Raises:
        UsageError: a column is missing, or a quota names a group that no row belongs to.
    """
    measured = columns.ok(*spec.required())
    rows = np.flatnonzero(measured)
    pool = columns if measured.all() else columns.take(rows)
    names, group = _groups(columns, spec)
    group = group[rows]
    budget = spec.budget()
    cost = np.ones(len(rows), dtype=np.int64)
    if budget.unit == "tokens":
        cost = row_tokens(pool) if tokens is None else np.asarray(tokens, dtype=np.int64)[rows]
    wanted = int(budget.amount) if budget.unit == "tokens" else budget.rows(len(columns))
    weight = group_weights(spec.quota, names, _sums(cost, group, len(names)))

    seeds = rng.integers(2**63, size=len(spec.by) + 1)
    expected = wanted / max(float(cost.mean()), 1.0) if len(rows) else 0.0
    simple = budget.unit != "tokens" and spec.per is None
    plain = spec.chooser() is None and (simple or tokens is not None)
    depth = math.ceil(expected * (1 if plain else spec.shortlist))
    spare = 0 if tokens is None or budget.unit != "tokens" else int(wanted * CLOSE)
    while True:
        ranking = rank_rows(pool, spec, depth, wanted if simple else None, seeds, group, weight)
        quotas, taken, done = _fill(ranking, cost, group, wanted, weight)
        if done or ranking.complete or (spare and wanted - int(cost[taken].sum()) <= spare):
            break
        depth = max(2 * depth, 1)
    ordering = spec.ordering()
    if ordering is not None:
        put_in_order(ranking, taken, pool, ordering, seeds[-1])
    counts = None if ranking.weight is None else even_groups(ranking.weight, taken, group)
    outcome = Outcome(columns, rows, ranking, taken, names, group, quotas, wanted, counts)
    gain = ranking.gain[taken[ranking.order]]
    decisions = decisions_of(outcome, spec)
    chosen = rows[ranking.order[taken[ranking.order]]]
    reasons = [decisions.reason[int(row)] for row in chosen]
    nested = simple and spec.then is None and ranking.nested
    if counts is not None:
        counts = counts[ranking.order[taken[ranking.order]]]
    return Selection(chosen, gain, reasons, nested, notes_of(outcome, spec, cost), counts), decisions


def weights_by_id(columns: Columns, selection: Selection) -> dict[str, float] | None:
    """How much each selected row counts; None where all count alike."""
    if selection.weight is None:
        return None
    ids = (str(id) for id in columns.ids[selection.order])
    return dict(zip(ids, selection.weight.tolist(), strict=True))


def _groups(columns: Columns, spec: Select) -> tuple[list[str], AnyArray]:
    """Names of the groups, sorted, and the group of every row; one nameless group where there are none."""
    if spec.per is None:
        return [""], np.zeros(len(columns), dtype=np.int64)
    values = columns[GROUP_COLUMN[spec.per]]
    if spec.per == "tag":
        values = np.array([str(tags[0]) if tags is not None and len(tags) else "" for tags in values], dtype=str)
    names, group = np.unique(values.astype(str), return_inverse=True)
    known = [str(name) for name in names]
    for name in spec.quota if isinstance(spec.quota, dict) else ():
        if name not in known:
            raise UsageError(f"select: quota: no row has {spec.per} {name!r}{nearest(name, known)}")
    return known, group


def _fill(
    ranking: Ranking, cost: AnyArray, group: AnyArray, wanted: int, weight: list[float]
) -> tuple[list[int], AnyArray, bool]:
    """Quotas, who is taken (n,), and whether rows that the ranking has not reached could not change the result."""
    open_rows = np.ones(len(cost), dtype=bool)
    open_rows[list(ranking.rejected)] = False
    listed = np.zeros(len(cost), dtype=bool)
    listed[ranking.order] = True
    if ranking.complete:
        open_rows &= listed
    capacity = _sums(cost[open_rows], group[open_rows], len(weight))
    quotas = share_out(wanted, capacity, weight)
    left = list(quotas)
    taken = np.zeros(len(cost), dtype=bool)
    for row, price, g in zip(
        ranking.order.tolist(), cost[ranking.order].tolist(), group[ranking.order].tolist(), strict=True
    ):
        if price <= left[g]:
            left[g] -= price
            taken[row] = weight[g] > 0
    waiting = open_rows & ~listed
    least = np.full(len(weight), np.iinfo(np.int64).max)
    np.minimum.at(least, group[waiting], cost[waiting])
    return quotas, taken, bool((least > np.array(left)).all())


def even_groups(weight: FloatArray, taken: AnyArray, group: AnyArray) -> FloatArray:
    """Weights of the rows that are taken (n,) with the mean 1 in every group, whose share the quota has decided; NaN
    for other rows, and 1 each where a group has none but 0."""
    kept = np.where(taken, weight, 0.0)
    rows, total = np.bincount(group[taken], minlength=group.max(initial=0) + 1), np.bincount(group, kept)
    scale = np.divide(rows, total, out=np.zeros(len(rows)), where=total > 0)
    even = np.where(total[group] > 0, weight * scale[group], 1.0)
    return np.asarray(np.where(taken, even, np.nan))


def _sums(cost: AnyArray, group: AnyArray, groups: int) -> list[int]:
    """The cost of each group's rows together, in one pass over the rows, of however many groups they are."""
    total = np.zeros(groups, dtype=np.int64)
    np.add.at(total, group, cost)
    return [int(sum) for sum in total]
