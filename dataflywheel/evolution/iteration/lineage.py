"""How many times over a row was made by a model: 0 for a row of the pool, 1 for one made from such rows, and so on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.parts import iter_batches


def depths(
    directory: Path, earlier: Mapping[str, int] | None = None, rewriters: Collection[str] = ()
) -> dict[str, int]:
    """Depth by id of all rows of a directory; `earlier` holds depths of parents that are not in it.

    Raises:
        FlywheelError: rows are their own ancestors.
    """
    rows: list[tuple[str, Sequence[str], str]] = []
    for batch in iter_batches(directory, ["id", "parents", "made_by"]):
        columns = (batch[name].to_pylist() for name in ("id", "parents", "made_by"))
        rows += [(id, parents or [], made or "") for id, parents, made in zip(*columns, strict=True)]
    return depths_of(rows, earlier, rewriters)


def depths_of(
    rows: Iterable[tuple[str, Sequence[str], str]],
    earlier: Mapping[str, int] | None = None,
    rewriters: Collection[str] = (),
) -> dict[str, int]:
    """The same for (id, parents, made_by).

    A row that no method made has depth 0; any other is one deeper than its deepest parent, or just as deep where it was
    made by one of the `rewriters`, which only say the same in other words. A parent that is known
    nowhere, such as a document, has depth 0. Of equal rows the one of least depth counts.

    Raises:
        FlywheelError: rows are their own ancestors.
    """
    found: dict[str, int] = {}
    waiting: dict[str, set[str]] = {}
    makers: dict[str, str] = {}
    for id, parents, made_by in rows:
        if not made_by:
            found[id] = 0
        else:
            makers[id] = made_by
            waiting.setdefault(id, set()).update(parent for parent in parents if parent != id)
    waiting = {id: parents for id, parents in waiting.items() if id not in found}
    known = {**(earlier or {}), **found}
    children: dict[str, list[str]] = {}
    open_parents = {id: {p for p in parents if p in waiting} for id, parents in waiting.items()}
    for id, above in open_parents.items():
        for parent in above:
            children.setdefault(parent, []).append(id)
    ready = [id for id, parents in open_parents.items() if not parents]
    while ready:
        id = ready.pop()
        deeper = makers[id] not in rewriters
        found[id] = known[id] = deeper + max((known.get(parent, 0) for parent in waiting[id]), default=0)
        for child in children.get(id, []):
            open_parents[child].discard(id)
            if not open_parents[child]:
                ready.append(child)
    stuck = sorted(set(waiting) - set(found))
    if stuck:
        raise FlywheelError(f"lineage: row {stuck[0]} is its own ancestor; its `parents` were written wrongly")
    return found
