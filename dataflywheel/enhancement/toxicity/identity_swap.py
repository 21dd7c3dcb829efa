"""Two terms for groups of people exchanged in a text, in every form that they have there, or why they are not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dataflywheel.enhancement.toxicity.identity_forms import GENDER, MEN, PEOPLE, PEOPLE_ONLY, TIED, WOMEN, Term
from dataflywheel.rows.fences import fenced
from dataflywheel.signals.wording.names import names
from dataflywheel.signals.wording.sentences import listed, sentences

UNSURE = "the grammar leaves open which form is meant"
FACT = "a name or a year stands with it, so that it may be a fact"
TIES = "words stand with it that go with one term alone"
_KEPT = re.compile(r"`[^`\n]*`|\$[^$\n]*\$|https?://\S+|www\.\S+|\S+@\S+|[@#]\w+")
_QUOTED = re.compile(
    r"\"([^\"\n]{2,80})\"|\u201c([^\u201d\n]{2,80})\u201d|(?<!\*)\*([^*\n]{2,80})\*(?!\*)|_([^_\n]{2,80})_"
)
_SMALL = frozenset(listed("a an the and or of in on at to for from by with as is"))
_YEAR = re.compile(r"\b(?:1\d|20)\d\d(?:s)?\b")
_NEXT = re.compile(r"(?:[ \t]+|[ \t]*\n[ \t]*)([^\W\d_]+)|()")
_BEFORE = re.compile(r"([^\W\d_]+)[ \t\n]+$")
_ARTICLE = re.compile(r"\b([Aa])(n?)([ \t\n]+)$")
FOLLOWS = frozenset(
    listed(
        "is are was were am be been has have had do does did can could will would should may might must and or but "
        "nor in on at to for from by with as of who that which when while because if than then about after before "
        "under over into through against without not never always also too again so if there here yesterday today "
        "tomorrow now"
    )
)
"""Words before which a noun has ended."""
POINTS = frozenset(listed("a an the this that every each another one any no some my your his her our their"))
LINKS = frozenset(listed("am is are was were be been being very quite both openly"))
GIVERS = frozenset(
    listed(
        "gave give gives given told tell tells made make makes let lets saw see sees seen heard hear hears help helps "
        "helped watch watched showed show shows sent send sends asked ask asks bought buy offered offer brought bring "
        "taught teach teaches called call calls wish wished paid pay found find kept keep want wanted got get cost"
    )
)
"""Verbs behind which `her` may be the person, and what follows the thing."""
KIN = frozenset([*WOMEN, *MEN, *PEOPLE, "own", "house", "home", "name", "hand", "face"])
"""What is somebody's."""


class Found(NamedTuple):
    """A word of a term in a text, with the uses that it may have there; none: which one is open."""

    start: int
    end: int
    term: int
    uses: tuple[str, ...]


def found_in(text: str, kind: str, terms: list[Term]) -> list[Found]:
    """The words of a kind's terms in a text, but for those within other words, names, code, links and titles."""
    words = {word.lower(): i for i, term in enumerate(terms) for word in term.forms.values()}
    longest = sorted(words, key=len, reverse=True)
    pattern = re.compile(rf"(?i)(?<![\w@#/\\&.'\u2019-])(?:{'|'.join(map(re.escape, longest))})(?![\w@/\\-]|\.\w)")
    kept = [*_untouched(text)]
    found = []
    for match in pattern.finditer(text):
        if any(start < match.end() and match.start() < end for start, end in kept):
            continue
        term = words[match[0].lower()]
        uses = _uses(text, match.start(), match.end(), match[0].lower(), terms[term])
        if kind in PEOPLE_ONLY and _after(text, match.end()) not in PEOPLE:
            continue
        if not _in_name(text, match.start(), match.end()):
            found.append(Found(match.start(), match.end(), term, uses))
    return found


def doubt(text: str, kind: str, terms: list[Term]) -> str:
    """Why what a text says of one term may not hold of another, or ""."""
    words = {word.lower() for term in terms for word in term.forms.values()}
    ties = frozenset(TIED.get(kind, "").split())
    if ties & {word for one in re.findall(r"[^\W\d_]+", text.lower()) for word in (one, one.removesuffix("s"))}:
        return TIES
    for sentence in [text] if kind == GENDER else sentences(text):
        if not found_in(sentence, kind, terms):
            continue
        if _YEAR.search(sentence) or any(name.text.lower() not in words for name in names(sentence)):
            return FACT
    return ""


