"""What all ways of renewing an evaluation share: a question put otherwise, whose answer is found to be the same."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import orjson
from pydantic import Field

from dataflywheel.contracts import Cost, PoolStatistics
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks, Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.proposing.metrics.final_answer import FinalAnswer, references
from dataflywheel.proposing.rewritten import exchange_of, replaced, unchanged
from dataflywheel.rows.formats.written_turns import asked_turns
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import split_answer

WORK = "Work it out step by step. End with a line that holds #### and the final answer, and nothing else."
SAME = (
    "The material is a question, another wording of it and the reference answer to the question. In `analysis` compare "
    "what the two ask for: facts, numbers, conditions and form. Then say in `same` whether the reference answer is as "
    "right an answer to the other wording: yes, no or unsure."
)
ASK = "Is the reference as right an answer to the other wording? Write `analysis`, and then `same`: yes, no or unsure."
UNVERIFIED = "not verified"
ANSWER_TOKENS = 300
RESULT_WORDS = 5
"""A longer answer is a text, which nobody gives again word for word."""


Doubt = tuple[str, tuple[Reply, ...]]
"""Why a variant is not used, or "", and what was asked."""


class Written(NamedTuple):
    """A question put otherwise, or why there is none, with what was asked for it."""

    text: str
    why: str = ""
    replies: tuple[Reply, ...] = ()


class Compared(Form):
    """Whether two questions have the same answer, said after a look at both."""

    analysis: str = words(1500)
    same: Literal["yes", "no", "unsure"]


class Renews(Proposer):
    """Writes a variant of an evaluation row, which is scored beside it."""

    rewrites: ClassVar[bool] = True
    keeps_meaning: ClassVar[bool] = True
    verifies: ClassVar[bool] = False
    """Whether no variant is used that a model did not find to have the same answer."""

    @classmethod
    def called(cls, given: Mapping[str, Any]) -> str:
        """What its variants are called where scores are told, with these parameters."""
        return cls.name


class Variant(Renews):
    """Puts the last question of an evaluation row otherwise; the reference answer and all else of the row stay.

    Nothing is used that is not verified: the model answers the new question, and its final answer must equal the
    reference's exactly; of a row whose answer is more than a few words, it compares both questions.
    """

    asks: ClassVar[bool] = True
    verifies: ClassVar[bool] = True

    model: ModelSpec
    """The model that writes and verifies."""
    verifier: ModelSpec | None = None
    """Who verifies; None: `model`."""
    max_tokens: int = Field(default=1024, ge=16)
    """Tokens of one reply, at most."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows have no variant."""
    comparison: Instructions = SAME
    """What the verifier is told to do where the answer is a text."""

    @abstractmethod
    def varied(self, writer: Asks, rows: Sequence[Row], turns: Sequence[int]) -> list[Written]:
        """The last question of each row put otherwise, in the order of the rows."""

    def propose(self, demand: Demand) -> list[Proposal]:
        writer = client_for(self.model)
        return self.propose_between(writer, client_for(self.verifier) if self.verifier else writer, demand)

    def propose_between(self, writer: Asks, verifier: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by clients of one's own."""
        why = [unfit(row, self.max_chars) for row in demand.seeds]
        able = [i for i, bad in enumerate(why) if not bad]
        found = self.varied(writer, [demand.seeds[i] for i in able], [demand.turns[i] for i in able]) if able else []
        written = dict(zip(able, found, strict=True))
        made = {i: asked_anew(demand.seeds[i], self.name, one.text) for i, one in written.items() if not one.why}
        doubts = dict(
            zip(made, self._verified(verifier, [(demand.seeds[i], row) for i, row in made.items()]), strict=True)
        )
        return [
            self._proposal(row, why[i], written.get(i), made.get(i), doubts.get(i))
            for i, row in enumerate(demand.seeds)
        ]

    def _proposal(self, row: Row, bad: str, written: Written | None, made: Row | None, doubt: Doubt | None) -> Proposal:
        if written is None:
            return unchanged(row, bad)
        if made is None or doubt is None:
            return unchanged(row, written.why, written.replies)
        why, replies = doubt
        bought = (*written.replies, *replies)
        return unchanged(row, why, bought) if why else replaced(row, made, bought)

    def _verified(self, verifier: Asks, pairs: Sequence[tuple[Row, Row]]) -> list[Doubt]:
        """Of each row and its variant why the variant is not used, or "", with what was asked."""
        metric = FinalAnswer()
        solving = [i for i, (row, _) in enumerate(pairs) if is_closed(row)]
        judging = [i for i, (row, _) in enumerate(pairs) if not is_closed(row)]
        replies = verifier.ask([self._solve(pairs[i][1]) for i in solving]) if solving else []
        asked = [self._compare(*pairs[i]) for i in judging]
        answers = ask_for(verifier, asked, Compared)
        found: dict[int, Doubt] = {}
        found |= {i: (_wrong(metric, pairs[i][1], reply), (reply,)) for i, reply in zip(solving, replies, strict=True)}
        found |= {i: (_other(answer), answer.replies) for i, answer in zip(judging, answers, strict=True)}
        return [found[i] for i in range(len(pairs))]

    def _solve(self, row: Row) -> Request:
        before = [*split_answer(row["messages"])[0]]
        last = before[-1]
        turns = asked_turns([*before[:-1], {**last, "content": f"{last['content']}\n\n{WORK}"}])
        return Request(turns, tools=row["tools"], sampling=Sampling(max_tokens=self.max_tokens))

    def _compare(self, row: Row, variant: Row) -> Request:
        parts = exchange_of(row)
        earlier = {"earlier turns": parts.context} if parts.context else {}
        shown = {"question": parts.instruction, "other wording": exchange_of(variant).instruction}
        material = {**earlier, **shown, "reference": parts.answer}
        return question(self.comparison, material, ASK, Sampling(max_tokens=self.max_tokens))

    def calls_a_seed(self) -> float:
        """Of the verification, and of writing where a model writes."""
        return 1.0

    def estimate(self, pool: PoolStatistics) -> Cost:
        calls = round(self.calls_a_seed() * pool.rows)
        read = round(self.calls_a_seed() * pool.tokens)
        written = calls * min(self.max_tokens, ANSWER_TOKENS)
        price = self.model.usd_per_mtok
        usd = (read * price.input + written * price.output) / 1e6 if price else 0.0
        return Cost(calls=calls, tokens=read + written, usd=usd)


def asked_anew(row: Row, made_by: str, text: str) -> Row:
    """The row with its last question before the final answer as `text`; everything else stays."""
    before, final = split_answer(row["messages"])
    messages = [*before[:-1], {**before[-1], "content": text}, *final]
    made = make_row(
        messages,  # type: ignore[arg-type]  # a turn with one field replaced
        rejected=row["rejected"], tools=row["tools"], label=row["label"], source=row["source"], tags=row["tags"],
        extra=orjson.loads(row["extra"] or "{}"), parents=[row["id"]], made_by=made_by, round=row["round"],
        media=row["media"], cells=row["cells"], weight=row["weight"],
    )  # fmt: skip
    made["copies"] = row["copies"]
    return made


def unfit(row: Row, max_chars: int) -> str:
    """Why an evaluation row has no variant, or ""."""
    before, final = split_answer(row["messages"])
    if not before or before[-1]["role"] != "user" or not before[-1]["content"].strip():
        return "not renewed, its last turn before the answer is no question"
    if final and final[0]["tool_calls"]:
        return "not renewed, the answer calls tools"
    if row["media"]:
        return "not renewed, the writer cannot see its images or sounds"
    if not final and not is_closed(row):
        return "not renewed, there is no reference answer to verify by"
    return "not renewed, too long" if sum(len(turn["content"]) for turn in row["messages"]) > max_chars else ""


def is_closed(row: Row) -> bool:
    """Whether the right answer is a result (a number, a choice, a name) and not a text."""
    golds = references(row)
    return bool(golds) and min(len(gold.split()) for gold in golds) <= RESULT_WORDS


def _wrong(metric: FinalAnswer, row: Row, reply: Reply) -> str:
    if not reply.answered:
        return failure(reply)
    mark = metric.mark(reply.spoken().text, row)
    if mark.value == 1.0:
        return ""
    return f"{UNVERIFIED}: {mark.note or 'the final answer to it is another one'}"


def _other(answer: Answer[Compared]) -> str:
    if answer.value is None:
        return failure(answer)
    told = {
        "yes": "",
        "no": f"{UNVERIFIED}: it asks for something else",
        "unsure": f"{UNVERIFIED}: not surely the same",
    }
    return told[answer.value.same]
