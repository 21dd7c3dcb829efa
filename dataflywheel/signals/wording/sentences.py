"""Sentences and words of a text, by plain rules."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”\u2019)\]]*\s+|\n+|(?<=[。\uff01\uff1f])")
WORD = re.compile(r"\w+(?:['\u2019.&-]\w+)*")
TITLES = {"mr", "mrs", "ms", "dr", "st", "prof", "jr", "sr", "vs", "no", "e.g", "i.e"}
LIKE = 0.5
"""Share of common words from which two sentences are taken for versions of one."""


class Word(NamedTuple):
    """A word where it stands in its text."""

    text: str
    start: int
    end: int


def listed(text: str) -> list[str]:
    """The words of a list that is written as one text."""
    return text.split()


def words(text: str) -> list[Word]:
    """Runs of letters and digits in order, with apostrophes, hyphens, dots and & inside.

    >>> [word.text for word in words("Ann's T-shirt: 3.5 euros.")]
    ["Ann's", 'T-shirt', '3.5', 'euros']
    """
    return [Word(m.group(), m.start(), m.end()) for m in WORD.finditer(text)]


def sentences(text: str) -> list[str]:
    """The sentences of a text in order; a line ends one, a title, an initial or the number of a list does not.

    >>> sentences("Dr. Ray left. Ann stayed!\\nWhy?")
    ['Dr. Ray left.', 'Ann stayed!', 'Why?']
    """
    found: list[str] = []
    open_end = False
    for piece in SENTENCE_END.split(text):
        piece = piece.strip()
        if not piece:
            continue
        if open_end:
            found[-1] += f" {piece}"
        else:
            found.append(piece)
        open_end = piece.endswith(".") and (piece[:-1].isdigit() or is_abbreviation(piece[:-1]))
    return found


def is_abbreviation(text: str) -> bool:
    """Whether a text ends in a title or an initial, so that a full stop after it ends no sentence."""
    last = re.search(r"[\w.]+$", text)
    if last is None:
        return False
    word = last.group()
    return word.lower() in TITLES or (len(word) == 1 and word.isalpha() and word not in "iI")


def fold(word: str) -> str:
    """A word without case, accents, a possessive ending and marks inside.

    >>> fold("Attaché's"), fold("U.K")
    ('attache', 'uk')
    """
    bare = unicodedata.normalize("NFKD", word.lower().replace("\u2019", "'")).removesuffix("'s")
    return "".join(c for c in bare if c.isalnum())


def likeness(a: set[str], b: set[str]) -> float:
    """Common words over all words (Jaccard); 0 where there is none."""
    return len(a & b) / len(a | b) if a | b else 0.0


def versions(before: Sequence[str], after: Sequence[str], least: float = LIKE) -> list[tuple[str, str]]:
    """Each sentence of `before` with the one of `after` most like it, where half of their words or more are common.

    An equal sentence is its own version; the earliest of several equally alike counts.
    """
    theirs = [{fold(w.text) for w in words(sentence)} for sentence in after]
    pairs = []
    for sentence in before:
        ours = {fold(w.text) for w in words(sentence)}
        near = [likeness(ours, other) for other in theirs]
        if near and max(near) >= least:
            pairs.append((sentence, after[near.index(max(near))]))
    return pairs
