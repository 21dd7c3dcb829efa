"""The order of columns in which each stands behind those that determine it, for who writes lines cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

from dataflywheel.enhancement.tables.columns import Column
from dataflywheel.enhancement.tables.predicted import MANY, TRIED, voice

HOLDS = 0.95
"""The share of lines in which a column must foretell another one, each by the other lines, to determine it."""
ERRORS_LEFT = 0.2
"""Part of the errors of always taking the usual value that may be left, so that a column of nearly one value is
determined by nothing."""


def determined(table: Mapping[str, Column], names: Sequence[str]) -> set[tuple[str, str]]:
    """Pairs of columns, (determinant, dependent), of which the first says the second and not the other way round: a zip
    code its town. Columns whose values hardly ever come twice determine nothing that can be seen, and two that say each
    other stand in any order. None in tables of more than 141 columns, where looking would take too long."""
    if len(names) ** 2 > TRIED:
        return set()
    says = {(a, b) for a, b in permutations(names, 2) if _says(table[a], table[b])}
    return {(a, b) for a, b in says if (b, a) not in says}


def determinants_first(table: Mapping[str, Column], names: Sequence[str]) -> list[str]:
    """The columns in their order, but each behind all that determine it."""
    before: dict[str, set[str]] = {name: set() for name in names}
    for determinant, dependent in determined(table, names):
        before[dependent].add(determinant)
    found: list[str] = []
    while before:
        # a circle, as dependencies that hold nearly always can make one, is broken at its first column
        best = next((name for name, others in before.items() if not others & before.keys()), next(iter(before)))
        found.append(best)
        del before[best]
    return found


def _says(one: Column, other: Column) -> bool:
    known = int((one.codes >= 0).sum())
    if not 1 < len(one.firsts) <= MANY * max(1, known) or len(other.firsts) < 2:
        return False
    said = voice((one,), other)
    usual = float(other.counts.max() / other.counts.sum())
    return said is not None and said.right >= HOLDS and 1 - said.right <= ERRORS_LEFT * (1 - usual)
