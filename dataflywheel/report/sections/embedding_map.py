"""The embedding map: where the kept rows lie among all rows, coloured by source."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.contracts import AnyArray
from dataflywheel.report.drawing.markup import clip, esc, note, section
from dataflywheel.report.drawing.numbers import count
from dataflywheel.report.drawing.scatter import MAP_POINTS, scatter
from dataflywheel.report.rundir import Run
from dataflywheel.rows.text import part_of

COLOURS = 8
"""Sources with a colour of their own, all others sharing the last one."""


def embedding_map(run: Run) -> str:
    """A sample of the map with kept and dropped rows in their true proportion, each with its source and beginning."""
    path = run.directory / "map.parquet"
    if not path.is_file():
        missing = "No step of this run read `embedding.vector`, the meaning of whole rows: there is no map of the rows."
        return section("map", "Map of the rows", note(missing))
    try:
        table = pq.read_table(path, columns=["id", "x", "y", "kept"])
    except pa.ArrowException:
        return section("map", "Map of the rows", note("map.parquet is damaged; the same recipe makes it anew."))
    points = np.column_stack([table["x"].to_numpy(), table["y"].to_numpy()]).astype(np.float64)
    kept = np.asarray(table["kept"].to_numpy(zero_copy_only=False), dtype=bool)
    sample = np.flatnonzero(np.isfinite(points).all(axis=1))
    if not len(sample):
        return section("map", "Map of the rows", note("The map of this run holds no rows."))
    total = max(len(sample), run.pool.rows_out if run.pool else 0)
    if len(sample) > MAP_POINTS:
        sample = np.sort(np.random.default_rng(0).choice(sample, MAP_POINTS, replace=False))
    names, texts = _rows(run, table["id"].take(pa.array(sample)).to_pylist())
    groups, listed = coloured(names)
    shown = f"{count(len(sample))} of {count(total)} rows drawn at random" if len(sample) < total else "all rows"
    inside = kept[sample]
    described = f"{count(inside.sum())} kept and {count((~inside).sum())} dropped rows; {shown}"
    drawing = scatter("map", "Rows by meaning", described, points[sample], inside, groups, texts)
    keys = " ".join(f'<span class="key s{group}"></span> {esc(name)}' for group, name in enumerate(listed))
    lead = f"{keys}. " if len(listed) > 1 else ""
    lead += (
        f"Large dots are kept rows, pale ones dropped. Rows close together say similar things; {esc(shown)}. "
        "Point at a dot to read its row."
    )
    return section("map", "Map of the rows", f'<figure class="map">{drawing}</figure>', lead)


def _rows(run: Run, ids: list[str]) -> tuple[list[str], list[str]]:
    """The source and the beginning of each row."""
    rows = run.rows(ids)
    names = [str((rows.get(id) or {}).get("source") or "no source") for id in ids]
    texts = [
        f"{name}: {part_of(rows[id]['messages'] or [], 'all')}" if id in rows else f"{id[:12]}: its text is not here"
        for id, name in zip(ids, names, strict=True)
    ]
    return names, texts


def coloured(names: list[str]) -> tuple[AnyArray, list[str]]:
    """The colour of each name (n,), the most frequent first, and what stands for each colour.

    >>> coloured(["a", "b", "b"])[1]
    ['b', 'a']
    """
    ordered = [name for name, _ in sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))]
    own = ordered if len(ordered) <= COLOURS else ordered[: COLOURS - 1]
    place = {name: min(at, COLOURS - 1) for at, name in enumerate(ordered)}
    more = len(ordered) - len(own)
    listed = [clip(name, 40) for name in own] + ([f"{count(more)} more"] if more else [])
    return np.array([place[name] for name in names], dtype=np.intp), listed
