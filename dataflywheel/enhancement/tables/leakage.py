"""Whether written lines of a table give away the real ones that their writer saw: copies, closeness, membership."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, FlywheelError
from dataflywheel.enhancement.tables.closest import Gower, Line
from dataflywheel.enhancement.tables.mended import cells
from dataflywheel.rows.reading import Input, iter_parsed

NEAR = 0.05
"""The share of reference distances below which a line counts as near."""
RESAMPLES = 1000
MOST = 5_000
"""Lines whose distances are measured, of each kind, at most: more make no number clearer that matters."""


@dataclass(frozen=True)
class Spread:
    """Distances to the closest real line."""

    lines: int
    least: float
    p5: float
    median: float


@dataclass(frozen=True)
class Attack:
    """Somebody who has the written lines guesses of lines whether they were among the real ones that the writer saw:
    the closer one is to a written line, the surer."""

    auc: float
    """Probability that a line that was is closer than one that was not, ties half: 0.5 where nothing is given away."""
    low: float
    high: float
    """95 % interval, by resampling both."""
    members: int
    others: int


@dataclass(frozen=True)
class Leakage:
    """What written lines say of the real ones."""

    columns: list[str]
    """That were compared."""
    copies: int
    """Written lines that a real one equals in all columns."""
    written: Spread
    """Distances of written lines to the closest real ones."""
    reference: Spread
    """The same of lines that the writer never saw, or where there are none, of each real line to the other ones."""
    by_held_out: bool
    """Whether the reference is such lines."""
    nearer: float
    """Share of the written lines that are nearer than 95 % of the reference: about 0.05 where they are no nearer."""
    attack: Attack | None
    """None where there are no lines that the writer never saw."""

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def leakage(
    written: Sequence[Line],
    real: Sequence[Line],
    held_out: Sequence[Line] = (),
    *,
    without: Sequence[str] = (),
    seed: int = 0,
) -> Leakage:
    """Lines by column: `written` ones, the `real` ones that their writer learned from or was shown, and others of the
    same table that it never saw (`held_out`).

    Distances are Gower's (see `Gower`), over all columns of the real lines but those of `without`, such as one that
    numbers lines. Of more than 5,000 lines of a kind so many are drawn, and held against all.

    Raises:
        FlywheelError: there is no written line, or fewer than two real ones.
    """
    if not written or len(real) < 2:
        raise FlywheelError("leakage: wanted are written lines and two or more real ones")
    gower, rng = Gower(real, without), np.random.default_rng(seed)
    if not gower.columns:
        raise FlywheelError("leakage: no column is left to compare lines by")
    there, made = gower.places(real), gower.places(written)
    known = {*there.identities()}
    copies = sum(key in known for key in made.identities())
    near = gower.closest(made.some(_drawn(len(made), rng)), there)
    attack, members = None, _drawn(len(there), rng)
    if len(held_out):
        others = gower.places(held_out)
        others = others.some(_drawn(len(others), rng))
        usual = gower.closest(others, there)
        attack = attacked(gower.closest(there.some(members), made), gower.closest(others, made), rng)
    else:
        usual = gower.closest(there.some(members), there, own=members)
    edge = float(np.quantile(usual, NEAR))
    nearer = float((near < edge).mean() if edge > 0 else (near <= 0).mean())
    return Leakage(gower.columns, copies, _spread(near), _spread(usual), attack is not None, round(nearer, 4), attack)


def leakage_of_files(written: str, real: str, held_out: str | None = None, without: Sequence[str] = ()) -> Leakage:
    """`leakage` of tables as they lie on disk: files, folders of rows or runs.

    Raises:
        FlywheelError: one holds no line of a table.
    """
    tables = [_lines(path) if path is not None else [] for path in (written, real, held_out)]
    return leakage(tables[0], tables[1], tables[2], without=without)


def attacked(members: FloatArray, others: FloatArray, rng: np.random.Generator) -> Attack:
    """The attack by the distances of both to the closest written lines."""
    found = [area(rng.choice(members, len(members)), rng.choice(others, len(others))) for _ in range(RESAMPLES)]
    low, high = np.quantile(found, [0.025, 0.975])
    return Attack(area(members, others), float(low), float(high), len(members), len(others))


def area(members: FloatArray, others: FloatArray) -> float:
    """Probability that a distance of the first is smaller than one of the second, ties half.

    >>> area(np.array([0.0, 0.0]), np.array([0.0, 1.0]))
    0.75
    """
    if not len(members) or not len(others):
        return math.nan
    ordered = np.sort(others)
    above = len(others) - np.searchsorted(ordered, members, side="right")
    same = np.searchsorted(ordered, members, side="right") - np.searchsorted(ordered, members, side="left")
    return float((above + 0.5 * same).sum() / (len(members) * len(others)))


def _spread(near: FloatArray) -> Spread:
    least, p5, median = (round(float(value), 6) for value in np.quantile(near, [0, 0.05, 0.5]))
    return Spread(len(near), least, p5, median)


def _drawn(lines: int, rng: np.random.Generator) -> AnyArray:
    return rng.permutation(lines)[:MOST]


def _lines(path: str) -> list[Line]:
    """Rows that have cells, or where none has, all records of a file as lines of a table."""
    for format in (None, "table"):
        rows = [row for parsed in iter_parsed(Input(path, format=format)) for row in parsed.rows]
        found: list[Line] = [held for row in rows if (held := cells(row))]
        if found:
            return found
    raise FlywheelError(f"leakage: {path} holds no line of a table")
