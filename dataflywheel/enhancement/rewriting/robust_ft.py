"""RobustFT: find rows whose answer a model does not confirm, answer them anew, keep the surest of the new answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.embedding.shared_embedder import shared_embedder
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.examples import Instructed
from dataflywheel.models.endpoint.failure import failure, passing
from dataflywheel.models.endpoint.instructions import Instructions, filled
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.reading import ask_read
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.models.endpoint.tried import Asking
from dataflywheel.models.spec import EmbedderSpec, ModelSpec
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.proposing.rewritten import exchange_of, replaced, rewritten, unchanged, unfit
from dataflywheel.rows.schema import Row

FORM = "Answer with as few words as possible{choices}."
PLAIN = f"The material is an instruction. Answer it. {FORM}"
REASONED = f"The material is an instruction. Think step by step, and then answer it. {FORM}"
BY_EXAMPLE = f"The material is an instruction, and examples like it with answers that are right. Answer it. {FORM}"
REVIEW = f"The candidate is an answer to the instruction that may be wrong. Check it, and give the right answer. {FORM}"
LAST = 'Last line: "Answer: ...".'
ASK = {
    "instructions": f"What is the answer to the instruction? {LAST}",
    "reasoned": f"Think step by step: what is the answer to the instruction? {LAST}",
    "by_example": f"What is the answer to the instruction? {LAST}",
    "review": f"What is the right answer to the instruction? {LAST}",
}
"""The request that belongs to each of these, by the parameter that holds it."""
_MARK = re.compile(r"^[ \t*`#>]*answer[ \t*`]*:[ \t*`]*", re.MULTILINE | re.IGNORECASE)
BLOCK = 1024


@dataclass
class _Case:
    """One row on its way."""

    row: Row
    turn: int
    given: str
    plain: str = ""
    reasoned: str = ""
    candidate: str = ""
    final: str = ""
    nll: float = float("nan")
    why: str = ""
    replies: list[Reply] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return bool(self.plain) and same(self.given, self.plain) and same(self.given, self.reasoned)


class RobustFT(Instructed, Proposer):
    """A row is clean where its answer, the model's plain answer and its answer after reasoning are the same.

    The others are answered anew with the nearest clean rows as examples, and that answer is reviewed; the new answers
    with the lowest mean negative log-likelihood a token replace the old ones, and the rest of these rows leave the data
    set (`drop` in the facts of their proposals). Made for short answers: labels, choices, numbers, names.
    """

    version: ClassVar[int] = 2
    card: ClassVar[Card] = Card(
        title="RobustFT: Robust Supervised Fine-tuning for Large Language Models under Noisy Response",
        authors="Luo et al.",
        year=2024,
        paper="2412.14922",
        category="enhancement",
        subcategory="rewriting",
        summary="Detects answers that a model does not confirm, answers them anew and keeps the surest half.",
        needs=("endpoint", "embedder"),
        cost="$$",
        checked="label noise of 30, 50 and 70 % planted in real rows, a scripted model of known accuracy",
        pays="Labels and short results of which a third or more are wrong, and a model that is right more often.",
        fails="Where the labels are righter than the model, noise grows; for long answers take `clear_correction`.",
    )
    asks: ClassVar[bool] = True
    capabilities: ClassVar[tuple[str, ...]] = ("chat", "logprobs")
    rewrites: ClassVar[bool] = True
    whole: ClassVar[bool] = True
    """One demand holds all seeds: clean rows are examples for the others, and the share kept is one of all."""
    gates: ClassVar[tuple[str, ...]] = ("format_and_length", "contamination")

    model: ModelSpec
    """The model that answers; it must return log-probabilities."""
    embedder: EmbedderSpec = Field(default=EmbedderSpec(builtin="minilm"))
    """What says which clean rows are near."""
    labels: tuple[str, ...] = ()
    """All answers that there are, where they are a closed list: shown to the model, and nothing else is an answer."""
    neighbours: int = Field(default=3, ge=1)
    """Clean rows shown as examples."""
    keep: float = Field(default=0.5, gt=0, le=1)
    """Share of the new answers that is kept, the surest first; half is all below the median."""
    max_tokens: int = Field(default=512, ge=16)
    """Tokens of one reply, at most."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left as they are."""

    instructions: Instructions = PLAIN
    """What the model is told to do; `{choices}` are the labels, where there are some."""
    reasoned: Instructions = REASONED
    """What it is told to do to answer after reasoning."""
    by_example: Instructions = BY_EXAMPLE
    """What it is told to do where clean rows are shown."""
    review: Instructions = REVIEW
    """What it is told to do to check that answer."""

    def calls_a_seed(self) -> float:
        return 4.0

    def propose(self, demand: Demand) -> list[Proposal]:
        return self.propose_with(client_for(self.model), demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by a client of one's own.

        Raises:
            UsageError: the model returns no log-probabilities.
        """
        client.model.capabilities.require(self.capabilities, self.name, client.model.identity)
        cases = [
            _Case(row, turn, exchange_of(row).answer.strip(), why=unfit(row, self.max_chars))
            for row, turn in zip(demand.seeds, demand.turns, strict=True)
        ]
        fit = [case for case in cases if not case.why]
        for case, text, _ in self._asked(client, fit, "instructions", [{}] * len(fit)):
            case.plain = text
        for case, text, _ in self._asked(client, fit, "reasoned", [{}] * len(fit)):
            case.reasoned = text
        noisy = [case for case in fit if not case.clean]
        examples = self._examples(noisy, [case for case in fit if case.clean])
        for case, text, _ in self._asked(client, noisy, "by_example", examples):
            case.candidate = text
        answered = [case for case in noisy if case.candidate]
        for case, text, nll in self._asked(client, answered, "review", [{"candidate": c.candidate} for c in answered]):
            case.final, case.nll = text, nll
        sure = surest([case for case in answered if np.isfinite(case.nll)], self.keep)
        return [self._proposal(case, case.row["id"] in sure) for case in cases]

    def _asked(
        self, client: Asks, cases: Sequence[_Case], name: str, more: Sequence[Mapping[str, str]]
    ) -> list[tuple[_Case, str, float]]:
        """Each case with its answer ("" where there is none) and the answer's mean negative log-likelihood."""
        choices = f" (one of: {'; '.join(self.labels)})" if self.labels else ""
        told = filled(getattr(self, name), choices=choices), ASK[name]
        sampling = Sampling(max_tokens=self.max_tokens, top_logprobs=int(name == "review"))
        questions = [self._question(told, case, parts, sampling) for case, parts in zip(cases, more, strict=True)]

        def reads(i: int, reply: Reply) -> str:
            return "" if read(reply)[0] else "malformed: no line `Answer:`, or several different ones"

        replies = ask_read(client, questions, Asking(self.name, "a last line `Answer:` with the answer"), reads)
        found = []
        for case, reply in zip(cases, replies, strict=True):
            case.replies.append(reply)
            text, nll = read(reply)
            if self.labels:
                text = next((label for label in self.labels if same(label, text)), "")
            found.append((case, text, nll if text else float("nan")))
        return found

    def _question(self, told: tuple[str, str], case: _Case, parts: Mapping[str, str], sampling: Sampling) -> Request:
        exchange = exchange_of(case.row)
        shown = {"earlier turns": exchange.context} if exchange.context else {}
        instructions, ask = told
        return question(instructions, {**shown, "instruction": exchange.instruction, **parts}, ask, sampling, case.turn)

    def _examples(self, noisy: Sequence[_Case], clean: Sequence[_Case]) -> list[dict[str, str]]:
        """For each noisy row its nearest clean ones, by cosine, nearest first; equally near ones by row id."""
        if not noisy or not clean:
            return [{} for _ in noisy]
        clean = sorted(clean, key=lambda case: case.row["id"])
        embedder = shared_embedder(self.embedder)
        pool = embedder.encode([exchange_of(case.row).instruction for case in clean])
        wanted = embedder.encode([exchange_of(case.row).instruction for case in noisy])
        found = []
        for start in range(0, len(wanted), BLOCK):
            near = np.argsort(-(wanted[start : start + BLOCK] @ pool.T), axis=1, kind="stable")
            found += [_shown([clean[i] for i in row[: self.neighbours]]) for row in near]
        return found

    def _proposal(self, case: _Case, sure: bool) -> Proposal:
        lost = case.why or passing(case.replies)
        if lost:  # nothing is known against the row
            return unchanged(case.row, lost, case.replies)
        if case.clean:
            return unchanged(case.row, "clean", case.replies)
        if not sure:
            said = [failure(reply) for reply in case.replies if not reply.answered]
            return unchanged(case.row, ": ".join(["no answer is sure", *said[:1]]), case.replies, drop=True)
        if same(case.given, case.final):
            return unchanged(case.row, "confirmed on review", case.replies)
        label = case.final if case.row["label"] is not None and same(case.row["label"], case.given) else None
        row = rewritten(case.row, self.name, case.final, label=label)
        return replaced(case.row, row, case.replies, facts={"nll": case.nll})


def same(a: str, b: str) -> bool:
    """Equal but for case, spacing, and marks at either end.

    >>> same("Yes.", " yes"), same("10", "100")
    (True, False)
    """
    return _plain(a) == _plain(b)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .,;:!?\"'`*()[]")


