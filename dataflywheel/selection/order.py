"""What every selector shares: who is eligible, how ties are broken, and how a row that is turned away says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, Columns, FlywheelError, Selection, Status, UsageError

SCORE = "select.score"
"""Column that a `then` selector sees: 1 for the best row by `by`, towards 0 for the last."""

SLICE = "row.slice"
"""The skill of a row: it depends on the target, not on the row alone, and is joined on where a step groups by it."""

LEARNED = "row.learned"
"""Whether the model of the `warm_up` before has learned a row; joined on where a selector reads it."""


@dataclass(frozen=True)
class Rejected:
    """Why a selector turned a measured row away; `near` is the position of the chosen row that it resembles."""

    reason: str
    near: int | None = None
    score: float | None = None


def eligible(columns: Columns, *names: str) -> AnyArray:
    """Positions (m,) of the rows whose `names` all hold a value, in the order of row ids.

    Working in this order makes every result independent of the order of rows, and breaks ties by row id for free.
    """
    order = columns.by_id()
    kept: AnyArray = order[columns.ok(*names)[order]]
    return kept


def target_rows(method: str, columns: Columns, *names: str) -> tuple[Columns, AnyArray]:
    """The evaluation rows beside the columns, and the positions of those that hold `names`, in the order of their ids.

    Raises:
        UsageError: there is no target.
        FlywheelError: none of its rows could be measured.
    """
    if columns.target is None:
        raise UsageError(f"{method} compares rows with a target; give `Columns.target`, or `target:` in a recipe")
    found = eligible(columns.target, *names)
    if not len(found):
        why = "; ".join(sorted(set(unmeasured(columns.target, names).values()))) or "it has no rows"
        raise FlywheelError(f"{method}: no row of the target could be measured ({why})")
    return columns.target, found


def best_first(positions: AnyArray, score: AnyArray) -> AnyArray:
    """Indices into `positions` by descending score (m,); equal scores keep the order of `positions` (row id)."""
    return np.argsort(-np.asarray(score, dtype=np.float64), kind="stable")


def shuffled(columns: Columns, positions: AnyArray, rng: np.random.Generator) -> AnyArray:
    """The positions, which come in the order of ids, in a random order that each row's id and the generator decide.

    Rows that come or go leave the others where they are: a draw hardly changes where the pool hardly does.
    """
    import xxhash

    seed = int(rng.integers(1 << 63))
    ids = columns.ids[positions].tolist()
    keys = np.fromiter((xxhash.xxh3_64_intdigest(str(id).encode(), seed) for id in ids), np.uint64, len(ids))
    return positions[np.argsort(keys, kind="stable")]


def turns(group: AnyArray, groups: int) -> AnyArray:
    """The place of each entry within its group, from 0; sorting by it lets the groups take turns.

    >>> turns(np.array([1, 0, 1, 1]), 2)
    array([0, 0, 1, 2])
    """
    by_group = np.argsort(group, kind="stable")
    sizes = np.bincount(group, minlength=groups)
    turn = np.empty(len(group), dtype=np.int64)
    turn[by_group] = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return turn


def counts(columns: Columns, positions: AnyArray, *names: str) -> dict[str, Any]:
    """The notes of a selection: rows offered, rows eligible, rows not measured and rows with truncated text."""
    cut = np.zeros(len(columns), dtype=bool)
    for signal in {name.split(".")[0] for name in names}:
        status = columns.values.get(f"{signal}.status")
        if status is not None:
            cut |= np.asarray(status) == Status.TRUNCATED
    return {
        "offered": len(columns),
        "eligible": len(positions),
        "not_measured": len(columns) - len(positions),
        "truncated": int(cut.sum()),
    }


def rejections(selection: Selection) -> dict[int, Rejected]:
    """Rows that the selector itself turned away, by position; kept under `rejected` in the notes."""
    found: dict[int, Rejected] = selection.notes.get("rejected", {})
    return found


def unmeasured(columns: Columns, names: tuple[str, ...]) -> dict[int, str]:
    """Why each row that misses one of `names` misses it, by position: the status, or that the value is not finite.

    Returns:
        `{17: "not measured: failed (likelihood)"}`, with what went wrong where it is known.
    """
    found: dict[int, str] = {}
    for name in names:
        signal = name.split(".")[0]
        status, errors = (columns.values.get(f"{signal}.{fact}") for fact in ("status", "error"))
        for position in np.flatnonzero(~columns.ok(name)):
            code = Status.OK if status is None else Status(int(status[position]))
            error = errors[position] if errors is not None else None
            why = f"no finite value of {name}" if code <= Status.TRUNCATED else f"{code.name.lower()} ({signal})"
            why += f": {error}" if error else ""
            found.setdefault(int(position), f"not measured: {why}")
    return found
