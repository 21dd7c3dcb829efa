"""A row whose text is put otherwise while what it says, its label and its answer stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dataflywheel.contracts import build
from dataflywheel.models.endpoint.request import Reply
from dataflywheel.proposing.gates.language_kept import LanguageKept
from dataflywheel.proposing.gates.meaning import Meaning
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.proposing.labelled_texts import Place, place_of, relabelled, same
from dataflywheel.rows.schema import Row
from dataflywheel.signals.wording.sentences import forms

SAME, ANSWERED = "the same words", "it holds the answer"
SHORT = 12
"""Words of an answer that a text might give away."""
_LANGUAGE = build(LanguageKept, {})
_MEANING = Meaning(part="prompt", least=None, most=None)


@dataclass(frozen=True)
class Seed:
    """A row, the turn with its text, and its label; "" where it has none of those that the rows share."""

    row: Row
    place: Place
    label: str

    @property
    def text(self) -> str:
        return self.text_in(self.row)

    def text_in(self, row: Row | None) -> str:
        return "" if row is None else row["messages"][self.place.turn]["content"]

    def with_text(self, text: str, made_by: str) -> Row:
        """The row with another text; label, answer and all other fields as they are."""
        return relabelled(self.row, Place(self.place.turn, "", False), text, "", made_by)

    def fault(self, text: str) -> str:
        """Why a text is not the seed's in other words, or ""; what a label says is for others to check."""
        if not text:
            return "malformed: an empty text"
        old, new = forms(self.text), forms(text)
        if old == new:
            return SAME
        if not self.label and self._answered(old, new):
            return ANSWERED
        made = Proposal((), self.with_text(text, ""), before=self.row)
        (check,) = _LANGUAGE.check([made], Surroundings())
        if check.passed and not self.label:
            check = _MEANING.invariants(self.text, text)
        return "" if check.passed else f"{check.reason}: {check.detail}"

    def _answered(self, old: Sequence[str], new: Sequence[str]) -> bool:
        """Whether the text gives a short answer away that the old one does not."""
        answers = self.row["messages"][self.place.turn + 1 :]
        said = forms(answers[-1]["content"]) if answers else []
        held = [f" {' '.join(said)} " in f" {' '.join(side)} " for side in (old, new)]
        return 0 < len(said) <= SHORT and held == [False, True]

    def proposal(self, text: str, made_by: str, replies: tuple[Reply, ...]) -> Proposal:
        return Proposal((self.row["id"],), self.with_text(text, made_by), replies=replies)


def seed_of(row: Row, labels: Sequence[str], max_chars: int) -> Seed | str:
    """The row as a seed, or in a few words why it is none."""
    place = place_of(row)
    label = place.label if isinstance(place, Place) and any(same(place.label, one) for one in labels) else ""
    asked = [i for i, turn in enumerate(row["messages"]) if turn["role"] == "user"]
    if row["media"]:
        return "not augmented, the writer cannot see its images or sounds"
    if not asked and not label:
        return "not augmented, no text that is asked or labelled"
    if not isinstance(place, Place) or not label:
        place = Place(asked[-1] if asked else 0, "", False)
    text = row["messages"][place.turn]["content"]
    if not text.strip() or len(text) > max_chars:
        return "not augmented, too long" if text.strip() else "not augmented, no text"
    return Seed(row, place, label)
