"""Which columns of two tables hold the same: by their names, and by the words that both hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dataflywheel.enhancement.tables.columns import Column

LEAST = 0.25
"""The least share of words in which columns of other names must agree."""
WORDS = re.compile(r"[^\W_]+")
_PARTS = re.compile(r"[^\W\d_]+|\d+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def same_columns(one: Mapping[str, Column], other: Mapping[str, Column]) -> list[tuple[str, str]]:
    """Pairs of columns, each column once, in the order of the first table.

    Columns of one name go together; of the others those first that agree most in names (words of both, `BrewName` as
    `brew name`) and in values (words that both columns hold, of all words of the smaller one), and no two that agree in
    less than a quarter. Numbers go with numbers alone. Columns without a word in common are left out, whatever their
    names: they hold each table's own keys, or the same in other words.
    """
    found = {name: name for name in one if name in other}
    rest = [
        (_alike(one[a], other[b]), a, b)
        for a in one
        for b in other
        if a not in found and b not in found and one[a].numeric == other[b].numeric
    ]
    for share, a, b in sorted(rest, key=lambda at: -at[0]):
        if share >= LEAST and a not in found and b not in found.values():
            found[a] = b
    return [(a, found[a]) for a in one if a in found and _words(one[a]) & _words(other[found[a]])]


def _alike(one: Column, other: Column) -> float:
    """The mean of what names and values share; of numbers, whose values say little, by names alone."""
    names = _share(_name_words(one.name), _name_words(other.name), whole=True)
    return names if one.numeric else (names + _share(_words(one), _words(other))) / 2


def _name_words(name: str) -> set[str]:
    return set(_PARTS.findall(_HUMP.sub(" ", name).lower()))


def _words(column: Column) -> set[str]:
    return {word for row in column.firsts for word in words(column.texts[row])}


def words(text: str) -> Sequence[str]:
    """Words and numbers of a cell, in small letters."""
    return WORDS.findall(text.lower())


def _share(one: set[str], other: set[str], whole: bool = False) -> float:
    size = len(one | other) if whole else min(len(one), len(other))
    return len(one & other) / size if size else 0.0
