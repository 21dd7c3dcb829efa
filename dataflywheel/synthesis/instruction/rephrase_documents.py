"""Rephrased documents: a model tells each part of a document anew, as prose, questions or facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field, field_validator

from dataflywheel.contracts import Card, Operator
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions, filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.proposing.asking import AskingProposer, failed, without
from dataflywheel.proposing.child import child
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.rows.text import part_of, split_answer
from dataflywheel.signals.wording.sentences import forms
from dataflywheel.signals.words.bleu import bleu, distinct, self_bleu
from dataflywheel.synthesis.instruction.document_forms import (
    FORMS,
    HOW,
    AskedPairs,
    Items,
    Retold,
    Telling,
    fault_of_pair,
    fault_of_text,
    list_of,
)
from dataflywheel.synthesis.knowledge.chunks import chunks
from dataflywheel.synthesis.knowledge.documents import text_of_document
from dataflywheel.synthesis.knowledge.sections import Span
from dataflywheel.synthesis.knowledge.subject import subject_of

INSTRUCTIONS = (
    "The material is a part of a document. {how}. Keep its language and every number, unit and name as it is; add "
    "nothing that the part does not say, and do not speak of a part, text or document."
)
QUESTIONS = (
    "The material is a part of a document. Write up to {count} questions that it answers, of different kinds (what, "
    "why, how, yes or no, compare), each with its full answer from this part alone, in its language. Whoever reads a "
    "question has not seen the part: name what it is about, and do not speak of a part, text or document."
)
ASK = {
    "text": "Write the part anew, whole, as `text`.",
    "list": "Write what the part says as `items`, a fact each.",
    "questions": "Write `pairs`, each with `question` and `answer`.",
}
SHORT = "the part is too short"


class _Work(NamedTuple):
    """One seed at one visit: which part in which form, for the how manieth time."""

    seed: Row
    part: str
    place: Span
    form: Telling
    cycle: int


class RephraseDocuments(Instructed, AskingProposer):
    """Each visit of a document tells its next part in the next form: until every part was told in every form, nothing
    is asked twice. With which form a document begins follows from its id, so that one visit of many spreads them.

    Texts become documents of their own, with the document's prompt; of `questions` every good pair becomes a row. The
    documents stay, and the new rows stand beside them. Distinct n-grams and self-BLEU of what was accepted, and of the
    parts that it was made from, stand in the step's record under `wording`.

    Reconstructed: the prompts are ours, and so is the check that a text says the same.
    """

    card: ClassVar[Card] = Card(
        title="Rephrasing the Web: A Recipe for Compute and Data-Efficient Language Modeling",
        authors="Maini et al.; forms as in Nemotron-CC (Su et al., 2024)",
        year=2024,
        paper="2401.16380",
        category="synthesis",
        subcategory="instruction",
        summary="Tells documents anew as encyclopaedic prose, question-answer pairs, short, as knowledge or as a list.",
        needs=("endpoint",),
        cost="$",
        checked="a scripted writer with planted copies, changed numbers, made-up names and malformed pairs",
        pays="Few documents whose content a model is to learn, which it learns better from several wordings.",
        fails="Alone it makes the wording uniform: watch `wording` in the record, and keep the documents beside it.",
        evidence="Here, on 36 medical texts with five planted faults: all 17 good ones kept, none of the others. "
        "What training on it is worth was not measured here.",
    )
    answered_in: ClassVar[type[Form] | None] = Retold
    writes_from: ClassVar[Literal["rows", "documents", "nothing"]] = "documents"
    operator: ClassVar[Operator] = "rephrasings"
    gates: ClassVar[tuple[NamedGate, ...]] = (
        {"format_and_length": {"prompt": (0, 20_000)}},
        "refusal",
        "prompt_leak",
        {"grounded": {"least_words": 0.3}},
    )

    forms: tuple[Telling, ...] = FORMS
    """In which forms parts are told, in turn."""
    questions: int = Field(default=8, ge=1, le=20)
    """Pairs of one reply, at most."""
    longest: int = Field(default=4000, ge=200)
    """Characters of a part, at most; longer documents are taken in parts, at their sections."""
    shortest: int = Field(default=400, ge=0)
    """Neighbouring sections are shown together until they have so many characters."""
    least_words: int = Field(default=10, ge=1)
    """Parts with fewer words are left out; in scripts without spaces letters count."""
    keep_all: bool = True
    """Whether an `encyclopaedic` text must keep all numbers, names, units, denials, code and links of its part."""
    max_tokens: int = Field(default=2048, ge=16)
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do for a text; `{how}` says in which form."""
    ask_questions: Instructions = QUESTIONS
    """What it is told to do for pairs; `{count}` says how many at most."""

    @field_validator("forms")
    @classmethod
    def _some(cls, given: tuple[Telling, ...]) -> tuple[Telling, ...]:
        if not given or len(set(given)) < len(given):
            raise ValueError(f"`forms` names one or more of {', '.join(FORMS)}, each once")
        return given

    def unfit(self, seed: Row) -> str:
        text, why = text_of_document(seed)
        return why or ("" if self._parts(text) else f"{SHORT}: fewer than {self.least_words} words")

    def rehearsed(self) -> Proposer:
        """Without a least length, so that short rows show what is asked."""
        return self.model_copy(update={"least_words": 1})

    def _parts(self, text: str) -> list[Span]:
        found = chunks(text, self.longest, self.shortest)
        return [place for place in found if len(forms(text[slice(*place)])) >= self.least_words]

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        why = [self.unfit(seed) for seed in demand.seeds]
        work = {i: self._work(demand.seeds[i], demand.turns[i]) for i, bad in enumerate(why) if not bad}
        replies: dict[int, Answer[Any]] = {}
        for kind, schema in (("text", Retold), ("list", Items), ("questions", AskedPairs)):
            mine = [i for i, one in work.items() if one.form == kind or (kind == "text" and one.form not in ASK)]
            asked = [self._question(work[i], kind) for i in mine]
            answers: Sequence[Answer[Any]] = ask_for(client, asked, schema)
            replies |= dict(zip(mine, answers, strict=True))
        return [
            proposal
            for i, seed in enumerate(demand.seeds)
            for proposal in (self._read(work[i], replies[i]) if i in work else [without(why[i], seed)])
        ]

    def _work(self, seed: Row, turn: int) -> _Work:
        text, _ = text_of_document(seed)
        parts = self._parts(text)
        at, cycle = turn % len(parts), turn // len(parts)
        form = self.forms[(int(seed["id"][:12], 16) + at + cycle) % len(self.forms)]
        return _Work(seed, text[slice(*parts[at])], parts[at], form, cycle // len(self.forms))

    def _question(self, one: _Work, kind: str) -> Request:
        subject = subject_of(part_of(one.seed["messages"], "prompt"))
        material = {**({"subject": subject} if subject else {}), "part": one.part}
        return question(self._told(one.form), material, ASK[kind], self.sampling, one.cycle)

    def _told(self, form: Telling) -> str:
        if form == "questions":
            return filled(self.ask_questions, count=self.questions)
        return filled(self.instructions, how=HOW[form])

    def _read(self, one: _Work, answer: Answer[Any]) -> list[Proposal]:
        if answer.value is None:
            return [self._noted(failed(answer, one.seed), one)]
        if isinstance(answer.value, AskedPairs):
            return self._pairs(one, answer.value, answer.replies)
        text = answer.value.text.strip() if isinstance(answer.value, Retold) else list_of(answer.value.items)
        why = fault_of_text(one.form, text, one.part, self.keep_all)
        return [self._proposal(one, None, text, why, answer.replies)]

    def _pairs(self, one: _Work, said: AskedPairs, replies: Sequence[Reply]) -> list[Proposal]:
        made, before = list[Proposal](), set[str]()
        for number, pair in enumerate(said.pairs[: self.questions]):
            asked, answer = pair.question.strip(), pair.answer.strip()
            why = fault_of_pair(asked, answer, one.part, before)
            before.add(" ".join(forms(asked)))
            made.append(self._proposal(one, asked, answer, why, () if number else replies))
        return made

    def _proposal(self, one: _Work, asked: str | None, text: str, why: str, replies: Sequence[Reply]) -> Proposal:
        if why:
            return self._noted(without(why, one.seed, replies=replies), one)
        row = self._document(one.seed, text) if asked is None else child(self.name, one.seed, asked, text)
        return Proposal(
            (one.seed["id"],),
            row,
            source=one.part,
            shown=(self._told(one.form),),
            facts={"form": one.form, "part": list(one.place)},
            replies=tuple(replies),
        )

    def _document(self, seed: Row, text: str) -> Row:
        """A document as the seed is one, with another text."""
        return make_row(
            [*split_answer(seed["messages"])[0], message("assistant", text)],
            source=seed["source"],
            tags=seed["tags"],
            parents=[seed["id"]],
            made_by=self.name,
            round=seed["round"],
        )

    @staticmethod
    def _noted(lost: Proposal, one: _Work) -> Proposal:
        return Proposal(lost.parents, failure=lost.failure, facts={"form": one.form}, replies=lost.replies)

    def told_of(self, came: Sequence[tuple[Proposal, str]]) -> dict[str, Any]:
        """How many of each form there were, and how varied the accepted texts are beside the parts told."""
        made = Counter(str(proposal.facts.get("form")) for proposal, _ in came)
        kept = [proposal for proposal, why in came if not why and proposal.row is not None]
        rows = Counter(str(proposal.facts.get("form")) for proposal in kept)
        pairs = [(part_of(one.row["messages"], "answer"), one.source) for one in kept if one.row is not None]
        likeness = [bleu(text, part) for text, part in pairs]
        return {
            "forms": {form: {"proposed": made[form], "rows": rows[form]} for form in self.forms},
            "wording": {
                "new": _variety([text for text, _ in pairs]),
                "parts": _variety(list(dict.fromkeys(part for _, part in pairs))),
                "bleu_with_part": sum(likeness) / len(likeness) if likeness else None,
            },
        }


def _variety(texts: Sequence[str]) -> dict[str, float | None]:
    return {**{f"distinct_{n}": distinct(texts, n) for n in (1, 2, 3)}, "self_bleu": self_bleu(texts)}
