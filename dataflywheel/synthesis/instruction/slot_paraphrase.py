"""Slot-preserving paraphrase: the same in other words, with given strings in it exactly once each."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from pydantic import Field

from dataflywheel.contracts import Card, Operator, build
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.gates.language_kept import LanguageKept
from dataflywheel.proposing.gates.meaning import Meaning
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Surroundings
from dataflywheel.proposing.rewritten import remade
from dataflywheel.rows.schema import Message, Row
from dataflywheel.rows.text import fields_of
from dataflywheel.signals.wording.sentences import forms
from dataflywheel.signals.words.bleu import bleu
from dataflywheel.synthesis.instruction.slots import counts, slots_of

INSTRUCTIONS = (
    "The material is a text and a list of strings, one a line. Write the text in other words and another order, in its "
    "language and with the same meaning. Each string of the list must stand in it exactly once, letter for letter, and "
    "every number, unit, condition and denial stays. If the text asks something, do not answer it."
)
ASK = "Write the whole text in other words, as `text`, with each of the strings in it once."
LOST, TWICE, SAME, ANSWERED = "a slot is lost", "a slot stands twice", "the same words", "it holds the answer"
ALIKE = 0.9
"""BLEU with the old text from which one says the same in the same words."""
SHORT = 12
"""Words of an answer that a paraphrase might give away."""
HIDDEN = 60
"""Characters of a slot that a reason shows."""
_LANGUAGE = build(LanguageKept, {})
_SAME = Meaning(part="prompt", least=None, most=None)


class Paraphrase(Form):
    """The text in other words."""

    text: str = Field(min_length=1)


class _Work(NamedTuple):
    """One seed: its turn that is put in other words, and what must stand in it."""

    seed: Row
    place: int
    text: str
    slots: list[str]

    def with_text(self, text: str, made_by: str) -> Row:
        """The row with this text in place of its own; everything else as it is."""
        turns: list[Message] = [
            {**turn, "content": text} if i == self.place else turn for i, turn in enumerate(self.seed["messages"])
        ]
        return remade(self.seed, made_by, turns, self.seed["rejected"], self.seed["label"])

    def fault(self, text: str) -> str:
        """Why a text is no paraphrase with the slots, or ""."""
        if not text:
            return "malformed: an empty text"
        for slot, count in zip(self.slots, counts(text, self.slots), strict=True):
            if count != 1:
                return f"{TWICE if count else LOST}: {slot[:HIDDEN]!r}"
        if forms(text) == forms(self.text) or bleu(text, self.text) >= ALIKE:
            return SAME
        answers = self.seed["messages"][self.place + 1 :]
        said = forms(answers[-1]["content"]) if answers else []
        new, old = (f" {' '.join(forms(one))} " for one in (text, self.text))
        told = f" {' '.join(said)} "
        return ANSWERED if 0 < len(said) <= SHORT and told in new and told not in old else ""

    def changed(self, row: Row) -> str:
        """What the new text does not keep, or ""."""
        proposal, around = Proposal((self.seed["id"],), row, before=self.seed), Surroundings()
        (check,) = _LANGUAGE.check([proposal], around)
        if check.passed:
            check = _SAME.invariants(self.text, row["messages"][self.place]["content"])
        return "" if check.passed else f"{check.reason}: {check.detail}"


class SlotParaphrase(Instructed, AskingProposer):
    """New rows whose last question or text is put in other words, while its slots stand in it exactly once each, and
    answer, label, tools and all other fields stay. Slots are the values of `slots`, fields of the row; without these
    what is quoted in the text, and where nothing is, its names.

    A slot counts where it stands as whole words, outside a longer slot. What changes numbers, names, denials, code or
    the language, repeats the words, or gives a short answer away is no row, for that reason. Each visit asks for one
    more.

    Reconstructed: of the published method this is the route that paraphrases; prompt and checks are ours.
    """

    card: ClassVar[Card] = Card(
        title="PGA-SciRE: Harnessing LLM on Data Augmentation for Enhancing Scientific Relation Extraction",
        authors="Zhou et al.",
        year=2024,
        paper="2405.20787",
        category="synthesis",
        subcategory="instruction",
        summary="Paraphrases texts whose entities must stand in them exactly once each; label and answer stay.",
        needs=("endpoint",),
        cost="$",
        checked="triples of UMLS, whose entities hold each other, and a writer that loses, doubles or changes slots",
        pays="Relations, slots and entities with few examples, where a label holds only while its words stay.",
        fails="Answers that count characters or quote more of the text than its slots may no longer fit.",
        evidence="Here, on 111 triples of UMLS with four planted faults: all 32 good ones kept, none of the others. "
        "What training on it is worth was not measured here.",
    )
    answered_in: ClassVar[type[Form] | None] = Paraphrase
    operator: ClassVar[Operator] = "rephrasings"
    gates: ClassVar[tuple[NamedGate, ...]] = (
        {"format_and_length": {"answer": (0, 100_000), "complete": False}},  # the answer is the user's own
        "prompt_leak",
    )

    slots: tuple[str, ...] = ()
    """Fields of the rows that hold a slot, or a list of them; empty: what is quoted, else names."""
    max_chars: int = Field(default=8000, ge=20)
    """Longer rows are left out."""
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    def unfit(self, seed: Row) -> str:
        place = _place(seed)
        text = seed["messages"][place]["content"] if place is not None else ""
        if not text.strip():
            return "no text"
        if seed["media"]:
            return "not paraphrased, the writer cannot see its images or sounds"
        if len(text) > self.max_chars:
            return "not paraphrased, too long"
        found = self._slots(seed, text)
        if isinstance(found, str):
            return found
        gone = [slot for slot, count in zip(found, counts(text, found), strict=True) if not count]
        return f"the text does not hold its slot: {gone[0][:HIDDEN]!r}" if gone else ""

    def _slots(self, row: Row, text: str) -> list[str] | str:
        """The slots of a row with this text, or why there are none."""
        if not self.slots:
            return slots_of(text) or "no slots: nothing is quoted, and there are no names"
        fields, found = fields_of(row), list[str]()
        for name in self.slots:
            value = fields.get(name)
            given = value if isinstance(value, list) else [value]
            if not given or not all(isinstance(one, str) and one.strip() for one in given):
                return f"no slots: the field {name} holds no text"
            found += [one.strip() for one in given if isinstance(one, str)]
        return list(dict.fromkeys(found))

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        why = [self.unfit(seed) for seed in demand.seeds]
        asked = [i for i, bad in enumerate(why) if not bad]
        work = {i: self._work(demand.seeds[i]) for i in asked}
        questions = [
            question(
                self.instructions,
                {"text": work[i].text, "strings": "\n".join(work[i].slots)},
                ASK,
                self.sampling,
                demand.turns[i],
            )
            for i in asked
        ]
        answers = dict(zip(asked, ask_for(client, questions, Paraphrase), strict=True))
        return [
            self._read(work[i], answers[i]) if i in answers else without(why[i], seed)
            for i, seed in enumerate(demand.seeds)
        ]

    def _work(self, seed: Row) -> _Work:
        place = _place(seed)
        assert place is not None
        text = seed["messages"][place]["content"]
        slots = self._slots(seed, text)
        assert not isinstance(slots, str)
        return _Work(seed, place, text, slots)

    def _read(self, one: _Work, answer: Answer[Paraphrase]) -> Proposal:
        if answer.value is None:
            return failed(answer, one.seed)
        text = answer.value.text.strip()
        row = one.with_text(text, self.name)
        why = one.fault(text) or one.changed(row)
        if why:
            return without(why, one.seed, replies=answer.replies)
        told = (str(self.instructions),)
        return Proposal((one.seed["id"],), row, source=one.text, shown=told, replies=answer.replies)


def _place(row: Row) -> int | None:
    """Which turn is put in other words: the last question, and in a text without one the text."""
    asked = [i for i, turn in enumerate(row["messages"]) if turn["role"] == "user"]
    return asked[-1] if asked else len(row["messages"]) - 1 if row["messages"] else None
