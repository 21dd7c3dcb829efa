"""Decisions on disk: what every step did to every row, and why."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.contracts import Decisions

DECISION_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("action", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("other", pa.string()),
        pa.field("score", pa.float64()),
    ]
)


def write_decisions(path: Path, decisions: Decisions) -> None:
    table = pa.table(
        [decisions.ids, decisions.action, decisions.reason, decisions.other, decisions.score], schema=DECISION_SCHEMA
    )
    pq.write_table(table, path, compression="zstd", compression_level=1)


def read_decisions(path: Path) -> pa.Table:
    return pq.ParquetFile(path).read()


def counts(decisions: Decisions) -> dict[str, int]:
    """Rows by action and reason class: the reason up to its first colon, so that numbers do not split a class."""
    found = Counter(f"{a}: {r.split(':')[0]}" for a, r in zip(decisions.action, decisions.reason, strict=True))
    return dict(found.most_common())
