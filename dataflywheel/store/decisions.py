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


NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def counts(decisions: Decisions) -> dict[str, int]:
    """Rows by action and kind of reason, the most frequent first.

    The kind is what stands before a colon or semicolon; numbers that differ between the rows of a kind are left out.
    """
    sizes: Counter[tuple[str, str]] = Counter()
    numbers: dict[tuple[str, str], list[str | None]] = {}
    for action, reason in zip(decisions.action, decisions.reason, strict=True):
        kind = re.split("[:;]", reason, maxsplit=1)[0]
        key, found = (action, NUMBER.sub("{}", kind.replace("{", "(").replace("}", ")"))), NUMBER.findall(kind)
        sizes[key] += 1
        same = numbers.setdefault(key, list(found))
        numbers[key] = [a if a == b else None for a, b in zip(same, found, strict=True)]
    return {
        f"{action}: {text.format(*(number or '…' for number in numbers[action, text]))}": n
        for (action, text), n in sizes.most_common()
    }
