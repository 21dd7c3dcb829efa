"""Whether two texts with the same numbers or names give them the same places: what is said of which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

REACH = 3
"""Words on either side by which an item is told from another."""


class Token(NamedTuple):
    """A word, or where `item` is set a number or name that is followed from text to text."""

    word: str
    item: str = ""


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
    around = [surroundings(before, k) for k in old]
    for k in sorted(set(range(len(new))) - theirs):
        item, here = after[new[k]].item, surroundings(after, new[k])
        own = max(overlap(here, around[j]) for j in range(len(old)) if sequences[0][j] == item)
        other, j = max((overlap(here, around[j]), -j) for j in range(len(old)) if sequences[0][j] != item)
        if other >= own:
            return item, sequences[0][-j]
    return None


def places(tokens: Sequence[Token]) -> list[int]:
    return [k for k, token in enumerate(tokens) if token.item]


def surroundings(tokens: Sequence[Token], place: int) -> Counter[tuple[str, str]]:
    """The nearest words left and right of a place, each with its side; other items are passed over."""
    left = [token.word for token in tokens[max(0, place - 4 * REACH) : place] if not token.item][-REACH:]
    right = [token.word for token in tokens[place + 1 : place + 1 + 4 * REACH] if not token.item][:REACH]
    return Counter([("left", w) for w in left] + [("right", w) for w in right])


def overlap(a: Counter[tuple[str, str]], b: Counter[tuple[str, str]]) -> int:
    return sum((a & b).values())
