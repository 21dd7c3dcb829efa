"""Drop rows whose signals lie out of bounds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from dataflywheel.contracts import (
    AnyArray,
    Card,
    Cleaner,
    Columns,
    Decisions,
    FlywheelError,
    Status,
    TargetView,
    Texts,
    UsageError,
)
from dataflywheel.plugins.functions import load, verdict

REASON = "python.reason"
"""The column of what the user's function said."""
Bound = tuple[float | None, float | None]


class Filter(Cleaner):
    """Keeps the rows whose values lie within all bounds (inclusive) and are among the values asked for, and which a
    function of the user's keeps.

    Bounds are levels, or quantiles of the rows that are measured: where the level that means trouble differs between
    pools and models, a share of the pool carries over and a level does not.

    The reason names the first column that a row fails at, its value and the bound. A row that could not be measured
    has no value to compare: `unmeasured` says what becomes of it; so it does of one at which the function fails.
    """

    card: ClassVar[Card] = Card(
        title="Scaling Language Models: Methods, Analysis & Insights from Training Gopher",
        authors="Rae et al.",
        year=2021,
        paper="2112.11446",
        category="enhancement",
        subcategory="preparation",
        summary="Bounds and allowed values over any measured signal.",
        checked="row-by-row comparison in plain Python; functions that give verdicts, reasons, nothing and errors",
        pays="A pool with a fault that one signal shows, such as wrong language, cut answers or answers to another "
        "question: it costs no more than that signal.",
        fails="A level taken from another pool or model cuts wrongly, and an outlier may be the rare good row: use "
        "`quantiles`, and read what was dropped.",
        evidence="benchmarks/results.md, planted: filters found 0.92 of swapped answers, 0.91 of boilerplate and 0.74 "
        "of cut answers, but the selection behind them was not shown better than random of equal rows: -0.0416 bits "
        "per byte, where less is better, -0.0880 to +0.0047.",
    )

    bounds: dict[str, Bound] = {}
    """Column -> [lowest, highest], null for no bound on that side; for instance `text.tokens_answer: [3, 1024]`."""
    quantiles: dict[str, Bound] = {}
    """Column -> [lowest, highest] as shares of its measured values: `likelihood.end_loss: [null, 0.85]` drops the
    highest 15 %. A column has bounds or quantiles, not both. Rows that tie with the level stay."""
    equals: dict[str, list[str]] = {}
    """Column -> allowed values, for instance `language.code: [en]`."""
    python: str | None = Field(default=None, exclude_if=lambda named: named is None)
    """File and function of the user's, as `./checks.py:keep`, which takes a row as a dictionary in the row schema and
    gives True, False, a reason against it (a text), or `(False, reason)`."""
    unmeasured: Literal["keep", "drop"] = "keep"
    """What becomes of rows without a value in one of the columns."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.python is not None:
            load(self.python, "filter", ["row"])
        elif not self.needs():
            raise ValueError("give bounds, quantiles or equals; with none of them nothing would be dropped")
        for name in self.needs():
            if "." not in name:
                raise ValueError(f"{name!r} is no column; write 'signal.column', for instance 'text.tokens_answer'")
        for name, share in self.quantiles.items():
            if name in self.bounds:
                raise ValueError(f"{name} has bounds and quantiles; give one of them")
            if not all(side is None or 0 <= side <= 1 for side in share):
                raise ValueError(f"the quantiles of {name} are shares from 0 to 1, not {list(share)}")
        for name, (low, high) in (self.bounds | self.quantiles).items():
            if low is None and high is None:
                raise ValueError(f"the bounds of {name} are both null; leave the column out or give one")
            if low is not None and high is not None and low > high:
                raise ValueError(f"the lower bound of {name} ({low:g}) is above the upper one ({high:g})")
        return self

    def needs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.bounds, *self.quantiles, *self.equals)))

    def facts(self, rows: Iterator[pa.RecordBatch]) -> dict[str, AnyArray]:
        """Why the user's function turns rows away: "" where it keeps one, null with the error where it fails."""
        if self.python is None:
            return {}
        function = load(self.python, "filter", ["row"])
        reasons: list[str | None] = []
        errors: list[str | None] = []
        for row in (row for batch in rows for row in batch.to_pylist()):
            reason, failed = verdict(function, self.python, row)
            reasons.append(None if failed else reason)
            errors.append(failed or None)
        status = np.where([error is None for error in errors], Status.OK, Status.FAILED).astype(np.uint8)
        found = {REASON: np.array(reasons, dtype=object), "python.error": np.array(errors, dtype=object)}
        return {**found, "python.status": status}

    def thresholds(self, columns: Columns) -> dict[str, Bound]:
        """Column -> (lowest, highest) as levels of these rows: where quantiles were asked for, what they came to."""
        found: dict[str, Bound] = {}
        for name in self.bounds | self.quantiles:
            values, present = usable(columns, name)
            found[name] = self.level(name, values[present])
        return found

    def decide(self, columns: Columns, texts: Texts, target: TargetView | None) -> Decisions:
        fails: list[str | None] = [None] * len(columns)
        scores: list[float | None] = [None] * len(columns)
        present: dict[str, AnyArray] = {}
        levels, idle = self.thresholds(columns), list[str]()
        for name in [*self.needs(), *([REASON] if self.python is not None else [])]:
            values, present[name] = usable(columns, name)
            bound = levels.get(name, (None, None))
            out = present[name] & self.outside(name, values, bound)
            if name in self.quantiles and len(values[present[name]]) and not out.any():
                idle.append(f"{name}: {self._tied(values[present[name]], bound)}")
            for i in np.flatnonzero(out).tolist():
                if fails[i] is None:
                    fails[i] = self.complaint(name, values[i], bound)
                    scores[i] = float(values[i]) if name in levels else None
        complete = np.logical_and.reduce(list(present.values()))
        decisions = Decisions(notes={"bounds": {name: list(level) for name, level in levels.items()}})
        if self.python is not None and (failed := [e for e in columns["python.error"] if e is not None]):
            if len(failed) == len(columns):  # as of a signal that fails everywhere: nothing was filtered
                raise FlywheelError(f"filter: {self.python} failed at all {len(failed):,} rows; the first: {failed[0]}")
            decisions.notes["failed"] = f"{Path(self.python).name} failed at {len(failed):,} rows, first: {failed[0]}"
        if idle:
            decisions.notes["idle"] = f"no row is beyond the quantiles of {'; '.join(idle)}"
        for i, id in enumerate(columns.ids.tolist()):
            if fails[i] is not None:
                decisions.add(id, "dropped", str(fails[i]), score=scores[i])
            elif not complete[i]:
                action = "kept" if self.unmeasured == "keep" else "dropped"
                lacking = [name for name, mask in present.items() if not mask[i]]
                decisions.add(id, action, f"unmeasured: {', '.join(state(columns, name, i) for name in lacking)}")
            else:
                decisions.add(id, "kept", "within all bounds" if self.needs() else "kept by the function")
        return decisions

    def level(self, name: str, values: AnyArray) -> Bound:
        """The bounds of a column as levels; `values` are those that were measured."""
        if name not in self.quantiles or not len(values):
            return self.bounds.get(name, (None, None))
        low, high = (None if q is None else float(np.quantile(values, q)) for q in self.quantiles[name])
        return low, high

    def _tied(self, values: AnyArray, bound: Bound) -> str:
        """How many values are the level itself, which stay; that there are few, where none is."""
        for level in bound:
            if level is not None and (share := float(np.mean(values == level))):
                return f"{share:.0%} of the values are {level:g}, and ties stay"
        return f"there are {len(values):,} values"

    def outside(self, name: str, values: AnyArray, bound: Bound) -> AnyArray:
        """Mask (n,) of the values out of bounds or not among those allowed; meaningless where there is no value."""
        if name == REASON:
            return np.asarray(values != "")
        out = np.zeros(len(values), dtype=bool)
        low, high = bound
        out |= (values < low) if low is not None else out
        out |= (values > high) if high is not None else out
        if name in self.equals:
            out |= ~np.isin(values.astype(str), self.equals[name])
        return out

    def complaint(self, name: str, value: Any, bound: Bound) -> str:
        if name == REASON:
            return str(value)
        if name in self.equals and str(value) not in self.equals[name]:
            return f"{name} = {value} is not among {', '.join(self.equals[name])}"
        (low, high), (lowest, highest) = bound, self.quantiles.get(name, (None, None))
        if low is not None and value < low:
            return f"{name} = {value:g} < {low:g}" + ("" if lowest is None else f", the quantile {lowest:g}")
        return f"{name} = {value:g} > {high:g}" + ("" if highest is None else f", the quantile {highest:g}")


def state(columns: Columns, name: str, row: int) -> str:
    """A column that has no value in a row, with the status of its signal and what went wrong, where these are known."""
    signal = name.split(".")[0]
    status, errors = (columns.values.get(f"{signal}.{fact}") for fact in ("status", "error"))
    error = errors[row] if errors is not None else None
    told = "" if status is None else Status(int(status[row])).name.lower()
    return f"{name} ({told}{f': {error}' if error else ''})" if told else name


def usable(columns: Columns, name: str) -> tuple[AnyArray, AnyArray]:
    """The values of a column (n,), and the mask of the rows that have one."""
    values = columns[name]
    if values.ndim != 1:
        raise UsageError(f"filter: {name} holds vectors; only columns of numbers or text can be bounded")
    present = columns.ok(name)
    if values.dtype.kind == "O":
        present = present & np.array([value is not None and value == value for value in values], dtype=bool)
    return values, present
