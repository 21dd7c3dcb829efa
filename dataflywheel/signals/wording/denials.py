"""The denying words of a language, as patterns."""

from __future__ import annotations

import re
from typing import NamedTuple

from dataflywheel.signals.wording.sentences import MARKS, listed


class Denials(NamedTuple):
    """The denying words of a language. A sentence denies as often as its `particles` stand in it; where there are none,
    once by any of its `words`, which other languages set beside a particle; and once more for each `without`."""

    common: frozenset[str]
    """Everyday words by which the language is known; empty where its script says so."""
    particles: re.Pattern[str]
    words: re.Pattern[str] | None = None
    without: re.Pattern[str] | None = None
    neutral: re.Pattern[str] | None = None
    """What looks like a denial and is none."""


def _any(words: str) -> re.Pattern[str]:
    ends = (word if word.endswith(r"(?=\w)") else rf"{word}(?![\w{MARKS}])" for word in words.split())
    return re.compile(rf"(?<![\w{MARKS}])(?:{'|'.join(ends)})", re.IGNORECASE)


def _some(pieces: str) -> re.Pattern[str]:
    return re.compile("|".join(pieces.split()))


def language(
    common: str, particles: str, words: str = "", without: str = "", neutral: str = "", bound: bool = True
) -> Denials:
    """From lists of words and patterns, parted by spaces. `bound`: they are whole words."""
    make = _any if bound else _some
    telling = [word for word in f"{particles} {words}".split() if word.isalpha() and len(word) > 2]
    return Denials(
        frozenset([*listed(common), *telling]) if common else frozenset(),
        make(particles),
        *(make(given) if given else None for given in (words, without, neutral)),
    )
