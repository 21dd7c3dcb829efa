"""Sentences and words of a text, by plain rules, and which sentences of two texts are versions of one."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

SENTENCE_END = re.compile(
    r"(?<=[.!?…\u061f\u06d4])[\"'”\u2019)\]]{0,4}\s+|\n+|(?<=[。\uff01\uff1f\u0964\u0965\u17d4\u104b\u1362])"
)
MARKS = (
    r"\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0900-\u0903\u093a-\u0963\u0981-\u0dff\u0e31-\u0e4e\u102b-\u103e"
    r"\u17b4-\u17d3"
)
"""Signs that combine with the letter before; `\\w` holds few of them."""
WORD = re.compile(rf"\w[\w{MARKS}]*(?:['\u2019.&-]\w[\w{MARKS}]*)*")
LAST_WORD = re.compile(r"[\w.'\u2019]+$")
TITLES = {
    "mr",
    "mrs",
    "ms",
    "dr",
    "st",
    "prof",
    "jr",
    "sr",
    "vs",
    "no",
    "e.g",
    "i.e",
    "approx",
    "fig",
    "cf",
    "gen",
    "sen",
}
LETTERED = {
    "plan",
    "vitamin",
    "grade",
    "type",
    "option",
    "class",
    "point",
    "group",
    "part",
    "answer",
    "hepatitis",
    "team",
}
"""Words that a letter may follow which is no initial: `Plan B.`"""
LIKE = 0.5
"""Share of common words from which two sentences are taken for versions of one."""
LONGEST = 200
"""Words after which a text without full stops is cut, as if one stood there: what compares sentences takes time in
proportion to their lengths."""
CANDIDATES = 100
"""Sentences that one is compared with, at most: those that share its rarest words."""
BARE = str.maketrans(
    {
        "\u2019": "'",
        "\u00f8": "o",
        "\u0142": "l",
        "\u0111": "d",
        "\u0131": "i",
        "\u00e6": "ae",
        "\u0153": "oe",
        "\u00df": "ss",
    }
)
"""Letters that are none with a mark to Unicode, as those write them who do not have them."""
UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff]"
)
"""Letters of scripts that set no space between words: Thai, Lao, Burmese, Khmer, Chinese, Japanese."""


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


def forms(text: str) -> list[str]:
    """The folded words of a text in order, where scripts without spaces give single letters.

    >>> forms("Ann's \u732b\u306e 3")
    ['ann', '\u732b', '\u306e', '3']
    """
    found: list[str] = []
    for word in words(text):
        form = fold(word.text)
        found += list(form) if form and UNSPACED.search(form) else [form] if form else []
    return found


def sentences(text: str) -> list[str]:
    """The sentences of a text in order; a line ends one, a title, an initial or the number of a list does not.

    >>> sentences("Dr. Ray left. Ann stayed, Tom didn't.\\nWhy?")
    ['Dr. Ray left.', "Ann stayed, Tom didn't.", 'Why?']
    """
    found: list[list[str]] = []
    open_end = False
    for piece in SENTENCE_END.split(text):
        piece = piece.strip()
        if not piece:
            continue
        if open_end and len(found[-1]) < LONGEST:
            found[-1].append(piece)
        else:
            found.append([piece])
        open_end = piece.endswith(".") and (piece[:-1].isdigit() or is_abbreviation(piece[:-1]))
    return [part for pieces in found for part in _cut(" ".join(pieces))]


def _cut(sentence: str) -> list[str]:
    """A sentence in parts of `LONGEST` words; one part but for texts without full stops."""
    if len(sentence) < 2 * LONGEST:
        return [sentence]
    starts = [m.start() for m in WORD.finditer(sentence)][LONGEST::LONGEST]
    bounds = [0, *starts, len(sentence)]
    return [sentence[a:b].strip() for a, b in pairwise(bounds)]


def is_abbreviation(text: str) -> bool:
    """Whether a text ends in a title or an initial, so that a full stop after it ends no sentence.

    >>> is_abbreviation("by J"), is_abbreviation("Tom didn't"), is_abbreviation("Plan B"), is_abbreviation("the Rays'")
    (True, False, False, False)
    """
    tail = text[-40:]
    last = LAST_WORD.search(tail)
    if last is None:
        return False
    word = last.group()
    if word.lower() in TITLES:
        return True
    if len(word) != 1 or not word.isupper() or word == "I":
        return False
    before = LAST_WORD.search(tail[: last.start()].rstrip())
    return before is None or before.group().lower() not in LETTERED


def fold(word: str) -> str:
    """A word without case, accents, a possessive ending and marks inside.

    >>> fold("Attaché's"), fold("U.K")
    ('attache', 'uk')
    """
    if word.isascii() and word.isalnum():
        return word.lower()
    bare = unicodedata.normalize("NFKD", word.lower().translate(BARE)).removesuffix("'s")
    return "".join(c for c in bare if c.isalnum())


def likeness(a: set[str], b: set[str]) -> float:
    """Common words over all words (Jaccard); 0 where there is none."""
    return len(a & b) / len(a | b) if a | b else 0.0


def likest(ours: Sequence[set[str]], theirs: Sequence[set[str]], least: float) -> list[list[tuple[float, int]]]:
    """For each set, those of the others with a likeness of `least` or more, as (likeness, place), in order of place.

    Two sets that are so alike share one of their rarest words; only sets that do are compared, and of these the first
    `CANDIDATES`, so that the time grows with the texts and not with its square.
    """
    counts = Counter(word for some in (ours, theirs) for one in some for word in one)

    def rarest(one: set[str]) -> list[str]:
        ordered = sorted(one, key=lambda word: (counts[word], word))
        return ordered[: len(one) - math.ceil(least * len(one)) + 1]

    places: dict[str, list[int]] = defaultdict(list)
    equal: dict[frozenset[str], list[int]] = defaultdict(list)
    for k, one in enumerate(theirs):
        equal[frozenset(one)].append(k)
        for word in rarest(one):
            if len(places[word]) < CANDIDATES:
                places[word].append(k)
    known: dict[frozenset[str], list[tuple[float, int]]] = {}
    for one in ours:
        if frozenset(one) in known:
            continue
        near = set(equal.get(frozenset(one), [])[:CANDIDATES])
        for word in rarest(one):
            near.update(places.get(word, []))
            if len(near) > CANDIDATES:
                break
        scored = [(likeness(one, theirs[k]), k) for k in sorted(near)]
        known[frozenset(one)] = [pair for pair in scored if pair[0] >= least]
    return [known[frozenset(one)] for one in ours]


def versions(before: Sequence[str], after: Sequence[str], least: float = LIKE) -> list[tuple[str, str]]:
    """Each sentence of `before` with the one of `after` most like it, where half of their words or more are common.

    An equal sentence is its own version; the earliest of several equally alike counts.
    """
    near = likest([set(forms(s)) for s in before], [set(forms(s)) for s in after], least)
    return [
        (sentence, after[max(found, key=lambda pair: (pair[0], -pair[1]))[1]])
        for sentence, found in zip(before, near, strict=True)
        if found
    ]
