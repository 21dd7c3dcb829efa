"""A text file as blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Literal

from dataflywheel.rows.containers.block import BLOCK_BYTES, LONGEST, Bad, Block, bad_file
from dataflywheel.rows.containers.json_values import is_json
from dataflywheel.rows.containers.unpacking import damage_of


def line_blocks(stream: BinaryIO, kind: Literal["jsonl", "text"], size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Blocks of about `size` bytes that end where a line ends; a line of more than 64 MB is set aside.

    Memory is bounded by the block and the longest line. Of a damaged file, all lines before the damage are given, and
    one entry says what became of the rest.
    """
    first = 1
    waiting: list[bytes] = []
    held = 0
    while chunk := stream.read(size):
        end = chunk.find(b"\n")
        if held + (end if end >= 0 else len(chunk)) > LONGEST:
            yield too_long(first, b"".join(waiting)[:1000])
            chunk = chunk[end + 1 :] if end >= 0 else after_line(stream, size)
            first, waiting, held = first + 1, [], 0
        cut = chunk.rfind(b"\n") + 1
        if cut:
            payload = b"".join([*waiting, chunk[:cut]])
            yield Block(kind, first, payload)
            first += payload.count(b"\n")
            waiting, held = [], 0
        waiting.append(chunk[cut:])
        held += len(chunk) - cut
    yield from ending(stream, kind, first, b"".join(waiting))


def too_long(line: int, beginning: bytes) -> Block:
    return bad_file(f"a line of more than {LONGEST >> 20} MB; one record a line is expected", line, beginning)


def after_line(stream: BinaryIO, size: int) -> bytes:
    """Read on to the end of the line; what was read after it."""
    while chunk := stream.read(size):
        end = chunk.find(b"\n")
        if end >= 0:
            return chunk[end + 1 :]
    return b""


def ending(stream: BinaryIO, kind: Literal["jsonl", "text"], first: int, rest: bytes) -> Iterator[Block]:
    """The lines after the last block; the last of them is half a line where the file was cut."""
    damage = damage_of(stream)
    whole, _, last = rest.rpartition(b"\n")
    if damage and damage.cut and not (kind == "jsonl" and is_json(last)):
        lines, rest = (whole + b"\n" if whole else b""), last
        if lines:
            yield Block(kind, first, lines)
        line = first + lines.count(b"\n")
        yield Block("records", line, [(line, Bad(told(damage.reason), rest))])
        return
    if rest:
        yield Block(kind, first, rest)
    if damage:
        yield bad_file(told(damage.reason), first + rest.count(b"\n"))


def told(reason: str) -> str:
    """What is said of a damaged file."""
    return f"the file is damaged or ends early: {reason}; what stands before was read"
