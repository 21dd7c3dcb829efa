"""Grounded questions: a model asks and answers about each part of a document, and quotes what it rests on."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions, filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of
from dataflywheel.synthesis.knowledge.chunks import chunks, locate
from dataflywheel.synthesis.knowledge.sections import Span
from dataflywheel.synthesis.knowledge.subject import subject_of

INSTRUCTIONS = (
    "The material is a part of a document. Write {count} that this part answers, as somebody would ask who has not "
    "seen the document, in its language: name what the question is about and never mention a document, text or "
    "passage. Copy as `evidence`, letter for letter, the sentences of the part that hold the answer; answer in full "
    "from this part alone. Where `asked before` is given, ask for something else."
)
ASK = "Write {count} that the part answers as `pairs`, each with `question`, the copied `evidence` and the `answer`."
EARLIER = 20
"""Questions asked before that are shown, at most."""


class Pair(Form):
    """A question, its answer, and the words of the document that say so."""

    question: str = Field(min_length=1)
    evidence: str = Field(min_length=1)
    answer: str = Field(min_length=1)


class Pairs(Form):
    """What one reply holds."""

    pairs: list[Pair] = Field(min_length=1)


class GroundedQuestions(Instructed, AskingProposer):
    """Each visit of a document is about its next part: all parts are asked about before any is a second time.

    A pair whose evidence does not stand in the part, word for word, fails with `no evidence`.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="Document question-answer generation with located evidence and full coverage",
        authors="dataflywheel",
        year=2025,
        paper="",
        category="synthesis",
        subcategory="knowledge",
        summary="A model writes questions and answers from every part of a document, each with evidence found in it.",
        needs=("endpoint",),
        cost="$",
        checked="a document of 200 sections through a scripted teacher; planted made-up evidence",
        pays="Manuals, papers and policies of one's own that a model is to answer about, where every answer must be "
        "traced to its passage.",
        fails="A model that does not quote word for word gives no rows, and answers in words of their own are turned "
        "away: lower `least_words` of the gate `grounded`, or use `grounded_rules`.",
        evidence="benchmarks/gates.md, its gate as set here: all of 276 answers with an invented sentence are turned "
        "away, and 0.319 of people's own; benchmarks/real_model.md: a 135M model quoted rightly in none of 4.",
    )
    answered_in: ClassVar[type[Form] | None] = Pairs
    writes_from: ClassVar[Literal["rows", "documents", "nothing"]] = "documents"
    gates: ClassVar[tuple[NamedGate, ...]] = (
        "format_and_length",
        "refusal",
        "prompt_leak",
        {"grounded": {"within": "span", "least_words": 0.6}},
    )

    questions: int = Field(default=1, ge=1, le=20)
    """Questions asked of the model at each visit."""
    longest: int = Field(default=4000, ge=200)
    """Characters of one part, at most."""
    shortest: int = Field(default=400, ge=0)
    """Neighbouring sections are shown together until they have so many characters."""

    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do; `{count}` says how many questions."""

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        texts = [part_of(seed["messages"], "answer") for seed in demand.seeds]
        parts = [chunks(text, self.longest, self.shortest) for text in texts]
        asked = [i for i, spans in enumerate(parts) if spans]
        places = {i: parts[i][demand.turns[i] % len(parts[i])] for i in asked}
        questions = [
            self._question(demand.seeds[i], texts[i], places[i], demand.turns[i] // len(parts[i]), demand)
            for i in asked
        ]
        answers = dict(zip(asked, ask_for(client, questions, Pairs), strict=True))
        shown = {i: q.messages[0]["content"] for i, q in zip(asked, questions, strict=True)}
        return [
            proposal
            for i, seed in enumerate(demand.seeds)
            for proposal in (
                self._read(seed, texts[i], places[i], answers[i], shown[i])
                if i in places
                else [without("empty document", seed)]
            )
        ]

    def _question(self, seed: Row, text: str, place: Span, cycle: int, demand: Demand) -> Request:
        material = {"part": text[slice(*place)]}
        subject = subject_of(part_of(seed["messages"], "prompt"))
        if subject:
            material = {"subject": subject, **material}
        if cycle:
            before = [part_of(r["messages"], "prompt") for r in demand.accepted if seed["id"] in r["parents"]]
            material["asked before"] = "\n".join(before[-EARLIER:])
        count = "one question" if self.questions == 1 else f"{self.questions} different questions"
        instructions, ask = (filled(text, count=count) for text in (self.instructions, ASK))
        return question(instructions, material, ask, self.sampling, cycle)

    def _read(self, seed: Row, text: str, place: Span, answer: Answer[Pairs], shown: str) -> list[Proposal]:
        if answer.value is None:
            return [failed(answer, seed)]
        made = []
        for number, pair in enumerate(answer.value.pairs[: self.questions]):
            replies = () if number else answer.replies
            span = locate(pair.evidence, text, *place)
            if span is None:
                made.append(without("no evidence, the quoted words are not in the part", seed, replies=replies))
                continue
            row = child(self.name, seed, pair.question.strip(), pair.answer.strip())
            facts = {"span": list(span), "part": list(place)}
            made.append(Proposal((seed["id"],), row, source=text, shown=(shown,), facts=facts, replies=replies))
        return made
