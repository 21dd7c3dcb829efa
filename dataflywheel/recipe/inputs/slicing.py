"""Which skill a row of the pool teaches: the target's slice that it carries as a tag, else that of its nearest target
row."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, UsageError
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.inputs.ingest import slices_by_id
from dataflywheel.rows.parts import read_rows

VECTOR = "embedding.vector"
BLOCK = 4096
"""Rows of the pool whose products with all target rows are held at once."""


def slices_of(context: Context, rows: Path) -> dict[str, str]:
    """The slice of every row of a directory, by id; "" for one that could not be placed.

    Rows with a tag that is the name of a slice belong to it. The others belong to the slice of the target row nearest
    to them by the cosine of their embeddings. Only target rows that selection may look at take part.

    Raises:
        UsageError: the recipe has no target.
    """
    if context.guide is None:
        raise UsageError("slices are the target's, and the recipe has none; name evaluation rows under `target:`")
    target = slices_by_id(context, context.guide)
    names = set(target.values())
    facts = read_rows(rows, ["id", "tags"])
    found = {
        id: next((tag for tag in tags or [] if tag in names), "")
        for id, tags in zip(facts["id"].to_pylist(), facts["tags"].to_pylist(), strict=True)
    }
    if all(found.values()):
        return found
    near = _nearest(context, rows, context.guide, target)
    return {id: name or near.get(id, "") for id, name in found.items()}


def slice_column(context: Context, rows: Path, ids: AnyArray) -> AnyArray:
    """`row.slice` (n,) for the rows with these ids."""
    found = slices_of(context, rows)
    return np.array([found[str(id)] for id in ids], dtype=object)


def _nearest(context: Context, rows: Path, guide: Path, target: dict[str, str]) -> dict[str, str]:
    pool = context.measured(rows, [VECTOR], "slices")
    known = context.measured(guide, [VECTOR], "slices")
    there = np.flatnonzero(known.ok(VECTOR))
    names = np.array([target[str(id)] for id in known.ids[there]], dtype=object)
    vectors = _float(known[VECTOR][there])
    found: dict[str, str] = {}
    able = np.flatnonzero(pool.ok(VECTOR))
    for start in range(0, len(able) if len(there) else 0, BLOCK):
        at = able[start : start + BLOCK]
        best = (_float(pool[VECTOR][at]) @ vectors.T).argmax(axis=1)
        found.update(zip((str(i) for i in pool.ids[at]), names[best], strict=True))
    return found


def _float(vectors: AnyArray) -> FloatArray:
    return np.ascontiguousarray(vectors, dtype=np.float32)
