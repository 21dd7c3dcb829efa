"""The records of whole lines: one a line, and what else the field writes in such files."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import orjson

from dataflywheel.rows.containers.block import Bad, Block
from dataflywheel.rows.containers.json_exact import TwiceError, exact
from dataflywheel.rows.containers.json_values import BETWEEN, Values, loads, why_not

Line = tuple[int, bytes, Any]
BLANK = 4
"""Bytes a line on average, below which most lines are taken to be blank."""
NOT_BLANK = re.compile(rb"[^\s][^\n]*")
UTF8_BOM = b"\xef\xbb\xbf"


def lines_of(block: Block) -> Iterator[tuple[int, bytes]]:
    """Numbered lines; long stretches of blank ones are passed over at once."""
    text = block.payload
    assert isinstance(text, bytes)
    if text.isspace():
        return iter(())
    lines = text.split(b"\n")
    return sparse(text, block.first) if len(text) < BLANK * len(lines) else enumerate(lines, start=block.first)


def sparse(text: bytes, first: int) -> Iterator[tuple[int, bytes]]:
    line, seen = first, 0
    for found in NOT_BLANK.finditer(text):
        begins = text.rfind(b"\n", seen, found.start()) + 1 or seen
        line += text.count(b"\n", seen, found.start())
        seen = found.start()
        yield line, text[max(begins, 0) : found.end()]


def json_lines(block: Block) -> Iterator[Line]:
    """One record a line. A line may also hold several, begin with a mark or end with a comma."""
    parse = orjson.loads
    for number, line in lines_of(block):
        if not line.strip():
            continue
        try:
            value = exact(line, parse(line))
        except orjson.JSONDecodeError:
            yield from odd_line(number, line)
        except TwiceError as error:
            yield number, line, Bad(str(error))
        else:
            yield number, line, value


def odd_line(number: int, line: bytes) -> Iterator[Line]:
    """The records of a line that is not one JSON value, and what is bad about the rest of it."""
    bare = line.strip(BETWEEN).removeprefix(UTF8_BOM)
    if not bare:
        return
    try:
        yield number, line, loads(bare)
        return
    except ValueError:
        reason = what_is_wrong(line)
    values = Values(io.BytesIO(), bare)
    at = 0
    for found in values if not reason else ():
        # After anything else than records nobody knows where the next begins: it may be a piece of a torn one.
        if found.before.strip(BETWEEN) or not is_record(found.text):
            break
        at = values.start + len(found.text)
        yield number, found.text, loads(found.text)
    rest = bare[at:].strip(BETWEEN)
    if rest:
        yield number, rest, Bad(reason or f"{'text after a record: ' if at else ''}{why_not(rest)}")


def is_record(text: bytes) -> bool:
    try:
        return isinstance(loads(text), dict)
    except ValueError:
        return False


def text_lines(block: Block) -> Iterator[Line]:
    """One document a line."""
    for number, line in lines_of(block):
        if line.strip():
            reason = what_is_wrong(line)
            yield number, line, Bad(reason) if reason else {"text": line.removesuffix(b"\r").decode()}


def what_is_wrong(line: bytes) -> str | None:
    """Why a line is not text, or None when it is."""
    if b"\0" in line:
        return f"a NUL byte at byte {line.index(0)}; expected UTF-8 text"
    try:
        line.decode()
    except UnicodeDecodeError as error:
        way_out = "of an older Windows: iconv -f WINDOWS-1252 -t UTF-8"
        return f"not UTF-8 at byte {error.start}; save the file as UTF-8 ({way_out})"
    return None
