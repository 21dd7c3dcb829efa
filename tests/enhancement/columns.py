"""Columns as cleaners see them, measured on prompt-answer pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dataflywheel.contracts import AnyArray, Columns, Signal, TargetView, Texts
from dataflywheel.rows.text import Part, texts
from tests.signals.rows import Pair, batch


def measured(pairs: list[Pair], *signals: Signal, prefix: str = "r") -> Columns:
    """Columns with the ids r000000, r000001, ...: in the order of the rows."""
    rows = batch(pairs)
    columns = Columns(np.array([f"{prefix}{i:06d}" for i in range(len(pairs))], dtype=object))
    for signal in signals:
        for name, value in signal.measure(rows).items():
            columns.values[f"{signal.name}.{name}"] = to_numpy(value)
    return columns


def to_numpy(value: object) -> AnyArray:
    if isinstance(value, np.ndarray):
        return value
    found = value.to_pylist()  # type: ignore[attr-defined]
    width = max((len(v) for v in found if isinstance(v, list)), default=0)
    if width:
        return np.array([v or [0] * width for v in found], dtype=np.uint32)
    return np.array(value.to_numpy(zero_copy_only=False))  # type: ignore[attr-defined]


def lookup(pairs: list[Pair], part: Part = "all", asked: list[str] | None = None) -> Texts:
    """The texts of rows by id; ids that were asked for are noted in `asked`."""
    rendered = texts(batch(pairs)["messages"], part)

    def texts_of(ids: Sequence[str]) -> list[str]:
        if asked is not None:
            asked.extend(ids)
        return [rendered[int(id[1:])] for id in ids]

    return texts_of


def target(pairs: list[Pair]) -> TargetView:
    ids = np.array([f"t{i:06d}" for i in range(len(pairs))], dtype=object)
    return TargetView(Columns(ids), [prompt for prompt, _ in pairs], [answer for _, answer in pairs])
