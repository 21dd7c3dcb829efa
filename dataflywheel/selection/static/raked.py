"""Raking: weights that give the rows the margins one asks for, and a sample drawn by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, field_validator

from dataflywheel.contracts import AnyArray, Card, Columns, FloatArray, FlywheelError, Selection, Selector
from dataflywheel.selection.order import Rejected, counts, eligible, shuffled

EXACT, ROUNDS = 1e-6, 1000
"""How near the margins must come, in shares, and after how many rounds over all of them it is given up."""

NO_KINDS = frozenset({"row.tags", "row.text", "row.prompt", "row.answer"})
SUCH = "row.source or language.language"


class Raked(Selector):
    """Draws rows so that several margins are as asked for at once: sources and languages, say, each with its shares.

    Iterative proportional fitting: each margin in turn scales the rows of each of its values to the share that these
    shall have, until all hold. Rows are then drawn by their weights, systematically, so that shares of the sample are
    exact but for single rows; a row that is due more than once stands once and weighs more. Values that are not
    named keep their proportions in what the named ones leave. Where margins contradict each other, or a value has no
    rows, `notes` say which one is how far off.
    """

    card: ClassVar[Card] = Card(
        title="On a Least Squares Adjustment of a Sampled Frequency Table When the Expected Marginal Totals are Known",
        authors="Deming and Stephan",
        year=1940,
        paper="10.1214/aoms/1177731829",
        category="selection",
        subcategory="static",
        summary="Draws rows so that several margins at once (source, language, length) have the shares asked for.",
        checked="margins within 1e-6 on random tables, whose odds ratios stay, which only the fitted table has",
        pays="Pools whose make-up is not that of the use: one source or language crowds the others out.",
        fails="It knows margins alone: a kind that no margin names stays rare, and great weights repeat few rows.",
        evidence="The baseline that other balancing must beat; not measured here beside random choice yet.",
    )
    deterministic: ClassVar[bool] = False
    weighs: ClassVar[bool] = True

    margins: dict[str, dict[str, float]] = Field(min_length=1)
    """Shares by column and value: `{row.source: {forum: 0.5, manual: 0.5}, language.language: {de: 0.2}}`. A column of
    numbers takes ranges: `{text.tokens_answer: {"<50": 0.3, "50-200": 0.5, ">=200": 0.2}}`."""
    most: float = Field(default=10.0, ge=1)
    """How much more than the average a row may weigh; margins give way to that."""

    @field_validator("margins")
    @classmethod
    def _shares(cls, margins: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        for column, shares in margins.items():
            total = sum(shares.values())
            if not shares or not all(share >= 0 for share in shares.values()) or not total <= 1 + EXACT:
                raise ValueError(f"{column}: shares from 0, of 1 in all at most, not {shares} ({total:g} in all)")
            if column in NO_KINDS:
                raise ValueError(f"{column} holds no single kind a row; a margin takes one, such as {SUCH}")
            if not column.startswith("row.") and any(said.lstrip().startswith(("<", ">")) for said in shares):
                _check_ranges(column, [*shares])
        return margins

    def needs(self) -> tuple[str, ...]:
        return tuple(self.margins)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = shuffled(columns, eligible(columns, *self.margins), rng)
        if not len(rows):
            return Selection(rows, np.zeros(0), "", nested=False, notes=counts(columns, rows, *self.margins))
        told = [Margin.asked(name, columns[name][rows], shares) for name, shares in self.margins.items()]
        weight = capped(raked(told, len(rows)), self.most / max(1, len(rows)))
        chosen, counted = systematic(weight, budget, told)
        notes = counts(columns, rows, *self.margins) | {"margins": {m.name: m.told(weight) for m in told}}
        never = {int(rows[i]): Rejected("a value whose share is 0") for i in np.flatnonzero(weight == 0)}
        return Selection(
            rows[chosen], weight[chosen], "drawn by its raking weight", nested=False, weight=counted,
            notes=notes | {"rejected": never},
        )  # fmt: skip


class Margin:
    """One column: the value of each row (n,) as a number, and the share that each value shall have."""

    def __init__(self, name: str, of: AnyArray, names: Sequence[str], shares: FloatArray) -> None:
        self.name, self.of, self.names, self.shares = name, of, names, shares

    @classmethod
    def asked(cls, name: str, values: AnyArray, shares: Mapping[str, float]) -> Margin:
        """
        Raises:
            FlywheelError: no row has one of the values whose share is above 0, a range that cannot be read or overlaps
                another one, or a column with several values a row.
        """
        if values.dtype.kind == "O" and any(isinstance(value, list | tuple | np.ndarray) for value in values):
            raise FlywheelError(f"raked: {name} holds a list of values a row, and a margin takes one, such as {SUCH}")
        texts = _ranges(name, values, list(shares)) if values.dtype.kind in "fiu" else values.astype(str)
        names, of = np.unique(texts, return_inverse=True)
        lacking = [value for value, share in shares.items() if share > 0 and value not in names]
        if lacking:
            there = ", ".join(names[:8].tolist())
            raise FlywheelError(f"raked: no row has {name} {', '.join(lacking)}; there are {there}")
        now = np.bincount(of, minlength=len(names)) / max(1, len(of))
        open_ = np.array([value not in shares for value in names])
        rest, left = 1 - sum(shares.values()), now[open_].sum()
        wanted = np.array([shares.get(value, 0.0) for value in names])
        wanted[open_] = now[open_] / left * rest if left else 0.0
        return cls(name, of, names.tolist(), wanted / wanted.sum())

    def now(self, weight: FloatArray) -> FloatArray:
        """The share of each value by weights."""
        return np.asarray(np.bincount(self.of, weight, minlength=len(self.shares)) / weight.sum(), np.float64)

    def told(self, weight: FloatArray) -> dict[str, Any]:
        """Shares asked for and reached, and the furthest that one is off."""
        now = self.now(weight)
        every = zip(self.names, self.shares, now, strict=True)
        found = {name: {"asked": round(float(a), 4), "reached": round(float(b), 4)} for name, a, b in every}
        return {"values": found, "off": round(float(np.abs(now - self.shares).max()), 6)}


def raked(margins: Sequence[Margin], rows: int) -> FloatArray:
    """Weights of rows (n,), of sum 1, with the margins asked for where that can be; else those of the last round."""
    weight = np.full(rows, 1 / max(1, rows))
    for _ in range(ROUNDS):
        for margin in margins:
            now = np.bincount(margin.of, weight, minlength=len(margin.shares))
            scale = np.divide(margin.shares, now, out=np.zeros_like(now), where=now > 0)
            weight = weight * scale[margin.of]
        if all(np.abs(margin.now(weight) - margin.shares).max() <= EXACT for margin in margins):
            break
    return weight / weight.sum() if weight.sum() else weight


def capped(weight: FloatArray, most: float) -> FloatArray:
    """Weights (n,) of sum 1 of which none is above `most`; the others keep their proportions."""
    free = weight > 0
    while free.any():
        left = 1 - most * ((weight > 0) & ~free).sum()
        scaled = weight * (left / weight[free].sum())
        over = free & (scaled > most)
        if not over.any():
            return np.where(free, scaled, np.where(weight > 0, most, 0.0))
        free &= ~over
    return np.where(weight > 0, 1 / max(1, (weight > 0).sum()), 0.0)


def systematic(weight: FloatArray, budget: int, margins: Sequence[Margin]) -> tuple[AnyArray, FloatArray]:
    """Positions of `budget` different rows in their order, and how much each counts, `budget` in all.

    A row is drawn as often as it is due, and surely where that is once or more; what it is due beyond is its weight.
    Rows stand by their values, so that equally spaced draws take of each combination what it is due but for one.
    """
    number = min(budget, int((weight > 0).sum()))
    if not number:
        return np.zeros(0, np.int64), np.zeros(0)
    chance = capped(weight, 1 / number) * number
    order = np.lexsort([margin.of for margin in margins])
    drawn = order[np.diff(np.floor(np.cumsum(chance[order]) + 0.5), prepend=0) > 0]
    drawn = np.sort(drawn)
    return drawn, weight[drawn] * number / chance[drawn]


def _ranges(name: str, values: AnyArray, ranges: Sequence[str]) -> AnyArray:
    """The range in which each number lies (n,), "other" where in none."""
    found = np.full(len(values), "other", dtype=object)
    for said in ranges:
        low, high = _bounds(name, said)
        within = (values >= low) & (values < high)
        if both := {str(other) for other in found[within] if other != "other"}:
            raise FlywheelError(f"raked: {name}: {said!r} overlaps {min(both)!r}, and a row counts for one range")
        found[within] = said
    return found.astype(str)


def _check_ranges(name: str, ranges: Sequence[str]) -> None:
    """
    Raises:
        ValueError: one of them cannot be read, or two overlap.
    """
    try:
        bounds = sorted((*_bounds(name, said), said) for said in ranges)
    except FlywheelError as error:
        raise ValueError(str(error)) from None
    for (_, high, one), (low, _, other) in pairwise(bounds):
        if low < high:
            raise ValueError(f"{name}: {other!r} overlaps {one!r}, and a row counts for one range")


def _bounds(name: str, said: str) -> tuple[float, float]:
    """`<50`, `50-200` (200 not in it), `>=200`."""
    text = said.replace(" ", "")
    try:
        if text.startswith("<"):
            return -np.inf, float(text[1:])
        if text.startswith(">="):
            return float(text[2:]), np.inf
        low, _, high = text.partition("-")
        return float(low), float(high)
    except ValueError:
        raise FlywheelError(
            f"raked: {name} holds numbers, and {said!r} is no range; write <50, 50-200, >=200"
        ) from None
