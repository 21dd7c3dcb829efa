"""Whether two texts with the same numbers or names give them the same places: what is said of which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import accumulate, takewhile
from typing import NamedTuple

from dataflywheel.signals.wording.sentences import fold, likest, words

REACH = 3
"""Words on either side by which an item is told from another."""
ALIKE = 0.6
"""Share of common words from which two sentences are taken for versions of one."""
LOOKED_AT = 100
COMPARISONS = 1_000_000
"""Of items that are out of order, so many are compared with all others, and in long texts so many pairs at most: else
time would grow with the square of the length."""


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
    which nothing around says where they belong are taken for swapped. Of more than 100 out of order the first 100 are
    looked at, of very long texts fewer.

    >>> tokens = lambda text: [Token("" if w.isdigit() else w, w if w.isdigit() else "") for w in text.split()]
    >>> swapped(tokens("Ann has 3 pears Tom has 5 nuts"), tokens("Ann has 5 pears Tom has 3 nuts"))
    ('5', '3')
    >>> swapped(tokens("Ann has 3 pears Tom has 5 nuts"), tokens("Tom has 5 nuts Ann has 3 pears"))
    """
    old, new = places(before), places(after)
    was, now = [before[k].item for k in old], [after[k].item for k in new]
    if Counter(was) != Counter(now) or was == now:
        return None
    around, there = ([surroundings(tokens, k) for k in at] for tokens, at in ((before, old), (after, new)))
    for k, (a, b) in enumerate(zip(was, now, strict=True)):
        if a != b and around[k] and around[k] == there[k]:
            return b, a
    for k in out_of_order(was, now)[: min(LOOKED_AT, max(4, COMPARISONS // len(now)))]:
        item, here = now[k], there[k]
        own, other, j = -1, -1, 0
        for place, held in enumerate(around):
            common = overlap(here, held)
            if was[place] == item:
                own = max(own, common)
            elif common > other:
                other, j = common, place
        if other >= own:
            return item, was[j]
    return None


def out_of_order(was: Sequence[str], now: Sequence[str]) -> list[int]:
    """Places in `now`, another order of the same items, of those that passed some other item.

    >>> out_of_order("abcd", "bacd"), out_of_order("aba", "aab")
    ([0, 1], [1, 2])
    """
    seen: Counter[str] = Counter()
    place: dict[tuple[str, int], int] = {}
    for k, item in enumerate(was):
        place[item, seen[item]] = k
        seen[item] += 1
    seen.clear()
    order = []
    for item in now:
        order.append(place[item, seen[item]])
        seen[item] += 1
    highest = list(accumulate(order, max))
    lowest = list(accumulate(reversed(order), min))[::-1]
    return [k for k, value in enumerate(order) if highest[k] > value or lowest[k] < value]


def replaced(
    before: Sequence[Sequence[Token]], after: Sequence[Sequence[Token]], new: bool = True
) -> tuple[str, str] | None:
    """Of two texts by sentence, an item that took the place of another one in a version of its sentence, and that one.

    With `new`, items may be new to the text where they stand word for word in the place of another; else both must
    occur in both texts, and without it one must stand word for word in the place of the other as well. The version of a
    sentence is the one with most words in common, 60 % of them or more, and of several the one with most items in
    common.
    """
    known = {t.item for s in before for t in s if t.item} & {t.item for s in after for t in s if t.item}
    with_items = [sentence for sentence in before if any(token.item for token in sentence)]
    plain, theirs = ([{t.word for t in s if not t.item} for s in side] for side in (with_items, after))
    for sentence, near in zip(with_items, likest(plain, theirs, ALIKE), strict=True):
        held = {token.item for token in sentence if token.item}
        scored = [(like, len(held & {t.item for t in after[k]}), -k) for like, k in near]
        if scored:
            pair = exchanged(sentence, after[-max(scored)[2]], known, new)
            if pair is not None:
                return pair
    return None


def exchanged(before: Sequence[Token], after: Sequence[Token], known: set[str], new: bool) -> tuple[str, str] | None:
    for what, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "replace":
            gone = {token.item for token in before[a:b] if token.item}
            came = {token.item for token in after[c:d] if token.item}
            if not new and (b - a, d - c) != (1, 1):
                continue
            if not new or b - a != d - c:
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


def name_tokens(text: str, known: set[str]) -> list[Token]:
    """Words in order, those among the `known` names as items wherever they stand."""
    return [Token("", form) if form in known else Token(form) for form in (fold(w.text) for w in words(text))]
