"""Files in and out: what holds the records, whatever their shape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dataflywheel.rows.containers.block import BLOCK_BYTES, Block, bad_file
from dataflywheel.rows.containers.columnar import columnar_blocks
from dataflywheel.rows.containers.delimited import delimited_blocks
from dataflywheel.rows.containers.json_document import document_blocks
from dataflywheel.rows.containers.lines import line_blocks
from dataflywheel.rows.containers.opening import BROKEN, open_bytes
from dataflywheel.rows.containers.sniff import CONTAINERS, container_of

__all__ = ["CONTAINERS", "read_blocks"]


def read_blocks(
    path: Path, container: str | None = None, block_bytes: int = BLOCK_BYTES
) -> tuple[str, Iterator[Block]]:
    """The container of a file (detected when None) and its blocks.

    A file that is empty, binary or damaged gives a bad block that says so.
    """
    if path.stat().st_size == 0:
        return container or "empty", iter([bad_file("the file is empty")])
    try:
        container = container or container_of(path)
        if container is None:
            return "unknown", iter([bad_file("neither text nor a known data format (jsonl, json, csv, tsv, parquet)")])
        if container in ("parquet", "arrow"):
            return container, columnar_blocks(path, container)
        stream = open_bytes(path)
    except BROKEN as error:
        return container or "unknown", iter([bad_file(f"the file cannot be opened: {error}")])
    if container == "json":
        return container, closing(stream, document_blocks(stream))
    if container in ("csv", "tsv"):
        return container, closing(stream, delimited_blocks(stream, container))
    return container, closing(stream, line_blocks(stream, "text" if container == "text" else "jsonl", block_bytes))


def closing(stream: object, blocks: Iterator[Block]) -> Iterator[Block]:
    with stream:  # type: ignore[attr-defined]
        yield from blocks
