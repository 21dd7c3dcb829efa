"""InstructLab: questions and answers from documents by examples of one's own, past three judges."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from pydantic import Field

from dataflywheel.contracts import Card, Cost, PoolStatistics
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
from dataflywheel.synthesis.knowledge.documents import LEANS, Visit, leans, text_of_document, visits
from dataflywheel.synthesis.knowledge.subject import subject_of

INSTRUCTIONS = (
    "The material is a passage of a document. Write {count} as a teacher would ask them who wants to know whether the "
    "passage was understood, each with its answer, in the language of the passage. Each question stands by itself: it "
    "names what it is about, and never speaks of a passage or text. The answer says all that the passage has to say to "
    "the question, in whole sentences, and nothing else. Ask about different things, the important ones first. Where "
    "`asked before` is given, ask about something else."
)
ASK = "Write {count} as `pairs`, each with its `question` and `answer`."
EARLIER = 20
"""Questions asked before that are shown, at most."""
TWICE = "the same question twice"


class Pair(Form):
    """A question with its answer."""

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)


class Pairs(Form):
    """What one reply holds."""

    pairs: list[Pair] = Field(min_length=1, json_schema_extra={"maxItems": 20})


class InstructLab(Instructed, AskingProposer):
    """Each visit of a document asks about its next part, in the manner of `examples`: five or so of your own, each with
    `document`, `question` and `answer`. The same question twice is one row.

    What is written has to pass three judges, each a gate with its own prompt: whether the question stands by itself
    (`well_asked`), whether the answer answers it (`relevant`), and whether the document supports it (`faithful`). Each
    sees only what it needs, and says its reason before one word; which word is enough is the gate's `least`. The
    published pipeline gives marks in place of words and has a spell-checked copy of the document besides; the prompts
    here are ours.
    """

    card: ClassVar[Card] = Card(
        title="LAB: Large-Scale Alignment for ChatBots",
        authors="Sudalairaj et al.",
        year=2024,
        paper="2403.01081",
        category="synthesis",
        subcategory="knowledge",
        summary="Questions and answers from documents in the manner of a few examples, kept by three judges in words.",
        needs=("endpoint",),
        cost="$$",
        checked="a scripted writer with planted unfaithful, off-point and unclear pairs before judges of known error",
        pays="Documents whose knowledge shall be trained into a model, with answers in words of their own.",
        fails="One model that writes and judges passes its own errors; name another as `model` of the gates.",
        evidence="Here, of 360 scripted pairs with three planted faults in half of them, judges that never err let all "
        "good ones and no other pass. What training on it is worth was not measured here.",
    )
    name: ClassVar[str] = "instruct_lab"
    version: ClassVar[int] = 2
    writes_from: ClassVar[Literal["rows", "documents", "nothing"]] = "documents"
    gates: ClassVar[tuple[NamedGate, ...]] = (
        "format_and_length",
        "refusal",
        "prompt_leak",
        "well_asked",
        "relevant",
        "faithful",
    )

    questions: int = Field(default=3, ge=1, le=20)
    """Questions asked for at each visit."""
    longest: int = Field(default=4000, ge=200)
    """Characters of a part, at most."""
    max_tokens: int = Field(default=2048, ge=16)
    instructions: Instructions = INSTRUCTIONS
    """What the model is told to do; `{count}` says how many questions."""

    def rows_a_seed(self) -> int:
        return self.questions

    def estimate(self, pool: PoolStatistics) -> Cost:
        """One question for each visit, which gives several rows."""
        part = 1 / self.questions
        visits = PoolStatistics(math.ceil(pool.rows * part), round(pool.chars * part), round(pool.tokens * part))
        return super().estimate(visits)

    def unfit(self, seed: Row) -> str:
        return text_of_document(seed)[1]

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        looked = visits(demand, self.longest)
        questions = [self._question(visit, demand) for visit in looked if isinstance(visit, Visit)]
        answers = iter(ask_for(client, questions, Pairs))
        had: dict[str, set[str]] = {}
        made: list[Proposal] = []
        for seed, visit in zip(demand.seeds, looked, strict=True):
            if isinstance(visit, str):
                made.append(without(visit, seed))
                continue
            known = had.setdefault(seed["id"], {_bare(text) for text in _earlier(seed, demand)})
            made += self._read(visit, next(answers), known)
        return made

    def _question(self, visit: Visit, demand: Demand) -> Request:
        material = {"passage": visit.passage}
        subject = subject_of(part_of(visit.seed["messages"], "prompt"))
        if subject:
            material = {"subject": subject, **material}
        before = _earlier(visit.seed, demand) if visit.cycle else []
        if before:
            material["asked before"] = "\n".join(before[-EARLIER:])
        count = "one question" if self.questions == 1 else f"{self.questions} different questions"
        instructions, ask = (filled(one, count=count) for one in (self.instructions, ASK))
        return question(instructions, material, ask, self.sampling, visit.cycle)

    def _read(self, visit: Visit, answer: Answer[Pairs], known: set[str]) -> list[Proposal]:
        seed, passage = visit.seed, visit.passage
        if answer.value is None:
            return [failed(answer, seed)]
        made = []
        for number, pair in enumerate(answer.value.pairs[: self.questions]):
            replies = () if number else answer.replies
            asked, said = pair.question.strip(), pair.answer.strip()
            leaning = leans(asked, passage)
            why = f"{LEANS}: {leaning!r}" if leaning else TWICE if _bare(asked) in known else ""
            if why or not asked or not said:
                made.append(without(why or "malformed: an empty question or answer", seed, replies=replies))
                continue
            known.add(_bare(asked))
            made.append(
                Proposal(
                    (seed["id"],),
                    child(self.name, seed, asked, said),
                    source=passage,
                    shown=(str(self.instructions),),
                    facts={"part": list(visit.place)},
                    replies=replies,
                )
            )
        return made


def _earlier(seed: Row, demand: Demand) -> list[str]:
    """Questions that were kept of this document."""
    return [part_of(row["messages"], "prompt") for row in demand.accepted if seed["id"] in row["parents"]]


def _bare(text: str) -> str:
    """A question without capitals, blanks and its last sign."""
    return " ".join(text.casefold().split()).rstrip(" ?.!")
