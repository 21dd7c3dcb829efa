"""A selector at work: what it ranks is checked before anything follows from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, Columns, FloatArray, FlywheelError, Selection, Selector
from dataflywheel.plugins.place import named


def ranked(selector: Selector, columns: Columns, budget: int, seed: Any) -> Selection:
    """What the selector ranks, its lists as arrays.

    Raises:
        FlywheelError: it gave anything but a `Selection`, places that are no rows, one row twice, or not one gain,
            reason and weight for each; names the selector, and the line of a user's own.
    """
    found: Any = selector.rank(columns, budget, np.random.default_rng(seed))
    who = named(selector, "rank")
    if not isinstance(found, Selection):
        raise FlywheelError(f"{who} gave {type(found).__name__}; wanted is `Selection(order, gain, reason)`")
    found.order = _places(found.order, len(columns), who)
    found.gain = _numbers(found.gain, len(found.order), "gain", who)
    if not isinstance(found.reason, str) and len(found.reason) != len(found.order):
        raise FlywheelError(
            f"{who} gave {len(found.reason):,} reasons for {len(found.order):,} rows; wanted is one for each, or one "
            "text for all"
        )
    if found.weight is not None:
        found.weight = _numbers(found.weight, len(found.order), "weight", who)
        if (found.weight < 0).any():
            raise FlywheelError(f"{who} gave a weight below 0; a row that is not to count is left out of the order")
    return found


def _places(order: Any, rows: int, who: str) -> AnyArray:
    places = np.asarray(order)
    if not places.size:
        places = places.astype(np.int64)
    if places.ndim != 1 or places.dtype.kind not in "iu":
        what = "a mask; write np.flatnonzero(mask)" if places.dtype.kind == "b" else f"{places.dtype} {places.shape}"
        raise FlywheelError(f"{who}: the order is whole numbers, the places of rows, best first, and this is {what}")
    if places.size and not 0 <= int(places.min()) <= int(places.max()) < rows:
        wrong = int(places.max()) if int(places.max()) >= rows else int(places.min())
        raise FlywheelError(f"{who} ranks a row at place {wrong}; it was shown {rows:,} rows, 0 to {rows - 1}")
    places = places.astype(np.int64)
    seen = np.bincount(places, minlength=1)
    if (seen > 1).any():
        raise FlywheelError(f"{who} ranks row {int(seen.argmax())} {int(seen.max())} times; once is wanted")
    return places


def _numbers(values: Any, rows: int, what: str, who: str) -> FloatArray:
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise FlywheelError(f"{who}: its `{what}` are no numbers; wanted is one for each row of the order") from None
    if numbers.shape != (rows,):
        raise FlywheelError(
            f"{who} gave `{what}` of the shape {numbers.shape} for {rows:,} rows; wanted is one for each of the order"
        )
    return numbers
