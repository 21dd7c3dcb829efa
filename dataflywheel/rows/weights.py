"""How much rows count where they are learned."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc


def weighed(rows: pa.Table, weights: Mapping[str, float]) -> pa.Table:
    """Rows with the weights that their ids have, each multiplied with the row's own where it has one."""
    given = pa.array([weights.get(id) for id in rows["id"].to_pylist()], pa.float64())
    own = rows["weight"]
    found = pc.coalesce(pc.multiply(own, given), own, given)
    return rows.set_column(rows.schema.get_field_index("weight"), rows.schema.field("weight"), found)
