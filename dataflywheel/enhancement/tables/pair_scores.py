"""How alike two rows of two tables are, and which pairs are worth a look: by words that few rows hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray
from dataflywheel.enhancement.tables.columns import Column
from dataflywheel.enhancement.tables.same_columns import words
from dataflywheel.rows.gaps import NUMBER, is_number

COMMON = 0.1
"""Words in more rows than this share of both tables propose no pair."""
FEW_PAIRS = 1_000_000
"""Of tables that make no more pairs than this, every word proposes some."""
AT_ONCE = 1024
"""Rows of the first table that are compared with the whole second one at a time."""
NEAR = 0.02
"""Part of the larger number by which two numbers may differ and still count a little as the same."""
_MEASURED = re.compile(rf"[^\w.+-]*({NUMBER.pattern})\s*[^\d]{{0,8}}")


@dataclass(frozen=True)
class Pairing:
    """Two tables by the columns that they have in common."""

    one: Mapping[str, Column]
    other: Mapping[str, Column]
    columns: Sequence[tuple[str, str]]

    @cached_property
    def _words(self) -> tuple[list[list[set[str]]], list[list[set[str]]]]:
        """Of both tables the words of each row by column."""
        return self._of(self.one, 0), self._of(self.other, 1)

    def _of(self, table: Mapping[str, Column], side: int) -> list[list[set[str]]]:
        columns = [table[names[side]] for names in self.columns]
        rows = len(columns[0].texts) if columns else 0
        return [[set() if c.missing[i] else set(words(c.texts[i])) for c in columns] for i in range(rows)]

    @cached_property
    def _worth(self) -> list[dict[str, float]]:
        """For each column, and at the end for all together, how much a word says: the rarer, the more."""
        every = [*self._words[0], *self._words[1]]
        counts = [Counter(word for row in every for word in row[c]) for c in range(len(self.columns))]
        counts.append(Counter(word for row in every for word in set().union(*row)))
        return [{w: float(np.log1p(len(every) / (1 + n))) for w, n in one.items()} for one in counts]

    @cached_property
    def _telling(self) -> list[float]:
        """For each column how well it tells rows apart: the entropy of its values in both tables, from 0 to 1."""
        found = []
        for a, b in self.columns:
            texts = Counter([t.lower() for t in (*self.one[a].texts, *self.other[b].texts) if t])
            share = np.array([*texts.values()], float) / max(1, texts.total())
            found.append(float(-(share * np.log(share)).sum() / np.log(max(2, texts.total()))))
        return found

    def score(self, i: int, j: int) -> float:
        """From 0 to 1: the mean of what both rows share of all their words, and of what they share column by column.

        Rare words count more; telling columns count more; a column that is missing in either row does not count.
        Columns of numbers count as the same where the numbers are.
        """
        first, second = self._words[0][i], self._words[1][j]
        whole = _overlap(set().union(*first), set().union(*second), self._worth[-1])
        total = weight = 0.0
        for c, (a, b) in enumerate(self.columns):
            if first[c] and second[c]:
                same = _same_number(self.one[a].texts[i], self.other[b].texts[j])
                total += self._telling[c] * (_overlap(first[c], second[c], self._worth[c]) if same is None else same)
                weight += self._telling[c]
        return (whole + total / weight) / 2 if weight else whole / 2

    def scores(self, pairs: Sequence[tuple[int, int]]) -> FloatArray:
        """`score` of each pair (n,)."""
        return np.array([self.score(i, j) for i, j in pairs], float)

    def candidates(self, several: int) -> list[tuple[int, int]]:
        """For each row of the first table the rows of the second one that share most rare words with it, so many at
        most; a row with none has no candidate."""
        one, other = self._matrix(0), self._matrix(1)
        found: list[tuple[int, int]] = []
        for begin in range(0, one.shape[0], AT_ONCE):
            near = (one[begin : begin + AT_ONCE] @ other.T).tocsr()
            for i in range(near.shape[0]):
                at = slice(near.indptr[i], near.indptr[i + 1])
                order = np.lexsort((near.indices[at], -near.data[at]))[:several]
                found += [(begin + i, int(j)) for j in near.indices[at][order]]
        return found

    def _matrix(self, side: int):  # type: ignore[no-untyped-def]  # a sparse matrix of SciPy
        """What each row holds of the words that may propose a pair, rows of unit length (n, words)."""
        from scipy.sparse import csr_array

        rows = self._words[side]
        least = np.log1p(1 / COMMON) if len(self._words[0]) * len(self._words[1]) > FEW_PAIRS else 0.0
        place = {w: k for k, w in enumerate(w for w, worth in self._worth[-1].items() if worth >= least)}
        held = [sorted(word for word in set().union(*row) if word in place) for row in rows]
        ends = np.cumsum([0, *map(len, held)])
        worth = np.array([self._worth[-1][word] for row in held for word in row], float)
        length = np.sqrt(np.add.reduceat(np.append(worth**2, 0.0), ends[:-1])) if len(rows) else np.zeros(0)
        size = np.repeat(length, np.diff(ends))
        columns: AnyArray = np.array([place[word] for row in held for word in row], np.int64)
        return csr_array((worth / np.maximum(size, 1e-12), columns, ends), shape=(len(rows), len(place)))


def _overlap(one: set[str], other: set[str], worth: Mapping[str, float]) -> float:
    """What two sets of words share of all their words, each by its worth."""
    both = sum(worth[word] for word in one & other)
    every = sum(worth[word] for word in one | other)
    return both / every if every else 0.0


def _same_number(one: str, other: str) -> float | None:
    """1 where both cells are the same number, units aside, less where they nearly are; None where either is none."""
    numbers = [match[1] for text in (one, other) if (match := _MEASURED.fullmatch(text)) and is_number(match[1])]
    if len(numbers) < 2:
        return None
    first, second = (float(number.replace(",", "")) for number in numbers)
    apart = abs(first - second) / max(abs(first), abs(second), 1e-12)
    return 1.0 if first == second else max(0.0, 1 - apart / NEAR) / 2
