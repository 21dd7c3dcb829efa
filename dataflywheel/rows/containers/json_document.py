"""A JSON file that is one array of records, or one record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson

from dataflywheel.rows.containers.block import BLOCK_RECORDS, Bad, Block, bad_file
from dataflywheel.rows.containers.opening import BROKEN


def document_blocks(stream: BinaryIO) -> Iterator[Block]:
    """The records of the document; of a broken array, those before the break. The whole document is held in memory."""
    try:
        content = stream.read()
    except BROKEN as error:
        yield bad_file(f"the file is damaged or ends early: {error}")
        return
    try:
        value = orjson.loads(content)
        records = list(enumerate(value if isinstance(value, list) else [value], start=1))
    except orjson.JSONDecodeError as error:
        records = salvage(content.decode("utf-8", errors="surrogateescape"), error)
    for start in range(0, len(records), BLOCK_RECORDS):
        yield Block("records", records[start][0], records[start : start + BLOCK_RECORDS])


def salvage(text: str, error: orjson.JSONDecodeError) -> list[tuple[int, Any]]:
    """The elements of a broken array up to the break, and what broke it."""
    decoder = json.JSONDecoder()
    records: list[tuple[int, Any]] = []
    position = len(text) - len(text.lstrip())
    if text[position : position + 1] != "[":
        return [(0, Bad(f"not JSON: {error}", text))]
    while True:
        position += 1
        position += len(text[position : position + 4096]) - len(text[position : position + 4096].lstrip())
        try:
            value, position = decoder.raw_decode(text, position)
        except (json.JSONDecodeError, RecursionError):
            break
        records.append((len(records) + 1, value))
        while text[position : position + 1].isspace():
            position += 1
        if text[position : position + 1] != ",":
            if text[position : position + 1] == "]" and not text[position + 1 :].strip():
                return records
            break
    line = text.count("\n", 0, position) + 1
    reason = f"the array breaks at line {line}: {error}; what follows was not read"
    return [*records, (len(records) + 1, Bad(reason, text[position:]))]
