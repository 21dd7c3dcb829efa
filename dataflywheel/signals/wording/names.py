"""Names of a text: its capitalised words, and whether another text has them in some spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from dataflywheel.signals.wording.sentences import Word, fold, is_abbreviation, listed, words

OPENING = re.compile(r"[\s\"'“”\u2018\u2019«»(\[{*_#>|~•·\u2013—-]+$")
LISTED = re.compile(r"(?:^|\n)[^\n:]{0,30}\d\s{0,2}[\u2013\u2014-]{1,2}\s{0,3}$")
"""A year or date before the item of a list that it belongs to."""
ENDS = frozenset(".!?:;…。\uff01\uff1f•")
QUOTE = frozenset('"“\u2018«')
NO_NAMES = set(
    listed(
        "i i'm i've i'll i'd a an the and or but of in on at to for from by with as is are was were be it he she we "
        "you they this that these those if then so not no yes my your his her its our their what who when where why "
        "how also there here do does did can could will would should may might must have has had "
        "mr mrs ms dr prof celsius fahrenheit ad bc bce"
    )
)
LONGEST_INITIALS = 6
LONGEST_NAME = 60
"""Letters of a name by which it is told from one that is written shorter."""
SHORTEST = 3
"""Letters of an abbreviation that stands for a name (`Fri` for Friday)."""


def names(text: str) -> list[Word]:
    """The capitalised words of a text in order, but for those that begin a sentence, titles, pronouns and the like.

    A word that begins a sentence counts where it is a name elsewhere in the text. A text without a lower-case letter
    has no names: case says nothing there.

    >>> [name.text for name in names("Yesterday Ann met Mr. Ray of New York. Ann laughed.")]
    ['Ann', 'Ray', 'New', 'York', 'Ann']
    """
    if not any(c.islower() for c in text):
        return []
    capital = [w for w in words(text) if w.text[0].isupper() and w.text.lower().replace("\u2019", "'") not in NO_NAMES]
    inner = {w.start for w in capital if not begins_sentence(text, w.start)}
    known = {fold(w.text) for w in capital if w.start in inner}
    return [w for w in capital if w.start in inner or fold(w.text) in known]


def begins_sentence(text: str, start: int) -> bool:
    """Whether the word at `start` begins the text, a sentence, a line, a list item or a quotation."""
    if start and text[start - 1] in QUOTE:
        return True
    lead = OPENING.search(text, max(0, start - 40), start)
    at = lead.start() if lead else start
    if at == 0 or "\n" in text[at:start]:
        return True
    last = text[at - 1]
    if last == "." and is_abbreviation(text[max(0, at - 12) : at - 1]):
        return False
    if last.isdigit() and LISTED.search(text, max(0, at - 40), start):
        return True
    return last in ENDS or bool(re.search(r"(?:^|\n)\s*\(?\w{1,2}\)$", text[max(0, at - 6) : at]))


def missing(wanted: Iterable[Word], text: str) -> list[str]:
    """Those of some names of one text that another has in no spelling, in order, each once.

    Case, accents, plurals and possessives do not matter; initials may stand for a run of names and a run for its
    initials, a beginning of three letters for a name, and two words for one.

    >>> missing(names("I saw New York University, José and Friday."), "At NYU on Fri. with Jose")
    []
    """
    run = list(wanted)
    held = words(text)
    forms = {fold(w.text) for w in held}
    forms |= {fold(a.text + b.text) for a, b in pairwise(held)}
    forms |= {part for w in held for part in map(fold, re.split(r"[-.&'\u2019]", w.text)) if part}
    capital = [w for w in held if w.text[0].isupper()]
    starts = {form for w in capital if (form := fold(w.text)) and len(w.text) >= SHORTEST}
    opened = {form[:n] for form in starts for n in range(SHORTEST, min(len(form), LONGEST_NAME) + 1)}
    initials: set[str] = set()
    for some in (held, capital):
        initials |= runs("".join(form[0] for form in (fold(w.text) for w in some) if form))
    spelled_out = covered_by_initials(run, forms)
    found = []
    for name in run:
        form = fold(name.text)
        if (
            not form
            or form in forms
            or {form + "s", form.removesuffix("s"), form + "es"} & forms
            or name.start in spelled_out
            or form in opened
            or any(form[:n] in starts for n in range(1, min(len(form), LONGEST_NAME) + 1))
            or (name.text.replace(".", "").isupper() and len(form) >= 2 and form in initials)
            or all(fold(part) in forms for part in re.split(r"[-.&'\u2019]", name.text))
        ):
            continue
        found.append(name.text)
    return list(dict.fromkeys(found))


def runs(letters: str) -> set[str]:
    """All runs of two to `LONGEST_INITIALS` letters."""
    return {letters[i : i + n] for n in range(2, LONGEST_INITIALS + 1) for i in range(len(letters) - n + 1)}


def covered_by_initials(run: Sequence[Word], forms: set[str]) -> set[int]:
    """Where names stand whose initials, taken together with those of their neighbours, are a word of the other text."""
    covered: set[int] = set()
    for first in range(len(run)):
        letters = ""
        for last in range(first, min(first + LONGEST_INITIALS, len(run))):
            letters += fold(run[last].text)[:1]
            if len(letters) >= 2 and letters in forms:
                covered |= {w.start for w in run[first : last + 1]}
    return covered
