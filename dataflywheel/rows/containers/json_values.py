"""JSON texts one after the other, however they are laid out, and what is wrong with one that is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import orjson

from dataflywheel.rows.containers.block import LONGEST
from dataflywheel.rows.containers.json_exact import TwiceError, exact, slowly

STRING = rb'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"'
BRACKET = re.compile(rb'(?:[^"\[\]{}]++|' + STRING + rb')*+([\[\]{}"])')
BETWEEN = b" \t\r\n\x0b\x0c,\x1e"
"""What may stand between two records: blanks, commas, and the mark of JSON text sequences."""
NUMBERS = (b"NaN", b"Infinity")
PARTNER = {b"}": ord("{"), b"]": ord("[")}
LOOKED_AT = 1 << 18
"""Bytes of a broken text in which what is wrong is looked for."""
STEP = 4 << 20
RESTARTS = 100
ENOUGH = 100
"""A text of more than 64 MB that holds so many whole objects is a list of records under a key, not one record."""


def is_json(line: bytes) -> bool:
    try:
        return isinstance(loads(line), dict | list)
    except ValueError:
        return False


def loads(text: bytes) -> Any:
    """A JSON value; NaN, which other writers use for "nothing", is null, and numbers that cannot be held are texts.

    Raises:
        ValueError: the text is not JSON, or a name stands twice in an object, with different values.
    """
    try:
        return exact(text, orjson.loads(text))
    except orjson.JSONDecodeError as error:
        if not any(name in text for name in NUMBERS) and "number is infinity" not in str(error):
            raise
        try:
            value = slowly(text)
            orjson.dumps(value)
        except (TypeError, RecursionError) as too_much:
            raise ValueError(str(too_much)) from None
        return value


def why_not(text: bytes) -> str:
    """What keeps a text from being JSON, in words that say what to do."""
    try:
        loads(text)
        reason = "a value of no use"
    except TwiceError as error:
        return str(error)
    except ValueError as error:
        reason = str(error)
    bare = re.sub(STRING, b"0", text[:LOOKED_AT])
    rules = (
        (rb'"[^"\n]*\n', "a line break inside a text; write it as \\n"),
        (rb"//|/\*|#", "it has comments, which JSON has not; take them out"),
        (rb",\s*[}\]]", "a comma stands before a closing bracket; take it out"),
        (rb"[\[{,:]\s*'|\b(?:True|False|None)\b", "a Python literal; write it with json.dumps"),
        (rb"[{,]\s*[A-Za-z_]\w*\s*:", "a name without quotes; put it in double quotes"),
    )
    for pattern, words in rules:
        if re.search(pattern, bare):
            return f"not JSON: {words} ({reason})"
    return f"not JSON: {reason}"


class Found(NamedTuple):
    """One record as its bytes, what stood between it and the one before, and whether an array holds it."""

    before: bytes
    text: bytes
    in_array: bool


class Values:
    """The records of a JSON text: values one after the other, or the elements of arrays, as slices of its bytes.

    Memory is bounded by the largest record. Where the brackets of one do not close, reading goes on at the next line
    that opens an object no deeper than that one.
    """

    def __init__(self, stream: BinaryIO, head: bytes = b"") -> None:
        self.stream, self.text, self.ended = stream, head, False
        self.start, self.lines = 0, 0
        self.cut = b""
        """What stands after the last record, where the text ends inside one or holds too much for one."""
        self.unclosed = False
        """Whether the text ends inside an array."""

    @property
    def line(self) -> int:
        """The line on which the latest record begins."""
        return self.lines + self.text.count(b"\n", 0, self.start) + 1

    def __iter__(self) -> Iterator[Found]:
        at = end = closed = restarts = 0
        array = opened = False
        inside = bytearray()
        while True:
            found = BRACKET.match(self.text, at)
            if found is None or (found[1] == b'"' and self._waits(found.start(1))):
                at = len(self.text) if found is None else found.start(1)
                large = len(self.text) - (self.start if opened else end) > LONGEST
                if not self.ended and not (large and closed < ENOUGH):
                    at, end = at - end, self._more(end)
                    continue
                again = self._after_broken() if opened and self.ended and restarts < RESTARTS else 0
                if not again:
                    self.start = self.start if opened else end
                    self.cut, self.unclosed = self.text[self.start :], array
                    return
                yield Found(self.text[end : self.start], self.text[self.start : again], array)
                at = end = again
                restarts, opened = restarts + 1, False
                inside.clear()
                continue
            at, sign = found.end(), found[1]
            if sign == b'"' or (not inside and sign in b"}]"):
                array = array and (bool(inside) or sign != b"]")
            elif sign in b"}]":
                again = 0 if inside.pop() == PARTNER[sign] or restarts >= RESTARTS else self._after_broken()
                closed += len(inside) == 2
                if not inside or again:
                    at, restarts = again or at, restarts + bool(again)
                    yield Found(self.text[end : self.start], self.text[self.start : at], array)
                    end, opened = at, False
                    inside.clear()
            elif inside or sign == b"{" or array:
                if not inside:
                    self.start, opened, closed = at - 1, True, 0
                inside += sign
            else:
                array = True

    def _waits(self, quote: int) -> bool:
        """Whether a text that opens here may close in what was not read yet; a text never spans lines."""
        return not self.ended and self.text.find(b"\n", quote) < 0

    def _more(self, keep: int) -> int:
        """Read on, and forget what comes before `keep`; gives the new place of `keep`."""
        chunk = self.stream.read(max(STEP, len(self.text) - keep))
        self.ended = not chunk
        self.lines += self.text.count(b"\n", 0, keep)
        self.start -= keep
        self.text = self.text[keep:] + chunk
        return 0

    def _after_broken(self) -> int:
        """Where the next record begins after one that does not close; 0 where there is none."""
        line = self.text.rfind(b"\n", 0, self.start) + 1
        before = self.text[line : self.start]
        indent = 0 if before.strip(BETWEEN + b"[") else len(before)
        found = re.compile(rb"\n[ \t,\x1e]{0,%d}(?=\{)" % indent).search(self.text, self.start)
        return found.end() if found else 0
