"""What column names ask for: the signals behind them, and the models that those stand on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from dataflywheel.contracts import Method


def signals_of(names: Iterable[str]) -> list[str]:
    """Signals behind column names; facts of the row itself (`row.source`) need none.

    >>> signals_of(["text.turns", "row.source", "text.chars_answer", "language.code"])
    ['language', 'text']
    """
    return sorted({name.partition(".")[0] for name in names} - {"row"})


def asks(method: type[Method]) -> bool:
    """Whether a method spends on a model that answers questions."""
    return bool(getattr(method, "asks", False))


def model_kind(method: type[Method]) -> Literal["model", "embedder", "teacher"] | None:
    """Whether a method stands on a language model, an embedder, a model that is asked, or on none."""
    if asks(method):
        return "teacher"
    for name in ("model", "embedder"):
        if name in method.model_fields:
            return name
    return None
