"""Which number a sentence gives to which name, where it gives several to several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from dataflywheel.signals.wording.names import NO_NAMES, names
from dataflywheel.signals.wording.numbers import numbers
from dataflywheel.signals.wording.sentences import fold, forms, words

Pair = tuple[str, str]
"""A name, folded, and a number."""


def belongings(sentence: str, known: frozenset[str] = frozenset()) -> list[Pair]:
    """Numbers with their names, in a sentence where both take turns (`Ann has 5, Ben 7`; `5 for Ann, 7 for Ben`), or
    where as many of each are told apart (`Ann and Ben have 5 and 7`). Nothing of any other sentence.

    Args:
        known: words that are names elsewhere, folded; a sentence may begin with one of them. Its first word is taken
            for a name, too, where the others do not come out even without it.

    >>> belongings("Then Ann earned 5 and Ben 7."), belongings("In 1990 Ann and Ben had 5 cats.")
    ([('ann', '5'), ('ben', '7')], [])
    """
    return _paired(_items(sentence, known)) or _paired(_items(sentence, known | first_word(sentence)))


def first_word(sentence: str) -> set[str]:
    """The word that a sentence begins with, folded, if it may be a name."""
    word = next((w.text for w in words(sentence[:200])), "")
    return set() if word.lower() in NO_NAMES else {fold(word)}


def _paired(items: list[Pair]) -> list[Pair]:
    kinds = [kind for kind, _ in items]
    half = len(items) // 2
    if not items or len(items) % 2:
        return []
    if all(a != b for a, b in pairwise(kinds)):
        twos = list(zip(items[::2], items[1::2], strict=True))
        return [(one, other) if kind == "name" else (other, one) for (kind, one), (_, other) in twos]
    if kinds == ["name"] * half + ["number"] * half:
        return [(one, other) for (_, one), (_, other) in zip(items[:half], items[half:], strict=True)]
    return []


def _items(sentence: str, known: frozenset[str]) -> list[Pair]:
    """Kinds and values of names and numbers in order; capitalised words in a row are one name, told by its last."""
    found = [(n.start, n.end, "number", n.value) for n in numbers(sentence) if n.sure]
    if not found:
        return []
    taken = bytearray(len(sentence))
    for start, end, _, _ in found:
        taken[start:end] = b"\1" * (end - start)
    named = {w.start for w in names(sentence)}
    for word in words(sentence):
        named_here = word.start in named or (word.text[0].isupper() and fold(word.text) in known)
        if named_here and not taken[word.start]:
            found.append((word.start, word.end, "name", fold(word.text)))
    joined: list[tuple[int, int, str, str]] = []
    for one in sorted(found):
        last = joined[-1] if joined else None
        if last and last[2] == one[2] == "name" and not sentence[last[1] : one[0]].strip(" ."):
            joined[-1] = (last[0], one[1], "name", one[3])
        else:
            joined.append(one)
    return [(kind, what) for _, _, kind, what in joined]


class Belongings:
    """What the sentences of a source give to whom."""

    def __init__(self, evidence: Sequence[str], said: Sequence[str]) -> None:
        self.known = frozenset(fold(w.text) for side in (evidence, said) for w in names("\n".join(side)))
        told = {text: belongings(text, self.known) for text in evidence}
        self.pairs = {pair for pairs in told.values() for pair in pairs}
        self.owners: dict[str, set[str]] = defaultdict(set)
        self.fellows: dict[str, set[str]] = defaultdict(set)
        """Of a number those who are given one in a sentence that gives it."""
        for pairs in told.values():
            for name, number in pairs if len(pairs) > 1 else ():
                self.owners[number].add(name)
                self.fellows[number].update(other for other, _ in pairs)
        self.beside: dict[str, set[str]] = defaultdict(set)
        """Of a number the words that stand beside it in sentences that do not say whose it is."""
        for text, pairs in told.items() if self.owners else ():
            held, given = set(forms(text)), {number for _, number in pairs}
            for value in {n.value for n in numbers(text)} & set(self.owners) - given:
                self.beside[value] |= held

    def keeps(self, sentence: str) -> bool:
        """Whether all that a sentence gives is given so by the source."""
        return bool(found := belongings(sentence, self.known)) and self.pairs.issuperset(found)

    def taken(self, said: Sequence[str]) -> tuple[str, str, str] | None:
        """A name, a number that a sentence gives it, and whose it is by the source; None where all keep their own.

        Said only where a sentence of the source gives both names a number of their own, and none of its sentences holds
        that name beside that number.

        >>> source, said = ["Then Ann earned 5 and Ben 7."], ["At last Ben had 5, and Ann 7."]
        >>> Belongings(source, said).taken(said)
        ('ben', '5', 'ann')
        """
        if not self.owners:
            return None
        for text in said:
            for name, number in belongings(text, self.known):
                theirs = self.owners.get(number, set())
                others = name in self.fellows[number] and name not in self.beside[number]
                if theirs and name not in theirs and others:
                    return name, number, min(theirs)
        return None
