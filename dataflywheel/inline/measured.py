"""What was measured of rows, beside what became of each measurement."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataflywheel.contracts import AnyArray, Columns, Status, UsageError, nearest
from dataflywheel.inline.given import Given
from dataflywheel.inline.line import Line
from dataflywheel.inline.outcome import Decided, Outcome
from dataflywheel.inline.page import page, preview
from dataflywheel.inline.select import Selected

if TYPE_CHECKING:
    from pandas import DataFrame

SHOWN = 5
UNREAD = "unread"


@dataclass(frozen=True, repr=False)
class Measured:
    """Values of n rows in the order in which they were given: `measured["chars_answer"]` has shape (n,), a vector
    (n, d). Without a value, numbers are NaN and others None."""

    method: str
    given: Given
    lines: tuple[Line, ...]
    values: Mapping[str, AnyArray]
    """By the name of the column."""
    status: tuple[str, ...]
    """ok, truncated, empty, failed or skipped; `unread` where there is no row."""
    errors: tuple[str, ...]
    """Why there is no value, "" where there is one."""

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, name: str) -> AnyArray:
        """A column by its name.

        Raises:
            UsageError: there is none; the message gives the nearest right name.
        """
        if name not in self.values:
            raise UsageError(f"{self.method} has no column {name!r}{nearest(name, list(self.values))}")
        return self.values[name]

    @property
    def index(self) -> list[int]:
        """The place of each row's record in what was given, from 0."""
        return [line.index for line in self.lines]

    @property
    def reasons(self) -> Counter[str]:
        """Rows without a value, by why."""
        return Counter(why.partition(":")[0] for why in self.errors if why)

    def between(self, name: str, low: float | None = None, high: float | None = None) -> Outcome:
        """The rows whose value lies within bounds, both of them included, without measuring again; a row without a
        value is dropped for that."""
        values = self[name]
        if values.ndim != 1 or values.dtype.kind not in "fiu":
            raise UsageError(f"{self.method}.{name} holds no numbers that could have bounds")
        found = []
        for line, value, why in zip(self.lines, values.tolist(), self.errors, strict=True):
            reason = why or ("" if value == value else "no value")
            reason = reason or (f"{name} = {value:g} < {low:g}" if low is not None and value < low else "")
            reason = reason or (f"{name} = {value:g} > {high:g}" if high is not None and value > high else "")
            score = None if why or value != value else value
            found.append(Decided(line.index, not reason, reason or "within the bounds", score, line.id))
        ends = ["any" if end is None else f"{end:g}" for end in (low, high)]
        return Outcome(f"{self.method}.{name} from {ends[0]} to {ends[1]}", self.given, tuple(found), lines=self.lines)

    def to_pandas(self) -> DataFrame:
        """One line a row: its values, `status` and `error`, under the place of its record."""
        from pandas import DataFrame

        columns: dict[str, Any] = {n: v if v.ndim == 1 else list(v) for n, v in self.values.items()}
        return DataFrame({**columns, "status": self.status, "error": self.errors}, index=self.index)

    def __repr__(self) -> str:
        return "\n".join(filter(None, (self._result(), self._ranges())))

    def _repr_html_(self) -> str:
        rows = self.given.records(self.lines[:SHOWN])
        names = [name for name, values in self.values.items() if values.ndim == 1]
        told = [
            (", ".join(f"{name} {self.values[name][i]}" for name in names) or self.status[i], preview(row))
            for i, row in enumerate(rows)
        ]
        why = [(reason, f"{number:,}") for reason, number in self.reasons.most_common()]
        return page(self._result(), self._ranges(), [("no value", "rows", why), (self.method, "row", told)])

    def _result(self) -> str:
        known = sum(not why for why in self.errors)
        why = ", ".join(f"{reason} ({number:,})" for reason, number in self.reasons.most_common(3))
        return f"{known:,} of {len(self):,} rows measured by {self.method}" + (f"; no value: {why}" if why else "")

    def _ranges(self) -> str:
        """The range of each column of numbers."""
        told = []
        for name, values in self.values.items():
            if values.ndim == 1 and values.dtype.kind in "fiu" and np.isfinite(values).any():
                told.append(f"{name} {np.nanmin(values):.4g} to {np.nanmax(values):.4g}")
        return ", ".join(told)


def measured(method: str, given: Given, lines: list[Line], found: Columns) -> Measured:
    """The columns of a signal, a value a line."""
    place = {str(id): number for number, id in enumerate(found.ids.tolist())}
    at = np.array([place.get(line.id, -1) for line in lines])
    status = np.where(at < 0, -1, np.asarray(found[f"{method}.status"], dtype=np.int64)[at])
    known = (status >= 0) & (status <= Status.TRUNCATED)
    texts = found.values.get(f"{method}.error", np.full(len(found), None, dtype=object))
    errors = [
        "" if ok else line.unread or str(texts[place] or Status(int(state)).name.lower())
        for ok, line, place, state in zip(known.tolist(), lines, at.tolist(), status.tolist(), strict=True)
    ]
    kept = {
        name.partition(".")[2]: _there(values[at], known)
        for name, values in found.values.items()
        if name.startswith(f"{method}.") and not name.endswith((".status", ".error"))
    }
    told = tuple(UNREAD if state < 0 else Status(state).name.lower() for state in status.tolist())
    return Measured(method, given, tuple(lines), kept, told, tuple(errors))


def _there(values: AnyArray, known: AnyArray) -> AnyArray:
    """The values where they are known, and nothing that could be taken for one elsewhere."""
    if known.all():
        return values
    values = values.astype(np.float64 if values.dtype.kind in "fiu" and values.ndim == 1 else values.dtype, copy=True)
    if values.dtype.kind not in "fO":
        values = values.astype(np.float32 if values.ndim > 1 else object)
    values[~known] = None if values.dtype.kind == "O" else np.nan
    return values


def ranked(found: Selected) -> Measured:
    """The score that a selector gave each row, as the column `score`."""
    scores = [math.nan if one.score is None else one.score for one in found.decisions]
    by_id = {one.id: score for one, score in zip(found.decisions, scores, strict=True) if score == score}
    values = np.array([by_id.get(one.id, math.nan) for one in found.decisions])  # of identical rows each has it
    errors = ["" if value == value else one.reason for one, value in zip(found.decisions, values, strict=True)]
    status = [
        UNREAD if line.unread else Status(Status.OK if value == value else Status.SKIPPED).name.lower()
        for line, value in zip(found.lines, values, strict=True)
    ]
    return Measured(found.method, found.given, found.lines, {"score": values}, tuple(status), tuple(errors))
