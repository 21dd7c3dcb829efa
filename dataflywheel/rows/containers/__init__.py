"""Files in and out: what holds the records, whatever their shape."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dataflywheel.contracts import UsageError
from dataflywheel.rows.containers.block import BLOCK_BYTES, Block, bad_file
from dataflywheel.rows.containers.columnar import columnar_blocks
from dataflywheel.rows.containers.delimited import delimited_blocks
from dataflywheel.rows.containers.json_document import document_blocks
from dataflywheel.rows.containers.lines import line_blocks
from dataflywheel.rows.containers.opening import BROKEN, open_bytes
from dataflywheel.rows.containers.sniff import CONTAINERS, Unread, container_of

__all__ = ["CONTAINERS", "read_blocks"]


def read_blocks(
    path: Path, container: str | None = None, block_bytes: int = BLOCK_BYTES, part: str | None = None
) -> tuple[str, Iterator[Block]]:
    """The container of a file (detected when None) and its blocks; of a JSON document those of one `part`.

    A file that is empty, binary, damaged or none at all gives a bad block that says so.

    Raises:
        UsageError: a part of a file that has none.
    """
    try:
        place = path.stat()
        if not stat.S_ISREG(place.st_mode):
            return "unknown", iter([bad_file("not a regular file; write what it gives to a file first")])
        if place.st_size == 0:
            return container or "empty", iter([bad_file("the file is empty")])
        container = container or container_of(path)
        if container is None:
            return "unknown", iter([bad_file("neither text nor a known data format (jsonl, json, csv, tsv, parquet)")])
        if part is not None and container not in ("json", "jsonl"):
            raise UsageError(f"{path}#{part}: a {container} file has no parts")
        if container in ("parquet", "arrow"):
            return container, columnar_blocks(path, container)
        stream = open_bytes(path)
    except Unread as words:
        return "unknown", iter([bad_file(str(words))])
    except BROKEN as error:
        return container or "unknown", iter([bad_file(f"the file cannot be opened: {error}")])
    if container == "json" or part is not None:
        return "json", closing(stream, document_blocks(stream, str(path), part))
    if container in ("csv", "tsv"):
        return container, closing(stream, delimited_blocks(stream, container))
    return container, closing(stream, line_blocks(stream, "text" if container == "text" else "jsonl", block_bytes))


def closing(stream: BinaryIO, blocks: Iterator[Block]) -> Iterator[Block]:
    with stream:
        try:
            yield from blocks
        except BROKEN as error:
            yield bad_file(f"the file cannot be read on: {error}")
