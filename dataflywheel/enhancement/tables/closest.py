"""How far each line of a table is from the closest line of another one, numbers and categories mixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray
from dataflywheel.enhancement.tables.columns import Column, Value, columns_of, is_number
from dataflywheel.rows.gaps import text_of

HELD = 1_000_000
"""Distances held at a time."""
Line = Mapping[str, Value]


@dataclass(frozen=True)
class Places:
    """Lines of one table as arrays: `numbers` (n, a), NaN where there is none, in units of the column's range, and
    `codes` (n, b), -1 where there is none and one number for each other value."""

    numbers: FloatArray
    codes: AnyArray

    def __len__(self) -> int:
        return len(self.numbers)

    def some(self, places: AnyArray) -> Places:
        """The lines at these places."""
        return Places(self.numbers[places], self.codes[places])

    def identities(self) -> list[bytes]:
        """Equal for lines that are equal in all columns."""
        return [a.tobytes() + b.tobytes() for a, b in zip(self.numbers, self.codes, strict=True)]


class Gower:
    """Gower's distance on the columns of a table: the mean over its columns of |a - b| / range of numbers, at most 1,
    and of 0 or 1 for equal and other categories. A gap is as far from a value as can be, and not from a gap.

    What columns there are, which are numbers, and their ranges, is what the first table says.
    """

    def __init__(self, lines: Sequence[Line], without: Sequence[str] = ()) -> None:
        table = {name: column for name, column in columns_of(lines).items() if name not in without}
        self.numeric = [column for column in table.values() if column.numeric]
        self.kinds = [column for column in table.values() if not column.numeric]
        self._codes: list[dict[str, int]] = [{} for _ in self.kinds]
        held = [_floats(column) for column in self.numeric]
        self._low = np.array([np.nanmin(v) if np.isfinite(v).any() else 0.0 for v in held])
        high = np.array([np.nanmax(v) if np.isfinite(v).any() else 0.0 for v in held])
        self._range = np.where(high > self._low, high - self._low, 1.0)

    @property
    def columns(self) -> list[str]:
        """The columns that are compared."""
        return [column.name for column in (*self.numeric, *self.kinds)]

    def places(self, lines: Sequence[Line]) -> Places:
        """These lines as arrays; columns that they lack are gaps, and further ones are not looked at."""
        numbers = np.full((len(lines), len(self.numeric)), np.nan)
        codes = np.full((len(lines), len(self.kinds)), -1, np.int32)
        for k, column in enumerate(self.numeric):
            values = _floats(Column(column.name, [line.get(column.name) for line in lines]))
            numbers[:, k] = (values - self._low[k]) / self._range[k]
        for k, (column, known) in enumerate(zip(self.kinds, self._codes, strict=True)):
            held = Column(column.name, [line.get(column.name) for line in lines])
            codes[:, k] = [
                -1 if gone else known.setdefault(text, len(known))
                for text, gone in zip(held.texts, held.missing.tolist(), strict=True)
            ]
        return Places(numbers, codes)

    def closest(self, of: Places, among: Places, own: AnyArray | None = None) -> FloatArray:
        """Distance of each line of `of` to the closest of `among` (n,); NaN where there is none. `own` (n,): where each
        line stands itself in `among`, which is passed over."""
        found = np.full(len(of), np.nan)
        if len(among) <= int(own is not None):
            return found
        for part in np.array_split(np.arange(len(of)), 1 + len(of) * len(among) // HELD):
            near = self.distances(of.some(part), among)
            if own is not None:
                near[np.arange(len(part)), own[part]] = np.inf
            found[part] = near.min(axis=1) if len(part) else []
        return found

    def distances(self, of: Places, among: Places) -> FloatArray:
        """All of them (n, m), float32."""
        total = np.zeros((len(of), len(among)), np.float32)
        for k in range(len(self.numeric)):
            a, b = (side.numbers[:, k].astype(np.float32) for side in (of, among))
            apart = np.abs(a[:, None] - b[None, :])
            np.minimum(apart, 1.0, out=apart)
            gone, missing = np.isnan(a), np.isnan(b)
            if gone.any() or missing.any():
                apart[gone[:, None] ^ missing[None, :]] = 1.0
                apart[gone[:, None] & missing[None, :]] = 0.0
            total += apart
        for k in range(len(self.kinds)):
            total += of.codes[:, k][:, None] != among.codes[:, k][None, :]
        total /= max(1, len(self.numeric) + len(self.kinds))
        return total


def _floats(column: Column) -> FloatArray:
    """The numbers of a column, NaN where a cell holds none."""
    said = (text_of(value).replace(",", "") for value in column.values)
    return np.array([float(text) if is_number(text) else np.nan for text in said], dtype=np.float64)
