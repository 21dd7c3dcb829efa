"""ROUGE-L between short texts, and the first of many texts that is too close, without comparing with all of them."""

from __future__ import annotations

import re
from collections import Counter

_WORD = re.compile(r"[^\W_]+")


def rouge_l(one: str, other: str) -> float:
    """F-measure of the longest common subsequence of words, lower-cased: 2 L / (m + n); 0 where a text has no word.

    Lin, "ROUGE: A Package for Automatic Evaluation of Summaries" (2004).

    >>> rouge_l("the cat sat", "The cat lay down"), rouge_l("a b", "")
    (0.5714285714285714, 0.0)
    """
    first, second = _words(one), _words(other)
    return 2 * _common(first, second) / (len(first) + len(second)) if first and second else 0.0


class RougeIndex:
    """Texts that new ones are compared with.

    The words that two texts share, in any order, bound their common subsequence from above: only texts whose bound
    passes are compared exactly, so that the outcome is that of comparing with every text.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._words: list[list[str]] = []
        self._where: dict[str, list[tuple[int, int]]] = {}
        """By word: each text that holds it, and how often."""

    def add(self, text: str) -> None:
        words = _words(text)
        for word, times in Counter(words).items():
            self._where.setdefault(word, []).append((len(self.texts), times))
        self.texts.append(text)
        self._words.append(words)

    def too_close(self, text: str, most: float) -> tuple[int, float] | None:
        """The earliest text with ROUGE-L over `most`, and that value; None where there is none."""
        words = _words(text)
        shared: Counter[int] = Counter()
        for word, times in Counter(words).items():
            for place, there in self._where.get(word, ()):
                shared[place] += min(times, there)
        for place in sorted(shared):
            total = len(words) + len(self._words[place])
            if 2 * shared[place] > most * total:
                value = 2 * _common(words, self._words[place]) / total
                if value > most:
                    return place, value
        return None


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _common(first: list[str], second: list[str]) -> int:
    """Length of the longest common subsequence, by one row of bits: a zero bit is a word that is matched."""
    places: dict[str, int] = {}
    for i, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << i
    whole = (1 << len(first)) - 1
    row = whole
    for word in second:
        match = row & places.get(word, 0)
        row = (row + match | row - match) & whole
    return len(first) - row.bit_count()
