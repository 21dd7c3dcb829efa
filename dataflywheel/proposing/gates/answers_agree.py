"""Answers agree: a model answers the question by itself, several times, and must come to the written answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from dataflywheel.contracts import Card, Cost, PoolStatistics
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.instructions import Instructions
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.answers.compare import same_answer
from dataflywheel.proposing.final_answer import NoAnswerError, final_answer
from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import answer_said, part_of

INSTRUCTIONS = {
    "question": "The material is a question. Work it out step by step and answer it, in its language. End with a line "
    "that holds #### and the final answer, and nothing else.",
    "source": "The material is a text and a question. Answer the question from the text alone, in its language. End "
    "with a line that holds #### and the final answer, and nothing else; where the text does not say it, #### unknown.",
}
ASK = {"question": "Answer the question.", "source": "Answer the question from the text."}
OTHER = "the model comes to another answer"
FEW = "too few answers of the model can be read"


class AnswersAgree(Instructed, Gate):
    """Passes a row where at least `least` of a model's own answers to its question have the same final answer.

    The model does not see the answer. With `sees: source` it reads what the proposal was made from instead of working
    from its own knowledge: whether the question can be answered from there, and so. What a rewrite was before counts
    too, with `against: before`: the new question must lead to the old answer (round trip). Final answers are compared
    as `executable_truth` does: as exact values with their units, else as text. Several models agree where the gate
    stands several times, each with a `model` of its own.
    """

    card: ClassVar[Card] = Card(
        title="Self-Consistency Improves Chain of Thought Reasoning in Language Models",
        authors="Wang et al.",
        year=2022,
        paper="2203.11171",
        category="proposing",
        subcategory="gates",
        summary="Passes rows whose final answer a model comes to by itself, or from the source, often enough.",
        needs=("endpoint",),
        cost="$$",
        checked="planted wrong answers before models of known accuracy: pass rates as the binomial law foretells",
        pays="Answers that no program can check, and a model that is right more often than the writer.",
        fails="Where model and writer err alike; answers without a short final answer are not decided.",
        evidence="Here, against a scripted model right in 80 % of its draws (5 draws, `least: 0.6`): 94 % of right "
        "answers pass, and of wrong ones none that it does not make itself.",
    )
    asks: ClassVar[bool] = True
    capabilities: ClassVar[tuple[str, ...]] = ("chat",)
    keeps_facts: ClassVar[bool] = True

    model: ModelSpec
    """The model that answers; the recipe's teacher where none is named."""
    samples: int = Field(default=3, ge=1, le=64)
    """Answers that are drawn."""
    least: float = Field(default=0.6, gt=0, le=1)
    """Share of the answers drawn that must agree; one that cannot be read does not."""
    sees: Literal["question", "source"] = "question"
    """What the model answers from."""
    against: Literal["row", "before"] = "row"
    """Whose answer must come out: the row's own, or that of the row which it replaces."""
    temperature: float = Field(default=0.7, ge=0, le=2)
    """Of the draws; a single one is the likeliest answer."""
    max_tokens: int = Field(default=1024, ge=16)
    """Tokens of an answer, at most."""
    instructions: Instructions = INSTRUCTIONS["question"]
    """What the model is told to do; with a source the usual instructions are others."""

    @model_validator(mode="before")
    @classmethod
    def _instructed(cls, given: Any) -> Any:
        if isinstance(given, dict) and not given.get("instructions") and given.get("sees") in INSTRUCTIONS:
            return {**given, "instructions": INSTRUCTIONS[given["sees"]]}
        return given

    def estimate(self, pool: PoolStatistics) -> Cost:
        """Each row is asked about `samples` times."""
        calls = self.samples * pool.rows
        read, written = calls * 60 + self.samples * pool.tokens, calls * min(self.max_tokens, 300)
        price = self.model.usd_per_mtok
        usd = (read * price.input + written * price.output) / 1e6 if price else 0.0
        return self.with_examples(Cost(calls=calls, tokens=read + written, usd=usd))

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        client = client_for(self.model)
        client.model.capabilities.require(self.capabilities, self.name, client.model.identity)
        return self.check_with(client, proposals)

    def check_with(self, client: Asks, proposals: Sequence[Proposal]) -> list[Check]:
        """`check` by a client of one's own."""
        wanted = [self._wanted(proposal) for proposal in proposals]
        open_ = [i for i, one in enumerate(wanted) if not isinstance(one, Check)]
        requests = [self._request(proposals[i], sample) for i in open_ for sample in range(self.samples)]
        replies = iter(client.ask(requests) if requests else [])
        found = list(wanted)
        for i in open_:
            drawn = [next(replies).spoken() for _ in range(self.samples)]
            found[i] = self._agreed(str(wanted[i]), drawn)
        return [one for one in found if isinstance(one, Check)]

    def _wanted(self, proposal: Proposal) -> str | Check:
        """The final answer that must come out; a check where nothing can be asked."""
        row: Row | None = proposal.row if self.against == "row" else proposal.before
        if row is None:
            return Check(False, "no row before it to compare with", decided=False)
        if self.sees == "source" and not proposal.source.strip():
            return Check(False, "no source to answer from", decided=False)
        try:
            return final_answer(answer_said(row["messages"]))
        except NoAnswerError as error:
            return Check(False, str(error), decided=False)

    def _request(self, proposal: Proposal, sample: int) -> Request:
        assert proposal.row is not None
        heat = self.temperature if self.samples > 1 else 0.0
        sampling = Sampling(temperature=heat, max_tokens=self.max_tokens)
        parts = {"text": proposal.source} if self.sees == "source" else {}
        parts["question"] = part_of(proposal.row["messages"], "prompt")
        return question(self.instructions, parts, ASK[self.sees], sampling, sample)

    def _agreed(self, wanted: str, drawn: Sequence[Reply]) -> Check:
        read = [said for reply in drawn if reply.answered and (said := _final(reply.text)) is not None]
        same = sum(same_answer(said, wanted) for said in read)
        facts = {"agreed": same / len(drawn), "read": float(len(read))}
        if same >= self.least * len(drawn):
            return Check(True, facts=facts, replies=tuple(drawn))
        if len(read) < self.least * len(drawn):
            return Check(False, FEW, f"{len(read)} of {len(drawn)}", facts, decided=False, replies=tuple(drawn))
        return Check(False, OTHER, f"{same} of {len(drawn)} agree", facts, replies=tuple(drawn))


def _final(text: str) -> str | None:
    try:
        return final_answer(text)
    except NoAnswerError:
        return None
