"""Rows of the real data sets, as tables and as prompt-answer pairs."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import Message, table

Pair = tuple[str, str]


def json_lines(path: Path) -> list[dict[str, Any]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [orjson.loads(line) for line in content.splitlines() if line.strip()]


def alpaca(data: Path) -> list[Pair]:
    rows = pq.read_table(data / "alpaca_pool" / "alpaca_pool.parquet").to_pylist()
    return [("\n\n".join(filter(None, (r["instruction"], r["input"]))), r["output"]) for r in rows]


def p3(data: Path) -> list[str]:
    rows = pq.read_table(data / "p3_multitask" / "t0_train.parquet")
    return [f"{p}\n\n{c}" for p, c in zip(rows["prompt"].to_pylist(), rows["completion"].to_pylist(), strict=True)]


def batch(pairs: list[Pair]) -> pa.RecordBatch:
    """Prompt-answer rows in the row schema, in one batch."""
    rows = table([prompt_answer_row(*pair) for pair in pairs])
    return pa.RecordBatch.from_struct_array(rows.to_struct_array().combine_chunks())


def batch_of(conversations: list[list[Message]]) -> pa.RecordBatch:
    """Conversations as rows, in one batch."""
    return table([make_row(turns) for turns in conversations]).combine_chunks().to_batches()[0]
