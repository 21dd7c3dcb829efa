"""JSON files that are not one object a line: an array, objects over many lines or in a row, records under a key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO

import orjson

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.containers.block import BLOCK_RECORDS, LONGEST, Bad, Block
from dataflywheel.rows.containers.json_exact import exact
from dataflywheel.rows.containers.json_values import BETWEEN, Found, Values, loads, why_not
from dataflywheel.rows.containers.json_wrapped import unwrapped
from dataflywheel.rows.containers.lines import told
from dataflywheel.rows.containers.unpacking import damage_of
from dataflywheel.rows.formats.lone_turns import is_conversation

WHOLE = 32 << 20
"""Bytes of a document that is read at once; a larger one goes record by record."""


def document_blocks(stream: BinaryIO, name: str = "the document", part: str | None = None) -> Iterator[Block]:
    """The records of the document, numbered; what is broken among them is set aside alone.

    `part` names a split, or the key that the records stand under. Memory is bounded by the largest record, where no
    key holds all of them.

    Raises:
        FlywheelError: the document has no such part.
    """
    head = stream.read(WHOLE + 1)
    numbered = enumerate(entries(stream, head, name, part), start=1)
    while block := list(islice(numbered, BLOCK_RECORDS)):
        yield Block("records", block[0][0], block)


def entries(stream: BinaryIO, head: bytes, name: str, part: str | None) -> Iterator[Any]:
    """Records, and what is bad or was left between them."""
    if len(head) <= WHOLE and not damage_of(stream):
        try:
            value = exact(head, orjson.loads(head))
        except ValueError:
            pass  # record by record, so that what is wrong with one costs no other
        else:
            if is_conversation(value):
                yield value
            else:
                yield from value if isinstance(value, list) and part is None else opened(value, name, part)
            return
    values = Values(stream, head)
    place = Place()
    for found in values:
        junk = found.before.strip(BETWEEN + b"[]")
        if junk:
            yield Bad(why_not(junk) if junk[:1] in b"/#" else "text between the records; expected an object", junk)
        if not place.holds(found, bool(junk)):
            yield Bad(f"line {values.line}: perhaps a piece of the record before, which is broken", found.text)
            continue
        try:
            value = loads(found.text)
        except ValueError:
            yield Bad(f"line {values.line}: {why_not(found.text)}", found.text)
            continue
        yield from [value] if found.in_array and part is None else opened(value, name, part)
    yield from after(values, damage_of(stream))


class Place:
    """Whether a value is a record of its own: after text that is none, the next is where one begins its line again."""

    def __init__(self) -> None:
        self.indent: int | None = None
        self.lost = False

    def holds(self, found: Found, junk: bool) -> bool:
        _, newline, margin = found.before.rpartition(b"\n")
        begins = bool(newline) and not margin.strip(BETWEEN)
        if self.indent is None:
            self.indent = len(margin) if begins else 0
        elif junk or self.lost:
            self.lost = not (begins and len(margin) <= self.indent)
        return not self.lost


def opened(value: Any, name: str, part: str | None) -> Iterable[Any]:
    """The records of a value that may wrap them.

    Raises:
        FlywheelError: it has no part of that name.
    """
    try:
        return unwrapped(value, name, part)
    except KeyError as error:
        raise FlywheelError(f"{name}: {error.args[0]}") from None


def after(values: Values, damage: Any) -> Iterator[Any]:
    """One entry for what stands after the last record, and for the damage that cut the file there."""
    rest = values.cut.strip(BETWEEN + b"[]")
    if damage:
        yield Bad(told(damage.reason), rest)
    elif rest.startswith((b"{", b"[")) or len(rest) > LONGEST:
        large = f"a record of more than {LONGEST >> 20} MB" if len(rest) > LONGEST else why_not(rest)
        yield Bad(f"line {values.line}: {large}; what follows was not read", rest)
    elif not rest and values.unclosed:
        yield Bad(f"line {values.line}: the array does not close; perhaps the file was cut here")
    elif rest:
        yield Bad(f"line {values.line}: text after the records; expected an object", rest)
