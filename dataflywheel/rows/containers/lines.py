"""A text file as blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Literal

from dataflywheel.rows.containers.block import BLOCK_BYTES, Block, bad_file
from dataflywheel.rows.containers.opening import BROKEN


def line_blocks(stream: BinaryIO, kind: Literal["jsonl", "text"], size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Blocks of about `size` bytes that end where a line ends; memory is bounded by the block and the longest line."""
    first = 1
    waiting: list[bytes] = []
    while True:
        try:
            chunk = stream.read(size)
        except BROKEN as error:
            if waiting:
                yield Block(kind, first, b"".join(waiting))
            yield bad_file(f"the file is damaged or ends early: {error}", first + b"".join(waiting).count(b"\n"))
            return
        if not chunk:
            break
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            waiting.append(chunk)
            continue
        payload = b"".join([*waiting, chunk[:cut]])
        yield Block(kind, first, payload)
        first += payload.count(b"\n")
        waiting = [chunk[cut:]]
    if any(waiting):
        yield Block(kind, first, b"".join(waiting))
