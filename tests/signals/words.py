"""Words, shingles and ROUGE-L in plain Python: what the compiled ones must agree with."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Sequence
from itertools import groupby

from icu4py.breakers import WordBreaker

UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "IDEOGRAPHIC")


def words(text: str) -> list[str]:
    """Letters, marks, digits and underscores in runs; runs of unspaced scripts as ICU divides them, an emoji alone."""
    found: list[str] = []
    kinds = groupby(unicodedata.normalize("NFKC", text).casefold(), _kind)
    for kind, run in ((kind, "".join(characters)) for kind, characters in kinds):
        if kind == "unspaced":
            found += WordBreaker(run.replace("\u0e4d\u0e32", "\u0e33"), "en")
        elif kind != "separator":
            found += [run] if kind == "word" else run
    return found


def _kind(character: str) -> str:
    if unicodedata.category(character)[0] in "LMN" or character == "_":
        return "unspaced" if unicodedata.name(character, "").startswith(UNSPACED) else "word"
    return "emoji" if 0x1F000 <= ord(character) <= 0x1FAFF else "separator"


def shingles(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    if not found:
        return set()
    width = min(3, len(found))
    return {tuple(found[i : i + width]) for i in range(len(found) - width + 1)}


def jaccard(a: set[tuple[str, ...]], b: set[tuple[str, ...]]) -> float:
    return len(a & b) / len(a | b) if a | b else 0.0


def rouge_l(a: Sequence[Hashable], b: Sequence[Hashable]) -> float:
    """F1 of the longest common subsequence of two lists of words."""
    row = [0] * (len(b) + 1)
    for x in a:
        diagonal = 0
        for j, y in enumerate(b):
            above = row[j + 1]
            row[j + 1] = diagonal + 1 if x == y else max(above, row[j])
            diagonal = above
    return 2 * row[-1] / (len(a) + len(b)) if a or b else 0.0
