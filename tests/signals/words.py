"""Words, shingles and ROUGE-L in plain Python: what the compiled ones must agree with."""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Sequence

UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR")


def words(text: str) -> list[str]:
    """Letters, marks, digits and underscores in runs; a character of an unspaced script is a word of its own."""
    found, run = [], ""
    for character in unicodedata.normalize("NFKC", text).lower():
        kind = unicodedata.category(character)
        if unicodedata.name(character, "").startswith(UNSPACED) and kind[0] in "LMN":
            found += [run, character]
            run = ""
        elif kind[0] in "LMN" or character == "_":
            run += character
        else:
            found.append(run)
            run = ""
    return [word for word in [*found, run] if word]


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
