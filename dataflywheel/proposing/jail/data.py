"""Values as plain data between two processes: what one says is built anew by the other, out of Python's own types."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

MAX_DEPTH = 100
MAX_ITEMS = 200_000
Hold = Callable[[object], Any]
"""What stands for a value that is no data."""
Held = Callable[[dict[str, Any]], Any]
"""Gives back what stands for it."""
_PRINTED: dict[type, Callable[[str], Any]] = {
    Fraction: Fraction,
    Decimal: Decimal,
    datetime.date: datetime.date.fromisoformat,
    datetime.datetime: datetime.datetime.fromisoformat,
    datetime.time: datetime.time.fromisoformat,
}
_BY_NAME = {kind.__name__: build for kind, build in _PRINTED.items()}


class NotDataError(Exception):
    """A value that is no data, or too much of it, where only data can decide."""


def encode(value: Any, hold: Hold, depth: int = 0) -> Any:
    """A value as JSON. Of a class that derives from one of Python's own types, what it is as that type: how it compares
    itself does not travel. Anything else is what `hold` makes of it.

    Raises:
        NotDataError: deeper than `MAX_DEPTH`, as a list within itself is.
    """
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if depth > MAX_DEPTH:
        raise NotDataError("too deep")
    for base in (int, float, complex, str):
        if issubclass(kind, base):
            return _atom(base, value)
    for raw in (bytes, bytearray):
        if issubclass(kind, raw):
            return {"t": raw.__name__, "v": _within(list(raw.__iter__(value)))}
    for many in (list, tuple, set, frozenset):
        if issubclass(kind, many):
            items = _within(list(many.__iter__(value)))
            return {"t": many.__name__, "v": [encode(item, hold, depth + 1) for item in items]}
    if issubclass(kind, dict):
        pairs = _within(list(dict.items(value)))
        return {"t": "dict", "v": [[encode(k, hold, depth + 1), encode(v, hold, depth + 1)] for k, v in pairs]}
    if kind is range:
        return {"t": "range", "v": [value.start, value.stop, value.step]}
    if kind in _PRINTED:
        return {"t": kind.__name__, "v": value.isoformat() if hasattr(value, "isoformat") else str(value)}
    return hold(value)


def _atom(base: type, value: Any) -> Any:
    if base is int:
        return {"t": "int", "v": hex(int.__index__(value))}
    if base is float:
        return {"t": "float", "v": float.hex(value)}
    if base is complex:
        plain = complex.__complex__(value)
        return {"t": "complex", "v": [plain.real.hex(), plain.imag.hex()]}
    return str.__str__(value)


def _within(items: list[Any]) -> list[Any]:
    if len(items) > MAX_ITEMS:
        raise NotDataError("too many items")
    return items


def decode(given: Any, held: Held) -> Any:
    """The value that `encode` wrote, of Python's own types; `held` gives back what was held."""
    if not isinstance(given, dict):
        return given
    kind: str = given.get("t", "")
    value: Any = given.get("v")
    if kind == "int":
        return int(str(value), 16)
    if kind == "float":
        return float.fromhex(str(value))
    if kind == "complex":
        return complex(float.fromhex(str(value[0])), float.fromhex(str(value[1])))
    if kind in ("bytes", "bytearray"):
        return bytes(value) if kind == "bytes" else bytearray(value)
    if kind in ("list", "tuple", "set", "frozenset"):
        items = [decode(item, held) for item in value]
        return {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[kind](items)
    if kind == "dict":
        return {decode(key, held): decode(item, held) for key, item in value}
    if kind == "range":
        return range(*value)
    if kind in _BY_NAME:
        return _BY_NAME[kind](str(value))
    return held(given)
