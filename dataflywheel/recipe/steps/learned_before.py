"""Which rows a first model has learned, as a column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.contracts import AnyArray
from dataflywheel.store.decisions import read_decisions


def learned_column(step: Path | None, ids: AnyArray) -> AnyArray:
    """Whether the `warm_up` of that directory learned each row (n,): False everywhere where there was none."""
    if step is None:
        return np.zeros(len(ids), dtype=bool)
    decisions = read_decisions(step / "decisions.parquet")
    learned = decisions.filter(pc.equal(decisions["score"], 1.0))["id"].combine_chunks()
    return np.asarray(pc.is_in(pa.array(ids, pa.string()), value_set=learned).to_numpy(zero_copy_only=False))
