"""A prompt as pieces: which of them are context, what holds the facts of the answer, and the prompt without some."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from dataflywheel.signals.wording.names import missing, names
from dataflywheel.signals.wording.numbers import numbers
from dataflywheel.signals.wording.sentences import forms

BLANK = re.compile(r"(\n[^\S\n]*\n\s*)")
ASKS = ("?", "\uff1f", "\u061f", ":", "\uff1a")
Wanted = Literal["short", "first", "last", "both"]
SHORT = 12
"""Words of an answer that a piece may hold as a whole."""


@dataclass(frozen=True)
class Pieces:
    """Texts in order, and what stands between them, one fewer."""

    texts: tuple[str, ...]
    between: tuple[str, ...]
    context: tuple[int, ...]
    """Which of the texts are context; the others say what is wanted."""

    @classmethod
    def of(cls, prompt: str, separator: str, least_words: int, wanted: Wanted = "short") -> Pieces:
        """The pieces of a prompt, at each `separator`, or at blank lines where that is empty. Context are those of so
        many words that do not end as a question or with a colon, and do not stand where `wanted` says what is wanted.
        """
        found = re.split(rf"(\s*{re.escape(separator)}\s*)" if separator.strip() else BLANK, prompt)
        if separator and not separator.strip():
            found = re.split(f"({re.escape(separator)})", prompt)
        texts = tuple(found[::2])
        ends = {"short": (), "first": (0,), "last": (len(texts) - 1,), "both": (0, len(texts) - 1)}[wanted]
        long = [i for i, text in enumerate(texts) if len(forms(text)) >= least_words and i not in ends]
        context = tuple(i for i in long if not texts[i].rstrip().endswith(ASKS))
        return cls(texts, tuple(found[1::2]), context)

    @property
    def wanted(self) -> str:
        """What is no context."""
        return "\n\n".join(text for i, text in enumerate(self.texts) if i not in self.context and text.strip())

    def without(self, gone: Collection[int]) -> str:
        """The prompt without these texts; each that stays has before it what stood there."""
        kept = [i for i in range(len(self.texts)) if i not in gone]
        return "".join((self.between[i - 1] if place else "") + self.texts[i] for place, i in enumerate(kept))


def holders(answer: str, pieces: Sequence[str]) -> list[frozenset[int]]:
    """For each number and name of the answer, and for a short answer as a whole, which pieces hold it; those that none
    holds are left out. The fewest first."""
    values = dict.fromkeys(number.value for number in numbers(answer) if number.sure)
    held = [{number.value for number in numbers(piece)} for piece in pieces]
    found = [frozenset(i for i, have in enumerate(held) if value in have) for value in values]
    for name in {word.text: word for word in names(answer)}.values():
        found += [frozenset(i for i, piece in enumerate(pieces) if not missing([name], piece))]
    said = forms(answer)
    if 0 < len(said) <= SHORT:
        whole = f" {' '.join(said)} "
        found.append(frozenset(i for i, piece in enumerate(pieces) if whole in f" {' '.join(forms(piece))} "))
    return sorted((one for one in found if one), key=lambda one: (len(one), sorted(one)))


def spared(gone: Collection[int], held: Sequence[frozenset[int]]) -> set[int]:
    """Of the pieces that were to go those that must stay, since what the answer says would go with them."""
    left = set(gone)
    for one in held:
        if one <= left:
            left -= one
    return set(gone) - left
