"""The embedding map: where the kept rows lie among all rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.report.drawing.charts import MAP_POINTS, scatter
from dataflywheel.report.drawing.markup import note, section
from dataflywheel.report.drawing.numbers import count
from dataflywheel.report.rundir import Run


def embedding_map(run: Run) -> str:
    """A sample of the map with kept and dropped rows in their true proportion, as far as every kept row can be seen."""
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
    finite = np.isfinite(points).all(axis=1)
    points, kept = points[finite], kept[finite]
    if not len(points):
        return section("map", "Map of the rows", note("The map of this run holds no rows."))
    sample = np.arange(len(points))
    if len(points) > MAP_POINTS:
        sample = np.sort(np.random.default_rng(0).choice(len(points), MAP_POINTS, replace=False))
    total = max(len(points), run.pool.rows_out if run.pool else 0)
    shown = f"{count(len(sample))} of {count(total)} rows drawn at random" if len(sample) < total else "all rows"
    described = f"{count(kept.sum())} kept and {count((~kept).sum())} dropped rows; {shown}"
    drawing = scatter("map", "Rows by meaning", described, points[sample], kept[sample])
    lead = (
        '<span class="key kept"></span> kept <span class="key dropped"></span> dropped. '
        f"Rows close together say similar things; {shown}."
    )
    return section("map", "Map of the rows", f'<figure class="map">{drawing}</figure>', lead)
