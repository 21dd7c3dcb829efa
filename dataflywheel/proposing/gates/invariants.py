"""What a rewrite must leave as it was: each check names what changed, or None where nothing did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from dataflywheel.signals.wording import marked, negation
from dataflywheel.signals.wording.names import missing, names
from dataflywheel.signals.wording.numbers import Number, numbers
from dataflywheel.signals.wording.order import BREAK, Token, replaced, swapped
from dataflywheel.signals.wording.sentences import fold, sentences, words

Broken = tuple[str, str] | None
"""A reason from a closed list, and the detail."""
Invariant = Callable[[str, str, bool], Broken]
"""Of the text before, the text after, and whether anything may be added."""
SHOWN = 60
"""Characters of a text that a detail quotes."""


def compared(before: Counter[str], after: Counter[str], additions: bool, what: str) -> Broken:
    if before - after:
        return f"{what} changed", f"lost: {first(before - after)}"
    if after - before and not additions:
        return f"{what} changed", f"added: {first(after - before)}"
    return None


def code_kept(before: str, after: str, additions: bool) -> Broken:
    return compared(marked.code(before), marked.code(after), additions, "code")


def links_kept(before: str, after: str, additions: bool) -> Broken:
    return compared(marked.links(before), marked.links(after), additions, "links")


def options_kept(before: str, after: str, additions: bool) -> Broken:
    """Every option keeps its letter, and the letter that is chosen stays."""
    chosen = compared(marked.choices(before), marked.choices(after), additions, "options")
    old, new = marked.options(before), marked.options(after)
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


def numbers_kept(before: str, after: str, additions: bool) -> Broken:
    """The same values, as often, in the same places."""
    ours, theirs = marked.prose(before), marked.prose(after)
    old, new = numbers(ours), numbers(theirs)
    lost = Counter(n.value for n in old if n.sure) - Counter(n.value for n in new)
    added = Counter(n.value for n in new if n.sure) - Counter(n.value for n in old)
    if lost:
        came = f"; added: {first(added)}" if added else ""
        return "numbers changed", f"lost: {first(lost)}{came}"
    if added and not additions:
        return "numbers changed", f"added: {first(added)}"
    return moved(ours, theirs, number_tokens, "numbers swapped")


def units_kept(before: str, after: str, additions: bool) -> Broken:
    """Each value keeps its unit."""
    old, new = (Counter(f"{n.value} {n.unit}" for n in numbers(marked.prose(t)) if n.unit) for t in (before, after))
    return compared(old, new, additions, "units")


def negation_kept(before: str, after: str, additions: bool) -> Broken:
    sides = [sentences(marked.prose(text)) for text in (before, after)]
    changed = negation.changed(sides[0], sides[1], whole=not additions)
    return ("negation changed", quoted(changed)) if changed else None


def names_kept(before: str, after: str, additions: bool) -> Broken:
    """The same names in some spelling, in the same places."""
    ours, theirs = marked.prose(before), marked.prose(after)
    lost = missing(names(ours), theirs)
    if lost:
        return "names changed", f"lost: {quoted(lost[0])}"
    added = [] if additions else missing(names(theirs), ours)
    if added:
        return "names changed", f"added: {quoted(added[0])}"
    known = {fold(w.text) for text in (ours, theirs) for w in names(text)}
    return moved(ours, theirs, lambda text: name_tokens(text, known), "names swapped")


def moved(before: str, after: str, tokens: Callable[[str], list[Token]], reason: str) -> Broken:
    """Whether items changed places, within versions of one sentence or in the whole texts.

    Sentences that both texts have are left out: in whatever order, they say the same.
    """
    old, new = ([tokens(sentence) for sentence in sentences(text)] for text in (before, after))
    common = set(map(tuple, old)) & set(map(tuple, new))
    old, new = ([s for s in side if tuple(s) not in common] for side in (old, new))
    pair = replaced(old, new) or swapped(joined(old), joined(new))
    return None if pair is None else (reason, f"{quoted(pair[0])} stands where {quoted(pair[1])} stood")


def joined(by_sentence: Iterable[list[Token]]) -> list[Token]:
    return [token for sentence in by_sentence for token in [*sentence, BREAK]]


def number_tokens(text: str) -> list[Token]:
    """Words and numbers in order; a number that is spelled out and may be none is a word."""
    found = [n for n in numbers(text) if n.sure]
    places = sorted([(n.start, Token("", n.value)) for n in found] + plain_words(text, found), key=lambda p: p[0])
    return [token for _, token in places]


def plain_words(text: str, found: Iterable[Number]) -> list[tuple[int, Token]]:
    spans = [(n.start, n.end) for n in found]
    inside = set().union(*(range(start, end) for start, end in spans)) if spans else set()
    return [(w.start, Token(fold(w.text))) for w in words(text) if w.start not in inside]


def name_tokens(text: str, known: set[str]) -> list[Token]:
    """Words in order, those among the `known` names as items wherever they stand."""
    return [Token("", form) if form in known else Token(form) for form in (fold(w.text) for w in words(text))]


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
    "names": names_kept,
}
"""Cheapest and surest first."""