def read(reply: Reply) -> tuple[str, float]:
    """What stands behind the last "Answer:" at the beginning of a line, or a reply of one line without it, and the mean
    negative log-likelihood (nats) of its tokens: "" where there is none or where several such lines say different
    things, NaN where the reply has no log-probabilities for it.
    """
    marks = list(_MARK.finditer(reply.text))
    lines = [reply.text[mark.end() :].partition("\n")[0] for mark in marks]
    alone = not marks and "\n" not in reply.text.strip()
    if not reply.answered or not (marks or alone) or any(not same(line, lines[-1]) for line in lines):
        return "", float("nan")
    start = marks[-1].end() if marks else len(reply.text) - len(reply.text.lstrip())
    ends = np.cumsum([len(token.token) for token in reply.logprobs])
    if not len(ends) or ends[-1] != len(reply.text):
        return reply.text[start:].strip(), float("nan")
    of_answer = [-token.logprob for token, end in zip(reply.logprobs, ends, strict=True) if end > start]
    return reply.text[start:].strip(), float(np.mean(of_answer)) if of_answer else float("nan")


def surest(cases: Sequence[_Case], share: float) -> set[str]:
    """Ids of the `share` of cases, rounded down, with the lowest negative log-likelihood; ties by row id."""
    ranked = sorted(cases, key=lambda case: (case.nll, case.row["id"]))
    return {case.row["id"] for case in ranked[: int(share * len(ranked))]}


def _shown(clean: Sequence[_Case]) -> dict[str, str]:
    lines = [f"instruction: {exchange_of(case.row).instruction}\nanswer: {case.given}" for case in clean]
    return {f"example {i}": line for i, line in enumerate(lines, 1)}
