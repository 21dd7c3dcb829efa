"""Decisions on disk: what every step did to every row, and why."""

from __future__ import annotations

import re
from collections import Counter
from itertools import zip_longest
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


NUMBER = re.compile(r"(\d+(?:[.,]\d+)*)")


def counts(decisions: Decisions) -> dict[str, int]:
    """Rows by action and kind of reason, the most frequent first.

    The kind is what stands before a colon or semicolon; numbers that differ between the rows of a kind are left out.
    """
    kinds = (reason.partition(":")[0].partition(";")[0] for reason in decisions.reason)
    sizes: Counter[tuple[str, ...]] = Counter()
    numbers: dict[tuple[str, ...], list[str]] = {}
    for (action, kind), n in Counter(zip(decisions.action, kinds, strict=True)).items():
        pieces = NUMBER.split(kind)
        key, found = (action, *pieces[::2]), pieces[1::2]
        sizes[key] += n
        same = numbers.setdefault(key, found)
        if same != found:
            numbers[key] = [a if a == b else "\u2026" for a, b in zip(same, found, strict=True)]
    return {
        f"{action}: {''.join(a + b for a, b in zip_longest(texts, numbers[action, *texts], fillvalue=''))}": n
        for (action, *texts), n in sizes.most_common()
    }
