"""What a rewrite must leave as it was: each check names what changed, or None where nothing did."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from dataflywheel.signals.wording import marked, negation, scope
from dataflywheel.signals.wording.names import missing, names
from dataflywheel.signals.wording.negation import PASSED_OVER
from dataflywheel.signals.wording.negation_words import CODES, denials_of
from dataflywheel.signals.wording.number import UNIT
from dataflywheel.signals.wording.numbers import numbers
from dataflywheel.signals.wording.numbers_compared import measured, number_tokens, unmatched
from dataflywheel.signals.wording.opposites import changed_places
from dataflywheel.signals.wording.order import BREAK, Token, name_tokens, replaced, swapped
from dataflywheel.signals.wording.sentences import Word, fold, forms, words
from dataflywheel.signals.wording.sides import Sides
from dataflywheel.signals.wording.turned_round import turned_round

Broken = tuple[str, str] | None
"""A reason from a closed list, and the detail."""
SHOWN = 60
"""Characters of a text that a detail quotes."""


Invariant = Callable[[Sides], Broken]


def compared(before: Counter[str], after: Counter[str], additions: bool, what: str) -> Broken:
    if before - after:
        return f"{what} changed", f"lost: {first(before - after)}"
    if after - before and not additions:
        return f"{what} changed", f"added: {first(after - before)}"
    return None


def code_kept(sides: Sides) -> Broken:
    return compared(marked.code(sides.before), marked.code(sides.after), sides.additions, "code")


def links_kept(sides: Sides) -> Broken:
    return compared(marked.links(sides.before), marked.links(sides.after), sides.additions, "links")


def options_kept(sides: Sides) -> Broken:
    """Every option keeps its letter, and the letter that is chosen stays."""
    chosen = compared(marked.choices(sides.before), marked.choices(sides.after), sides.additions, "options")
    old, new = marked.options(sides.before), marked.options(sides.after)
    if chosen is not None or not old:
        return chosen
    if set(old) - set(new):
        return "options changed", f"lost: {first(sorted(set(old) - set(new)))}"
    for letter, text in old.items():
        here = len(text & new[letter])
        for other in sorted(set(old) - {letter}):
            if old[other] != text and len(old[other] & new[letter]) > here:
                return "options changed", f"{letter} now reads like {other}"
    return None


def numbers_kept(sides: Sides) -> Broken:
    """The same values, as often, in the same places; where sentences may be written anew, in versions of one."""
    everywhere = {n.value for n in numbers(sides.prose[1])} if sides.additions else set()
    for before, after in sides.compared:
        lost, added = unmatched(numbers(before), numbers(after), lambda n: n.value)
        if not added:  # A number that went from one sentence to another is still there.
            lost = [n for n in lost if n.value not in everywhere]
        if lost:
            came = f"; added: {quoted(added[0].value)}" if added else ""
            return "numbers changed", f"lost: {quoted(lost[0].value)}{came}"
        if added and not sides.additions:
            return "numbers changed", f"added: {quoted(added[0].value)}"
    return moved(sides, number_tokens, "numbers swapped")


def units_kept(sides: Sides) -> Broken:
    """Each value keeps its unit."""
    everywhere = {measured(n) for n in numbers(sides.prose[1])} if sides.additions else set()
    for before, after in sides.compared:
        old, new = ([n for n in numbers(text) if n.unit] for text in (before, after))
        lost, added = unmatched(old, new, measured)
        here = {n.value for n in numbers(after)}
        if not added:  # A number that went with its unit may stand in another sentence.
            lost = [n for n in lost if measured(n) not in everywhere or n.value in here]
        if lost:
            return "units changed", f"lost: {measured(lost[0])}"
        if added and not sides.additions:
            return "units changed", f"added: {measured(added[0])}"
    return None


def negation_kept(sides: Sides) -> Broken:
    what, where = negation.found_change(*sides.sentences, whole=not sides.additions)
    if what:
        return f"{what} changed", quoted(where)
    for one, other in sides.versions:
        if turned_round(one, other) == "contrary":
            return "sides exchanged", quoted(other)
        pair = changed_places(word_tokens(one), word_tokens(other), PASSED_OVER)
        if pair is not None:
            return "opposites changed", f"{quoted(pair[0])} stands where {quoted(pair[1])} stood"
    return None


def scope_kept(sides: Sides) -> Broken:
    """What holds for all, always, surely, before or at least keeps its scope in versions of one sentence."""
    usual = denials_of(sides.prose[0])
    for one, other in sides.versions:
        denials = denials_of(f"{one}\n{other}", usual)
        what = scope.exchanged(one, other, "" if denials is None else CODES.get(denials, "?"))
        if what:
            return "scope changed", what
    return None


def names_kept(sides: Sides) -> Broken:
    """The same names in some spelling, in the same places; where sentences may be written anew, in versions of one."""
    ours, theirs = sides.prose
    known = [{fold(w.text) for w in names(text)} for text in (ours, theirs)]
    for before, after in sides.compared:
        old, new = own_names(before, known[0]), own_names(after, known[1])
        added = missing(new, before)
        # Who is named in another sentence of a revision may be `she` in this one.
        lost = missing(old, theirs if sides.additions else after)
        if lost:
            return "names changed", f"lost: {quoted(lost[0])}"
        if added and not sides.additions:
            return "names changed", f"added: {quoted(added[0])}"
    for one, other in sides.versions:
        subjects = [m["name"] for m in map(SUBJECT.match, (one, other)) if m]
        if len(subjects) == 2 and fold(subjects[0]) != fold(subjects[1]) and missing_words(subjects, one, other):
            return "names changed", f"lost: {quoted(subjects[0])}"
    return moved(sides, lambda text: name_tokens(text, known[0] | known[1]), "names swapped")


SUBJECT = re.compile(
    r"(?P<name>(?!(?:It|He|She|This|That|What|Who|There|Here|Each|One|Today|Now|Everyone|Everything|Nothing|Nobody|"
    r"Something|Someone|Another|Neither|Either|None|Which|Where|When|Why|How|Life|Love)\b)[A-Z][a-z]+(?<!ing))"
    r"(?=['\u2019]s\b|\s(?:is|was|has|had|does|did|will)\b)"
)
"""A word at the head of a sentence that has no article and one verb: a name, or what cannot be counted."""


def missing_words(subjects: Sequence[str], one: str, other: str) -> bool:
    """Whether neither of two subjects stands anywhere in the other's sentence."""
    return all(fold(s) not in forms(text) for s, text in zip(subjects, (other, one), strict=True))