def exchanged(text: str, kind: str, terms: list[Term], one: int, other: int) -> str | None:
    """The text with two of the kind's terms in each other's place; None where the form is not sure for one of them.

    >>> from dataflywheel.enhancement.toxicity.identity_forms import kinds_of
    >>> kinds = kinds_of()
    >>> exchanged("An Asian man met two Mexicans.", "origin", kinds["origin"], 0, 2)
    'A Mexican man met two Asians.'
    """
    pieces, at = [], 0
    for found in found_in(text, kind, terms):
        if found.term not in (one, other):
            continue
        to = terms[other if found.term == one else one]
        options = {to.forms.get(use) for use in found.uses}
        word = options.pop() if len(options) == 1 else None
        if word is None:
            return None
        said = text[found.start : found.end]
        word = cased(said, word)
        pieces += [_article(text[at : found.start], said, word), word]
        at = found.end
    return "".join([*pieces, text[at:]])


def cased(said: str, word: str) -> str:
    """The other word in the capitals of the one that was said; a word that is always capitalised stays so.

    >>> cased("WOMEN", "men"), cased("Women", "men"), cased("women", "men"), cased("muslim", "Jew"), cased("I", "Jew")
    ('MEN', 'Men', 'men', 'jew', 'Jew')
    """
    if len(said) > 1 and said.isupper():
        return word.upper()
    return word[0].upper() + word[1:] if said[0].isupper() else word.lower()


def _article(before: str, said: str, word: str) -> str:
    """What stands before a word, with `a` or `an` as the other word wants it, where it was as this one does."""
    match = _ARTICLE.search(before)
    if match is None or bool(match[2]) != _vowel(said):
        return before
    n = ("N" if match[1] == "A" and said.isupper() else "n") if _vowel(word) else ""
    return f"{before[: match.start()]}{match[1]}{n}{match[3]}"


def _vowel(word: str) -> bool:
    return bool(re.match(r"(?i)(?!eu|uk|uni|us[ae]|one)[aeiou]|heir|hon[eo]", word))


def _uses(text: str, start: int, end: int, word: str, term: Term) -> tuple[str, ...]:
    """The uses that a word of the term may have where it stands."""
    uses = tuple(use for use, form in term.forms.items() if form.lower() == word)
    if len(uses) < 2:
        return uses
    after, before = _after(text, end), _before(text, start)
    owned = text[end : end + 2] in ("'s", "\u2019s")
    if {*uses} == {"noun", "adjective"}:
        if owned or (before in POINTS and (not after or after in FOLLOWS)):
            return ("noun",)
        if after in PEOPLE or (before in LINKS and (not after or after in FOLLOWS)):
            return ("adjective",)
    if {*uses} == {"object", "possessive"} and (not after or after in FOLLOWS or after in POINTS):
        return ("object",)
    if {*uses} == {"possessive", "alone"} and not after:
        return ("alone",)
    if "possessive" in uses and after and (after in KIN or not ("object" in uses and before in GIVERS)):
        if after in FOLLOWS or after in POINTS or after.endswith("ly"):
            return uses
        return ("possessive",)
    return uses


def _after(text: str, end: int) -> str:
    """The word behind, in small letters; "" where a sign, or the end of the text, comes first."""
    match = _NEXT.match(text, end)
    return (match[1] or "").lower() if match else ""


def _before(text: str, start: int) -> str:
    match = _BEFORE.search(text, max(0, start - 40), start)
    return match[1].lower() if match else ""


def _in_name(text: str, start: int, end: int) -> bool:
    """Whether a capitalised word beside makes a name with it: `Muslim Brotherhood`, `the White House`."""
    if not text[start].isupper() or text[start:end].isupper():
        return False
    after = _NEXT.match(text, end)
    return bool(after and after[1] and after[1][0].isupper() and not after[1].isupper())


def _untouched(text: str) -> Iterator[tuple[int, int]]:
    """Where code, links, addresses and quoted titles stand."""
    yield from ((block.start, block.end) for block in fenced(text))
    yield from (match.span() for match in _KEPT.finditer(text))
    for match in _QUOTED.finditer(text):
        inner = [w for w in re.findall(r"[^\W\d_]+", match[match.lastindex or 0]) if w.lower() not in _SMALL]
        if inner and all(word[0].isupper() for word in inner):
            yield match.span()
