"""An independent tokeniser in plain Python: what the compiled one must agree with."""

from __future__ import annotations

import unicodedata

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
