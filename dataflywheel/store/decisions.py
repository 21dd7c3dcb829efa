"""Decisions on disk: what every step did to every row, and why."""

from __future__ import annotations

import re
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
    """Rows by action and kind of reason: what stands before a colon or semicolon, with every number as `n`."""
    found = Counter(f"{a}: {kind_of(r)}" for a, r in zip(decisions.action, decisions.reason, strict=True))
    return dict(found.most_common())


def kind_of(reason: str) -> str:
    """The reason without what differs from row to row.

    >>> kind_of("ranked 812 of 3,000 by ifd; 300 kept")
    'ranked n of n by ifd'
    """
    return re.sub(r"\d[\d,.]*", "n", re.split("[:;]", reason, maxsplit=1)[0])