def own_names(piece: str, known: set[str]) -> list[Word]:
    """The names of a piece of a text with `known` names; a month within a date, and a unit, are a number's part and no
    name."""
    inside = bytearray(len(piece))
    for n in numbers(piece):
        if n.unit in ("date", "time"):
            inside[n.start : n.end] = b"\1" * (n.end - n.start)
        elif n.unit and (unit := UNIT.match(piece, n.end)) is not None:
            inside[n.end : unit.end()] = b"\1" * (unit.end() - n.end)
    held = [w for w in words(piece) if w.text[0].isupper() and fold(w.text) in known]
    return [w for w in held if not inside[w.start]]


def moved(sides: Sides, tokens: Callable[[str], list[Token]], reason: str) -> Broken:
    """Whether items changed places, within versions of one sentence or in the whole texts.

    Sentences that both texts have are left out: in whatever order, they say the same.
    """
    old, new = ([tokens(sentence) for sentence in side] for side in sides.sentences)
    common = Counter(map(tuple, old)) & Counter(map(tuple, new))
    old, new = (without_common(side, Counter(common)) for side in (old, new))
    pair = replaced(old, new) or swapped(joined(old), joined(new))
    return None if pair is None else (reason, f"{quoted(pair[0])} stands where {quoted(pair[1])} stood")


def without_common(side: Iterable[list[Token]], common: Counter[tuple[Token, ...]]) -> list[list[Token]]:
    left = []
    for sentence in side:
        common[tuple(sentence)] -= 1
        if common[tuple(sentence)] < 0:
            left.append(sentence)
    return left


def joined(by_sentence: Iterable[list[Token]]) -> list[Token]:
    return [token for sentence in by_sentence for token in [*sentence, BREAK]]


def word_tokens(text: str) -> list[str]:
    return [fold(w.text) for w in words(text)]


def first(values: Iterable[str]) -> str:
    return quoted(next(iter(values)))


def quoted(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


INVARIANTS: dict[str, Invariant] = {
    "code": code_kept,
    "links": links_kept,
    "options": options_kept,
    "numbers": numbers_kept,
    "units": units_kept,
    "negation": negation_kept,
    "scope": scope_kept,
    "names": names_kept,
}
"""Cheapest and surest first."""
