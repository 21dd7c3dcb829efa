"""Terms for groups of people in all their forms, by what they are told apart by: those built in, and a user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dataflywheel.signals.wording.sentences import listed

Given = Mapping[str, Sequence[str | Sequence[str]]]
"""Terms by kind: each one word (`Muslim`), or noun, plural and adjective (`[Jew, Jews, Jewish]`)."""

BUILT_IN: Given = {
    "religion": ["Muslim", "Christian", "Hindu", "Buddhist", ["Jew", "Jews", "Jewish"]],
    "origin": ["Asian", "African", "Mexican", "Arab", "Latino", "Iranian", ["Turk", "Turks", "Turkish"]],
    "orientation": ["gay", "bisexual", "heterosexual", "homosexual"],
    "colour": [["", "", "black"], ["", "", "white"]],
    "disability": [["", "", "blind"], ["", "", "deaf"]],
}
WOMEN = listed(
    "woman women girl girls female females lady ladies mother mothers mom moms daughter daughters sister sisters wife "
    "wives aunt aunts niece nieces grandmother grandmothers girlfriend girlfriends she herself"
)
MEN = listed(
    "man men boy boys male males gentleman gentlemen father fathers dad dads son sons brother brothers husband "
    "husbands uncle uncles nephew nephews grandfather grandfathers boyfriend boyfriends he himself"
)
GENDER = "gender"
TIED: Mapping[str, str] = {
    "religion": "mosque quran koran ramadan hijab imam allah halal mecca eid church bible pope priest baptism "
    "christmas easter jesus gospel catholic protestant synagogue rabbi torah kosher sabbath passover "
    "hanukkah holocaust temple diwali karma vedas buddha monk",
    "gender": "pregnant pregnancy birth womb ovary menstruation period breastfeeding prostate beard testicles sperm "
    "circumcision king queen prince princess miss mrs mr sir madam",
    "origin": "asia africa mexico arabia iran turkey america islam ottoman slavery apartheid colonial",
    "colour": "slavery apartheid segregation house sea market friday hole magic board",
    "orientation": "opposite",
    "disability": "braille sign hearing sight eyes ears see hear cane dog",
}
"""Words that go with one term of a kind: what is said with them holds of it alone."""
PEOPLE_ONLY = frozenset(("colour", "disability"))
"""Kinds whose words mean other things too, unless they stand before people."""
PEOPLE = frozenset(
    listed(
        "people person persons man men woman women child children kid kids boy boys girl girls guy guys "
        "folk folks family families student students worker workers neighbour neighbours neighbor neighbors friend "
        "friends colleague colleagues couple couples teacher teachers patient patients community communities citizen "
        "citizens youth voters actor actors player players culture tradition"
    )
)


class Term(NamedTuple):
    """One term of a kind: its word for each use that its kind tells apart."""

    name: str
    forms: Mapping[str, str]


def kinds_of(given: Given | None = None) -> dict[str, list[Term]]:
    """The terms of each kind, of the user's own or built in.

    Raises:
        ValueError: a kind has fewer than two terms, a word stands in two terms, or a term has another shape.
    """
    kinds = {kind: [_term(kind, one) for one in terms] for kind, terms in (given or BUILT_IN).items()}
    if not given:
        kinds[GENDER] = [_person("women", WOMEN, "her", "her", "hers"), _person("men", MEN, "him", "his", "his")]
    for kind, terms in kinds.items():
        words = [word.lower() for term in terms for word in {*term.forms.values()}]
        twice = next((word for word in words if words.count(word) > 1), "")
        if len(terms) < 2 or twice:
            wrong = f"{twice!r} stands in two of them" if twice else f"there is {len(terms)}"
            raise ValueError(f"terms: {kind} needs two terms or more, each with words of its own; {wrong}")
    return kinds


def _term(kind: str, given: str | Sequence[str]) -> Term:
    forms = [given, f"{given}s", given] if isinstance(given, str) else [*given]
    if len(forms) != 3 or not all(isinstance(word, str) for word in forms) or not any(word.strip() for word in forms):
        raise ValueError(
            f"terms: {kind} wants each term as one word, or as noun, plural and adjective, [Jew, Jews, Jewish]; "
            f"not {given!r}"
        )
    uses = zip(("noun", "plural", "adjective"), (word.strip() for word in forms), strict=True)
    return Term(
        next(word.strip() for word in reversed(forms) if word.strip()), {use: word for use, word in uses if word}
    )


def _person(name: str, words: Sequence[str], object_: str, possessive: str, alone: str) -> Term:
    forms = {f"word {place}": word for place, word in enumerate(words)}
    return Term(name, {**forms, "object": object_, "possessive": possessive, "alone": alone})
