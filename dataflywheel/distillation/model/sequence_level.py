"""Sequence-level distillation: the teacher's own answers become the rows that a student is trained on."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.request import Request, Sampling
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.proposing.rewritten import replaced, rewritten, unchanged, unfit
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import split_answer
from dataflywheel.signals.rating.rating import failure


class SequenceLevel(Proposer):
    """Each row's prompt, answered by the teacher, in place of the row's answer; rows without one are answered too.

    A teacher behind an endpoint or in a local folder. An answer that was cut, declined or empty leaves the row as it
    is, and says why.
    """

    card: ClassVar[Card] = Card(
        title="Sequence-Level Knowledge Distillation",
        authors="Kim and Rush",
        year=2016,
        paper="1606.07947",
        category="distillation",
        subcategory="model",
        summary="The teacher answers every prompt, and its answers replace those of the rows.",
        needs=("endpoint",),
        cost="$",
        checked="a scripted teacher that truncates, refuses and repeats itself; a local folder, token by token",
    )
    asks: ClassVar[bool] = True
    rewrites: ClassVar[bool] = True
    gates: ClassVar[tuple[str, ...]] = ("refusal", "format_and_length", "contamination")

    model: ModelSpec
    """The teacher."""
    temperature: float = Field(default=0.0, ge=0, le=2)
    """0: its likeliest answer, which the published method takes for the whole distribution."""
    max_tokens: int = Field(default=1024, ge=16)
    """Tokens of one answer, at most; one that is longer is no answer."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left as they are."""

    def propose(self, demand: Demand) -> list[Proposal]:
        return self.propose_with(client_for(self.model), demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by a client of one's own."""
        client.model.capabilities.require(self.capabilities, self.name, client.model.identity)
        why = [unfit(row, self.max_chars, answered=False) for row in demand.seeds]
        visits = zip(demand.seeds, demand.turns, why, strict=True)
        requests = [self._request(row, turn) for row, turn, bad in visits if not bad]
        replies = iter(client.ask(requests) if requests else [])
        proposals = []
        for row, bad in zip(demand.seeds, why, strict=True):
            if bad:
                proposals.append(unchanged(row, bad))
                continue
            reply = next(replies)
            answer = reply.spoken().text.strip()
            if not reply.answered:
                proposals.append(unchanged(row, failure(reply), (reply,)))
            elif not answer:
                proposals.append(unchanged(row, "malformed: an empty answer", (reply,)))
            else:
                proposals.append(replaced(row, rewritten(row, self.name, answer), (reply,)))
        return proposals

    def _request(self, row: Row, turn: int) -> Request:
        """The prompt as any user would send it: the answer is to follow it, and nothing else is read from it."""
        turns = tuple({"role": m["role"], "content": m["content"]} for m in split_answer(row["messages"])[0])
        sampling = Sampling(temperature=self.temperature, max_tokens=self.max_tokens)
        return Request(turns, tools=row["tools"], sampling=sampling, sample=turn)
