"""A labelled text on its way to another label, and whether what was made of it is no more than a minimal edit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dataflywheel.contracts import build
from dataflywheel.models.endpoint.request import Reply
from dataflywheel.proposing.gates.language_kept import LanguageKept
from dataflywheel.proposing.gates.meaning import Meaning
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.proposing.labelled_texts import Place, relabelled
from dataflywheel.rows.schema import Row
from dataflywheel.signals.wording.sentences import forms

SAME, FAR, NAMED = "nothing changed", "more than a minimal edit", "it names its label"
FREE_WORDS = 2
"""Words that may be changed in the shortest text."""
Kept = Literal["code", "links", "options", "numbers", "units", "names"]
_LANGUAGE = build(LanguageKept, {})


@dataclass(frozen=True)
class Work:
    """One seed: its text without what is asked of every text, its label, and the one that it is to get."""

    seed: Row
    place: Place
    text: str
    around: tuple[str, str]
    """What stands before and behind the text in its turn."""
    to: str
    new: str = ""
    """The text after the edit, once there is one."""

    @property
    def root(self) -> str:
        """What the row was made from, or itself."""
        return self.seed["parents"][0] if self.seed["parents"] else self.seed["id"]

    def row(self, text: str, made_by: str) -> Row:
        """The row with this text and the new label; blanks around the text stay."""
        lead, tail = self.text[: len(self.text) - len(self.text.lstrip())], self.text[len(self.text.rstrip()) :]
        whole = f"{self.around[0]}{lead}{text.strip()}{tail}{self.around[1]}"
        return relabelled(self.seed, self.place, whole, self.to, made_by)

    def proposal(self, made_by: str, told: str, replies: tuple[Reply, ...]) -> Proposal:
        old, new = forms(self.text), forms(self.new)
        facts = {"changed": round(changed_words(old, new) / max(1, len(old), len(new)), 4)}
        return Proposal((self.seed["id"],), self.row(self.new, made_by), shown=(told,), facts=facts, replies=replies)

    def fault(self, text: str, most: float, keep: tuple[Kept, ...]) -> str:
        """Why a text is no minimal edit of the seed's, or "". `most`: of the longer text's words."""
        if not text.strip():
            return "malformed: an empty text"
        old, new = forms(self.text), forms(text)
        if old == new:
            return SAME
        changed, longer = changed_words(old, new), max(len(old), len(new))
        if changed > max(FREE_WORDS, most * longer):
            return f"{FAR}: {changed / longer:.0%} of the words"
        if _names(self.to, new) and not _names(self.to, old):
            return NAMED
        (check,) = _LANGUAGE.check([Proposal((), self.row(text, ""), before=self.seed)], Surroundings())
        if check.passed:
            check = Meaning(part="prompt", keep=keep, least=None, most=None).invariants(self.text, text)
        return "" if check.passed else f"{check.reason}: {check.detail}"


def changed_words(old: Sequence[str], new: Sequence[str]) -> int:
    """Fewest words inserted, deleted and replaced."""
    from dataflywheel.signals.words.edit_kernels import edit_distance

    known: dict[str, int] = {}
    one, other = (np.array([known.setdefault(w, len(known)) for w in side], np.int64) for side in (old, new))
    return int(edit_distance(one, other))


def _names(label: str, text: Sequence[str]) -> bool:
    said = forms(label)
    return bool(said) and f" {' '.join(said)} " in f" {' '.join(text)} "
