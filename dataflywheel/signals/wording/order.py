"""Whether two texts with the same numbers or names give them the same places: what is said of which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import takewhile
from typing import NamedTuple

from dataflywheel.signals.wording.sentences import likeness

REACH = 3
"""Words on either side by which an item is told from another."""


ALIKE = 0.6
"""Share of common words from which two sentences are taken for versions of one."""


class Token(NamedTuple):
    """A word, or where `item` is set a number or name that is followed from text to text."""

    word: str
    item: str = ""


BREAK = Token("\n")
"""Stands between sentences: words beyond say nothing of an item."""


def swapped(before: Sequence[Token], after: Sequence[Token]) -> tuple[str, str] | None:
    """Of two texts with the same items, an item that stands where another one stood, and that other one.

    Items in an equal order are in place. One out of order is in place, too, when the words around it are those that
    were around it before, more than those around any other: then its sentence was moved, and not the item. Items of
    which nothing around says where they belong are taken for swapped.

    >>> tokens = lambda text: [Token("" if w.isdigit() else w, w if w.isdigit() else "") for w in text.split()]
    >>> swapped(tokens("Ann has 3 pears Tom has 5 nuts"), tokens("Ann has 5 pears Tom has 3 nuts"))
    ('5', '3')
    >>> swapped(tokens("Ann has 3 pears Tom has 5 nuts"), tokens("Tom has 5 nuts Ann has 3 pears"))
    """
    old, new = places(before), places(after)
    sequences = [before[k].item for k in old], [after[k].item for k in new]
    if Counter(sequences[0]) != Counter(sequences[1]) or sequences[0] == sequences[1]:
        return None
    theirs: set[int] = set()
    for _, b, size in SequenceMatcher(None, *sequences, autojunk=False).get_matching_blocks():
        theirs |= set(range(b, b + size))
    around, there = ([surroundings(tokens, k) for k in at] for tokens, at in ((before, old), (after, new)))
    for k, (was, now) in enumerate(zip(*sequences, strict=True)):
        if was != now and around[k] and around[k] == there[k]:
            return now, was
    for k in sorted(set(range(len(new))) - theirs):
        item, here = sequences[1][k], there[k]
        own = max(overlap(here, around[j]) for j in range(len(old)) if sequences[0][j] == item)
        other, j = max((overlap(here, around[j]), -j) for j in range(len(old)) if sequences[0][j] != item)
        if other >= own:
            return item, sequences[0][-j]
    return None


def replaced(before: Sequence[Sequence[Token]], after: Sequence[Sequence[Token]]) -> tuple[str, str] | None:
    """Of two texts by sentence, an item that took the place of another one in a version of its sentence, and that one.

    Items may be new to the text where they stand word for word in the place of another; else both must occur in both
    texts. The version of a sentence is the one with most words in common, 60 % of them or more, and of several the one
    with most items in common.
    """
    known = {t.item for s in before for t in s if t.item} & {t.item for s in after for t in s if t.item}
    plain = [{token.word for token in sentence if not token.item} for sentence in after]
    for sentence in before:
        held = {token.item for token in sentence if token.item}
        if not held:
            continue
        ours = {token.word for token in sentence if not token.item}
        likest = max(
            ((likeness(ours, other), len(held & {t.item for t in after[k]}), -k) for k, other in enumerate(plain)),
            default=(0.0, 0, 0),
        )
        if likest[0] >= ALIKE:
            pair = exchanged(sentence, after[-likest[2]], known)
            if pair is not None:
                return pair
    return None


def exchanged(before: Sequence[Token], after: Sequence[Token], known: set[str]) -> tuple[str, str] | None:
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "replace":
            gone = {token.item for token in before[a:b] if token.item}
            came = {token.item for token in after[c:d] if token.item}
            if b - a != d - c:
                gone, came = gone & known, came & known
            if gone - came and came - gone:
                return min(came - gone), min(gone - came)
    return None


def places(tokens: Sequence[Token]) -> list[int]:
    return [k for k, token in enumerate(tokens) if token.item]


def surroundings(tokens: Sequence[Token], place: int) -> Counter[tuple[str, str]]:
    """The nearest words left and right of a place, each with its side; other items are passed over."""
    left = nearest(reversed(tokens[max(0, place - 4 * REACH) : place]))
    right = nearest(tokens[place + 1 : place + 1 + 4 * REACH])
    return Counter([("left", w) for w in left] + [("right", w) for w in right])


def nearest(tokens: Iterable[Token]) -> list[str]:
    """The first words of some tokens, up to the end of the sentence."""
    inside = takewhile(lambda token: token != BREAK, tokens)
    return [token.word for token in inside if not token.item][:REACH]


def overlap(a: Counter[tuple[str, str]], b: Counter[tuple[str, str]]) -> int:
    return sum((a & b).values())
