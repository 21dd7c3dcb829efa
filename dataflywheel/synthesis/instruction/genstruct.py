"""Genstruct: a passage becomes a scenario with a hard question, and an answer that reasons from the passage."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.gates.prompt_leak import longest_run
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import part_of
from dataflywheel.signals.wording.sentences import forms
from dataflywheel.synthesis.knowledge.chunks import locate
from dataflywheel.synthesis.knowledge.documents import LEANS, Visit, leans, text_of_document, visits
from dataflywheel.synthesis.knowledge.subject import subject_of

INSTRUCTIONS = (
    "The material is a passage of a document. Invent a situation in which what it says decides: somebody, somewhere, "
    "with a case of their own. Ask one question about it that needs several steps of thought and is answered by this "
    "passage alone, in its language. Whoever reads the question has not seen the passage: the question tells the "
    "whole situation, and neither names nor quotes any text. Copy as `evidence`, letter for letter, the sentences of "
    "the passage that the answer rests on. Then answer: reason step by step from what the evidence says to the "
    "conclusion, without facts or numbers that neither passage nor question has."
)
ASK = "Write the situation with its `question`, the copied sentences as `evidence`, and the reasoned `answer`."
NO_EVIDENCE = "no evidence, the quoted words are not in the passage"
COPIED = "no reasoning, the answer is copied from the passage"
PLAIN = "the question tells no situation"
QUOTED = "the question quotes the passage"
SENTENCES = 5
"""That may be copied, where a grammar ends the list: so that it cannot loop."""
RUN = 15
"""Words in one piece that a question may not take from its passage."""


class Scenario(Form):
    """A situation with its question, the words of the passage that decide it, and the answer."""

    question: str = Field(min_length=1)
    evidence: list[str] = Field(min_length=1, json_schema_extra={"maxItems": SENTENCES})
    answer: str = Field(min_length=1)


class Genstruct(Instructed, AskingProposer):
    """Each visit of a document is about its next part: a situation, a question that it leads to, and an answer that
    reasons from sentences of the part. Every one of these must stand there word for word; numbers and names of the
    answer must stand in the part or in the question, so that answers which compute new numbers are turned away.

    Reconstructed: the published model was trained to write such pairs, and how is not known; here any model is told to.
    """

    card: ClassVar[Card] = Card(
        title="Genstruct 7B: an instruction-generation model that grounds questions in raw text",
        authors="Nous Research",
        year=2024,
        paper="https://huggingface.co/NousResearch/Genstruct-7B",
        category="synthesis",
        subcategory="instruction",
        summary="Writes situations with a hard question from passages, and answers that reason from quoted sentences.",
        needs=("endpoint",),
        cost="$",
        checked="a scripted writer with planted made-up evidence, facts, copies and plain questions on medical texts",
        pays="Documents whose use lies in deciding cases, where questions that one sentence answers are too easy.",
        fails="Answers that compute new numbers are turned away; small models quote words that do not stand there.",
        evidence="Here, on 120 medical texts with five planted faults: all 17 good ones kept, none of the others. "
        "What training on it is worth was not measured here.",
    )
    writes_from: ClassVar[Literal["rows", "documents", "nothing"]] = "documents"
    gates: ClassVar[tuple[NamedGate, ...]] = (
        "format_and_length",
        "refusal",
        "prompt_leak",
        {"grounded": {"least_words": 0.4}},
    )

    longest: int = Field(default=4000, ge=200)
    """Characters of a passage, at most; longer documents are taken in parts, at their sections."""
    least_words: int = Field(default=20, ge=1)
    """Words that a situation with its question has at least; in scripts without spaces letters count."""
    max_tokens: int = Field(default=2048, ge=16)
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do."""

    def unfit(self, seed: Row) -> str:
        return text_of_document(seed)[1]

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        looked = visits(demand, self.longest)
        questions = [
            question(self.instructions, self._material(one.seed, one.passage), ASK, self.sampling, one.cycle)
            for one in looked
            if isinstance(one, Visit)
        ]
        answers = iter(ask_for(client, questions, Scenario))
        return [
            without(one, seed) if isinstance(one, str) else self._read(one, next(answers))
            for seed, one in zip(demand.seeds, looked, strict=True)
        ]

    @staticmethod
    def _material(seed: Row, passage: str) -> dict[str, str]:
        subject = subject_of(part_of(seed["messages"], "prompt"))
        return {**({"subject": subject} if subject else {}), "passage": passage}

    def _read(self, visit: Visit, answer: Answer[Scenario]) -> Proposal:
        seed, text, place, passage = visit.seed, visit.text, visit.place, visit.passage
        if answer.value is None:
            return failed(answer, seed)
        asked, said = answer.value.question.strip(), answer.value.answer.strip()
        spans = [locate(quoted, text, *place) for quoted in answer.value.evidence]
        found = [span for span in spans if span is not None]
        why = "" if len(found) == len(spans) else NO_EVIDENCE
        why = why or self._fault(asked, said, passage)
        if why:
            return without(why, seed, replies=answer.replies)
        row = child(self.name, seed, asked, said)
        facts = {"part": list(place), "evidence": [list(span) for span in found]}
        return Proposal(
            (seed["id"],),
            row,
            source=f"{passage}\n\n{asked}",
            shown=(str(self.instructions),),
            facts=facts,
            replies=answer.replies,
        )

    def _fault(self, asked: str, said: str, passage: str) -> str:
        """Why what was written is no situation with a reasoned answer, or ""."""
        if not asked or not said:
            return f"malformed: an empty {'answer' if asked else 'question'}"
        leaning = leans(asked, passage)
        if leaning:
            return f"{LEANS}: {leaning!r}"
        words = len(forms(asked))
        if words < self.least_words:
            return f"{PLAIN}: {words} words"
        run = longest_run(asked, [passage], [], RUN)
        if run:
            return f"{QUOTED}: {run} words"
        return COPIED if " ".join(said.split()) in " ".join(passage.split()) else ""
