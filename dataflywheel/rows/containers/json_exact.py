"""What a fast JSON parser passes over in silence: a name given twice, and digits of numbers that it cannot hold."""

from __future__ import annotations

import json
from typing import Any

import orjson

LARGEST, SMALLEST = 2**64, -(2**63)
"""Whole numbers from here on have more bits than Arrow and most readers hold."""


class TwiceError(ValueError):
    """A name stands twice in an object, with different values."""


def exact(text: bytes, value: Any) -> Any:
    """The value that `text` was parsed to, or a better one: whole numbers of more than 64 bits as texts of digits.

    A name that stands twice is a colon in the text that the value lacks, unless an escaped colon makes up for it, and
    a whole number that became a fraction has an exponent; only where one of these is so is the text read once more,
    slowly.

    Raises:
        TwiceError: a name stands twice in an object, with different values: which of them is meant, nobody knows.
    """
    try:
        again = orjson.dumps(value)
    except TypeError:
        return value  # nested too deeply to be stored, which is told later
    if again == text:
        return value
    as_many = text.count(b":") == again.count(b":") and b"\\u003" not in text
    if as_many and not (b"+" in again and b"e+" in again):
        return value
    try:
        return slowly(text)
    except (RecursionError, UnicodeDecodeError):
        return value


def slowly(text: bytes) -> Any:
    """A JSON value: NaN, which other writers use for "nothing", is null; the infinities, fractions beyond 1e308 and
    whole numbers of more than 64 bits are texts, as they were written.

    Raises:
        ValueError: the text is not JSON, or a name stands twice in an object, with different values.
    """
    hooks: dict[str, Any] = {"parse_constant": _constant, "parse_int": _whole, "parse_float": _fraction}
    return json.loads(text.decode("utf-8-sig"), object_pairs_hook=_object, **hooks)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        for name, value in pairs:
            if value != found[name] or type(value) is not type(found[name]):
                raise TwiceError(
                    f"the name {json.dumps(name)[:80]} stands twice, with different values; keep one of them"
                )
    return found


def _constant(name: str) -> str | None:
    return None if name == "NaN" else name


def _whole(digits: str) -> int | str:
    value = int(digits) if len(digits) < 21 else LARGEST
    return value if SMALLEST <= value < LARGEST else digits


def _fraction(digits: str) -> float | str:
    value = float(digits)
    return value if abs(value) != float("inf") else digits
