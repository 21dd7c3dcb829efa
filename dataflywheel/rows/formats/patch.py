"""How one JSON value differs from another, as a list of edits: keeps an unusual spelling without keeping all of it."""

from __future__ import annotations

from typing import Any

import orjson

Patch = list[list[Any]]
"""Edits in order: `[path, value]` sets, `[path]` removes; a path is a list of keys and positions."""


class PatchError(Exception):
    """The patch was made for another value."""


def difference(ours: Any, theirs: Any, path: tuple[str | int, ...] = ()) -> Patch:
    """The edits that turn `ours` into `theirs`; an empty list when they are equal, types included.

    >>> difference({"a": 1, "b": [1, 2]}, {"b": [1, 3], "c": None})
    [[['a']], [['b', 1], 3], [['c'], None]]
    """
    if ours is theirs:
        return []
    if isinstance(ours, dict) and isinstance(theirs, dict):
        # In order of names, so that the same two values always give the same edits.
        edits: Patch = [[[*path, key]] for key in sorted(ours.keys() - theirs.keys())]
        for key in sorted(theirs):
            if key in ours:
                edits += difference(ours[key], theirs[key], (*path, key))
            else:
                edits.append([[*path, key], theirs[key]])
        return edits
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [edit for i in range(len(ours)) for edit in difference(ours[i], theirs[i], (*path, i))]
    if type(ours) is type(theirs) and ours == theirs:
        return []
    return [[list(path), theirs]]


def apply(value: dict[str, Any], patch: Patch) -> dict[str, Any]:
    """A copy of `value` with the edits made.

    Raises:
        PatchError: an edit names a place that `value` does not have.
    """
    result: dict[str, Any] = orjson.loads(orjson.dumps(value))
    try:
        for path, *new in patch:
            place: Any = result
            for key in path[:-1]:
                place = place[key]
            if new:
                place[path[-1]] = new[0]
            else:
                del place[path[-1]]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise PatchError(str(error)) from None
    return result
