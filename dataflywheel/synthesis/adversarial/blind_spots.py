"""Blind spots: what the errors of one slice have in common, where else that would go wrong, and rows for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions, filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of
from dataflywheel.synthesis.adversarial.label_check import confirmed

HYPOTHESES = (
    "The material is rows, each a question with its right answer, that a model got wrong. Write "
    "`abstraction`: what such rows have in common that may explain the errors; and `extrapolation`: other kinds of "
    "questions, not among the rows, where the same weakness would show. Give {count} of each, every one in one "
    "sentence that stands by itself."
)
FIND = (
    "Why may the model get such rows wrong? Write the lists `abstraction` and `extrapolation`, {count} sentences each."
)
WRITE = (
    "The material is a hypothesis about where a model is wrong, and one row that it got wrong. Write a new row that "
    "the hypothesis is about, in the language of the row shown and unlike it in content: a question and its right "
    "answer in the form of the row shown."
)
ASK = "Write a new row that the hypothesis is about: its `question`, and then its right `answer`."
SHOWN_CHARS = 1000
"""Of one row: longer ones are cut."""


class Hypotheses(Form):
    """What was found about one slice."""

    abstraction: list[str] = Field(min_length=1)
    extrapolation: list[str] = Field(min_length=1)


class Example(Form):
    """A row for a hypothesis."""

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)


@dataclass(frozen=True)
class _Hypothesis:
    text: str
    kind: Literal["abstraction", "extrapolation"]


class BlindSpots(Instructed, AskingProposer):
    """Seeds are rows that the student got wrong: a recipe gives it those alone. Those of one slice (first tag) are
    looked at together. The paper's are wrong with confidence; here no confidence is measured, and none is spoken of.

    Each seed gives one row: the slice's hypotheses take turns, abstraction and extrapolation alternating. Its label is
    the writer's own, and counts only where the question, answered anew without a look at it, gets the same answer.
    """

    version: ClassVar[int] = 3

    card: ClassVar[Card] = Card(
        title="Exploring LLMs as a Source of Targeted Synthetic Textual Data to Minimize High Confidence "
        "Misclassifications",
        authors="Lippmann et al.",
        year=2024,
        paper="2403.17860",
        category="synthesis",
        subcategory="adversarial",
        summary="Hypotheses about what a slice's errors share, and labelled rows for each, their labels checked.",
        needs=("endpoint",),
        cost="$",
        checked="a scripted agent: slices never mix, hypotheses take turns, rows name theirs; wrong "
        "labels at a known rate are turned away",
        pays="A student that fails in one slice, such as a dialect or a form of question, for reasons nobody has "
        "named yet, and few calls to spend.",
        fails="Hypotheses from a handful of errors may name what is chance, and slices without tags are mixed: tag "
        "the rows, and measure an unseen part of the slice and the rest beside it.",
        evidence="The paper reports fewer unknown unknowns at equal accuracy on 3 tasks, over 10 times cheaper than "
        "by people; the gain of a student was not measured here.",
    )
    answered_in: ClassVar[type[Form] | None] = Example
    from_failures: ClassVar[bool] = True
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "refusal", "prompt_leak", "novelty")

    hypotheses: int = Field(default=3, ge=1, le=10)
    """Of each kind, for each slice."""
    shown: int = Field(default=8, ge=2, le=40)
    """Rows of a slice that the hypotheses are drawn from, at most."""
    agree: int = Field(default=1, ge=0, le=8)
    """Independent answers to each new question that must come to the same as its label; 0 trusts the writer."""

    instructions: Instructions = WRITE
    """What the model is told to do to write a row for a hypothesis."""
    analysis: Instructions = HYPOTHESES
    """What it is told to do with the rows of a slice: `{count}` hypotheses of each kind."""

    def calls_a_seed(self) -> float:
        return 1.0 + 1.0 / self.shown + 2.0 * self.agree

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        slices: dict[str, list[int]] = {}
        for i, seed in enumerate(demand.seeds):
            slices.setdefault(seed["tags"][0] if seed["tags"] else "", []).append(i)
        asked = [self._about(demand, places) for places in slices.values()]
        answers = ask_for(client, asked, Hypotheses)
        bills: dict[int, tuple[Reply, ...]] = {}
        given: dict[int, _Hypothesis] = {}
        broken: dict[int, Answer[Hypotheses]] = {}
        for places, answer in zip(slices.values(), answers, strict=True):
            bills[places[0]] = answer.replies
            spots = _in_turn(answer.value) if answer.value is not None else []
            for number, i in enumerate(places):
                if spots:
                    given[i] = spots[(number + demand.turns[i]) % len(spots)]
                else:
                    broken[i] = answer
        order = list(given)
        questions = [
            question(
                self.instructions,
                {"hypothesis": given[i].text, "row": _shown(demand.seeds[i])},
                ASK,
                self.sampling,
                sample=demand.turns[i],
            )
            for i in order
        ]
        rows = dict(zip(order, ask_for(client, questions, Example), strict=True))
        made = [
            self._read(seed, given[i], rows[i], bills.get(i, ()))
            if i in given
            else self._nothing(seed, broken[i], bills.get(i, ()))
            for i, seed in enumerate(demand.seeds)
        ]
        shown = [_shown(seed) for seed in demand.seeds]
        for number in range(self.agree):
            made = confirmed(client, made, shown, self.sampling, number)
        return made

    def _about(self, demand: Demand, places: Sequence[int]) -> Request:
        parts = {f"row {n}": _shown(demand.seeds[i]) for n, i in enumerate(places[: self.shown], 1)}
        instructions, ask = (filled(text, count=self.hypotheses) for text in (self.analysis, FIND))
        return question(instructions, parts, ask, self.sampling, demand.turns[places[0]])

    def _nothing(self, seed: Row, answer: Answer[Hypotheses], replies: tuple[Reply, ...]) -> Proposal:
        if answer.value is not None:
            return without("no hypothesis", seed, replies=replies)
        return failed(answer, seed, replies=replies)

    def _read(self, seed: Row, spot: _Hypothesis, answer: Answer[Example], before: tuple[Reply, ...]) -> Proposal:
        replies = (*before, *answer.replies)
        if answer.value is None:
            return failed(answer, seed, replies=replies)
        asked, said = answer.value.question.strip(), answer.value.answer.strip()
        if not asked or not said:
            return without("empty question or answer", seed, replies=replies)
        facts = {"hypothesis": spot.text, "kind": spot.kind}
        shown = (self.analysis, self.instructions)
        return Proposal((seed["id"],), child(self.name, seed, asked, said), shown=shown, facts=facts, replies=replies)


def _in_turn(found: Hypotheses) -> list[_Hypothesis]:
    """Both kinds alternating, as far as each goes; blank ones are left out."""
    common = [_Hypothesis(text.strip(), "abstraction") for text in found.abstraction if text.strip()]
    other = [_Hypothesis(text.strip(), "extrapolation") for text in found.extrapolation if text.strip()]
    longest = max(len(common), len(other))
    return [one for i in range(longest) for group in (common, other) for one in group[i : i + 1]]


def _shown(row: Row) -> str:
    asked, said = part_of(row["messages"], "prompt"), part_of(row["messages"], "answer")
    return f"question: {asked[:SHOWN_CHARS]}\nanswer: {said[:SHOWN_CHARS]}"
