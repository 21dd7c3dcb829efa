"""Which numbers of two texts are not the same, whatever their units and notation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from dataflywheel.signals.wording.number import Number
from dataflywheel.signals.wording.numbers import numbers
from dataflywheel.signals.wording.order import Token
from dataflywheel.signals.wording.sentences import fold, words
from dataflywheel.signals.wording.units import quantity


def measured(number: Number) -> str:
    return f"{number.value} {number.unit}"


def unmatched(
    old: Sequence[Number], new: Sequence[Number], key: Callable[[Number], str]
) -> tuple[list[Number], list[Number]]:
    """Sure numbers of one text that the other has not, in both ways, but for equal quantities in other units."""
    lost, added = without(old, new, key), without(new, old, key)
    there = Counter(amount for n in added if (amount := quantity(n.value, n.unit)))
    common = there & Counter(amount for n in lost if (amount := quantity(n.value, n.unit)))
    found: list[list[Number]] = []
    for some in (lost, added):
        left, kept = Counter(common), []
        for n in some:
            amount = quantity(n.value, n.unit)
            if amount is not None and left[amount] > 0:
                left[amount] -= 1
            else:
                kept.append(n)
        found.append(kept)
    return found[0], found[1]


def without(some: Sequence[Number], others: Sequence[Number], key: Callable[[Number], str]) -> list[Number]:
    held = Counter(map(key, others))
    found = []
    for n in some:
        if held[key(n)] > 0:
            held[key(n)] -= 1
        elif n.sure:
            found.append(n)
    return found


def number_tokens(text: str) -> list[Token]:
    """Words and numbers in order; a number that is spelled out and may be none is a word."""
    found = [n for n in numbers(text) if n.sure]
    places = sorted([(n.start, Token("", item(n))) for n in found] + plain_words(text, found), key=lambda p: p[0])
    return [token for _, token in places]


def item(number: Number) -> str:
    """What a number is followed by: its value, or how much it is of what goes over into other units."""
    amount = quantity(number.value, number.unit)
    return number.value if amount is None else f"{amount[0]} {amount[1]}"


def plain_words(text: str, found: Iterable[Number]) -> list[tuple[int, Token]]:
    inside = bytearray(len(text))
    for start, end in {(n.start, n.end) for n in found}:
        inside[start:end] = b"\1" * (end - start)
    return [(w.start, Token(fold(w.text))) for w in words(text) if not inside[w.start]]
