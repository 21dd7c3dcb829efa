"""A stretch of a file on its way to becoming rows: what readers of files make and what the parser takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

BLOCK_BYTES = 4 << 20
BLOCK_RECORDS = 4096
LONGEST = 64 << 20
"""Bytes of one line or record; a longer one is set aside, so that memory stays bounded."""


@dataclass(frozen=True)
class Bad:
    """Something that the reader of the file could not take apart."""

    reason: str
    text: Any = ""
    field: str = ""


@dataclass(frozen=True)
class Left:
    """Something beside the records that was not read, and why: no fault, but said."""

    path: str
    reason: str


@dataclass(frozen=True)
class Block:
    """Consecutive lines or records; `first` is the number of the first of them, counted from 1.

    The payload is whole lines as bytes (`jsonl`, `text`), a record batch (`arrow`), or numbered records (`records`).
    """

    kind: Literal["jsonl", "text", "arrow", "records"]
    first: int
    payload: bytes | pa.RecordBatch | list[tuple[int, Any]]


def bad_file(reason: str, line: int = 0, text: Any = "") -> Block:
    """A block that says only that the file, or the rest of it from `line`, could not be read."""
    return Block("records", line, [(line, Bad(reason, text))])


def left_out(unread: list[Left]) -> Block:
    """A block without records that says what was not read."""
    return Block("records", 0, [(0, entry) for entry in unread])
