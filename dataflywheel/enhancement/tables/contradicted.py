"""Cells that contradict what stands beside them, and words misspelled that a column spells right elsewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from difflib import SequenceMatcher
from itertools import pairwise

from dataflywheel.enhancement.tables.columns import Change, Column, is_number
from dataflywheel.enhancement.tables.predicted import Foretold, foretold

LEAD = 2.0
"""Log-odds by which the foretold value must lead where the cell looks like a slip of the pen for it."""
ALIKE = 0.6
"""Share of equal characters from which a text counts as another one misspelled."""
RARE = 2
"""How often a value stands in its column at most that is changed though the other one is hardly more frequent."""
TIMES = 10
"""How much more often a spelling must stand in its column to be the right one by itself."""
WORD = 5
"""Letters of a word of which a misspelling is told from another word."""
FEW = 0.2
"""A column of kinds has at most so many different values a row."""
_DIGITS, _LETTERS, _PARTS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+"), re.compile(r"[^\W_]+")


def contradicted(table: Mapping[str, Column]) -> list[Change]:
    """Changes cells that hold another value than the rows alike them, where it is rarer in its column and looks like a
    slip for the foretold one: a value that looks like nothing of the kind may be an exception, as the one discount of a
    price or whoever has moved. The confidence is `Foretold.agreed`: how often what was foretold as surely as
    this stands in the column, errors of the table counted against it."""
    found = []
    for name, column in table.items():
        said = foretold(table, name)
        rows = ((said.codes >= 0) & (column.codes >= 0) & (said.codes != column.codes) & (said.lead >= LEAD)).nonzero()
        for row in rows[0].tolist():
            other = column.firsts[int(said.codes[row])]
            if _is_error(column, said, row) and not _borne_out(table, column, row, other):
                after = column.value(int(said.codes[row]))
                by = _by(said, row)
                why = f"contradicts {by}"
                found.append(Change(row, name, column.values[row], after, why, float(said.agreed[row])))
    return found


def suspected(table: Mapping[str, Column], name: str) -> dict[int, str]:
    """Cells of a column that rows alike them contradict and that `contradicted` leaves as they are, by row, each with
    the text of the value that was foretold."""
    said, column = foretold(table, name), table[name]
    rows = ((said.codes >= 0) & (column.codes >= 0) & (said.codes != column.codes) & (said.lead >= LEAD)).nonzero()
    found = {}
    for row in rows[0].tolist():
        other = column.firsts[int(said.codes[row])]
        if not _is_error(column, said, row) or _borne_out(table, column, row, other):
            found[row] = column.texts[other]
    return found


def _by(said: Foretold, row: int) -> str:
    """The voice that says it most surely, by its columns."""
    voices = [v for v in said.voices if v.codes[row] == said.codes[row]]
    return " and ".join(max(voices, key=lambda v: v.weight * v.share[row]).of)


def _is_error(column: Column, said: Foretold, row: int) -> bool:
    own, other = int(column.codes[row]), int(said.codes[row])
    counts = column.counts
    rare = counts[own] <= RARE and counts[own] < counts[other]
    often = bool(rare or TIMES * counts[own] <= counts[other])
    return often and slip(column.texts[row], column.texts[column.firsts[other]])


def _borne_out(table: Mapping[str, Column], column: Column, row: int, other: int) -> bool:
    """Whether a part of a cell that sets it apart from another one stands in a further cell of its row: then it is no
    slip, as `ak_hf-1` beside the state `ak`."""
    apart = set(_PARTS.findall(column.texts[row])) - set(_PARTS.findall(column.texts[other]))
    return any(c.texts[row] in apart for c in table.values() if c.name != column.name)


def slip(one: str, other: str) -> bool:
    """Whether a text may be another one misspelled: one character apart, or mostly the same characters in order. A
    number is no slip for another number, and so is no text that differs in numbers alone, as another day.

    >>> slip("xl", "al"), slip("birmingxam", "birmingham"), slip("berlin", "hamburg"), slip("16", "12")
    (True, True, False, False)
    >>> slip("2024-03-05", "2024-03-04"), slip("2024-03-0x", "2024-03-04")
    (False, True)
    """
    if (is_number(one) and is_number(other)) or _DIGITS.sub("0", one) == _DIGITS.sub("0", other):
        return False
    if len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 1:
        return True
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE


def misspelled(table: Mapping[str, Column]) -> list[Change]:
    """Changes words that a column nearly always spells another way at their place: `61 paxients` among `61 patients`.

    A word of five letters or more that begins with no capital, of the same length but for a quarter of its letters at
    most; digits are never touched, and texts without any only where the column is one of kinds, not of names. The
    confidence is the share of the right spelling among all cells of either.
    """
    found = []
    for column in table.values():
        if column.numeric:
            continue
        shapes = [_DIGITS.sub("0", text) for text in column.texts]
        there = Counter(shape for shape, gone in zip(shapes, column.missing, strict=True) if not gone)
        kinds = len(column.firsts) <= FEW * there.total()
        seen = {shape: count for shape, count in there.items() if kinds or "0" in shape}
        often = {shape: count for shape, count in seen.items() if count >= TIMES}
        known = {one + two for shape in often for one, two in pairwise(shape)}
        right = {shape: _right_one(shape, count, often, known) for shape, count in seen.items()}
        for row, shape in enumerate(shapes):
            better = right.get(shape)
            if better and not column.missing[row]:
                sure = seen[better] / (seen[better] + seen[shape])
                after = _with_digits(better, column.texts[row])
                found.append(Change(row, column.name, column.values[row], after, "misspelled", sure))
    return found


def _right_one(shape: str, count: int, often: Mapping[str, int], known: set[str]) -> str | None:
    """The one shape that stands far more often and of which this one may be misspelled. Where the letters that differ
    stand beside each other in a frequent shape too (`known`), this one is a word like the column's others: `nitrite`
    where `nitrate` and `chloride` are."""
    near = [other for other, times in often.items() if times >= TIMES * count and _few_letters(shape, other)]
    return near[0] if len(near) == 1 and not known & _pairs_apart(shape, near[0]) else None


def _pairs_apart(one: str, other: str) -> set[str]:
    """Letters of a text with those beside them, where another one of its length has other letters."""
    apart = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    return {one[k : k + 2] for i in apart for k in (i - 1, i) if one[k : k + 2].isalpha()}


def _few_letters(one: str, other: str) -> bool:
    """Whether two texts of one length differ in a few letters of long words alone, the first letter apart: short ones
    are codes, of which two may be one letter apart, and other first letters make other names. So do other letters of
    words in capitals: `Slovakia` is no slip for `Slovenia`, nor `Marie` for `Maria`."""
    if len(one) != len(other) or one == other:
        return False
    apart = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if any("0" in (one[i], other[i]) for i in apart):
        return False
    words = [word.span() for word in _LETTERS.finditer(other)]
    for i in apart:
        begin, end = next(((b, e) for b, e in words if b - 1 <= i <= e), (i, i))
        if end - begin < WORD or i == begin or other[begin].isupper():
            return False
        if 4 * sum(begin - 1 <= k <= end for k in apart) > end - begin:
            return False
    return True


def _with_digits(shape: str, text: str) -> str:
    numbers = iter(_DIGITS.findall(text))
    return re.sub("0", lambda _: next(numbers), shape)
