"""What generators that ask a model share: who is asked, and replies as answers or as failures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field

from dataflywheel.contracts import Cost, PoolStatistics
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Answer, Asks
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, Proposal, Proposer
from dataflywheel.rows.schema import Row

WORK = "Work it out step by step. End with a line that holds #### and the final answer, and nothing else."
QUESTION_TOKENS, ANSWER_TOKENS = 250, 300
"""Of one call, beside the seed's own text: for the estimate."""


class AskingProposer(Proposer):
    """A generator whose rows are written by a model."""

    asks: ClassVar[bool] = True

    model: ModelSpec
    """The model that writes."""
    temperature: float = Field(default=1.0, ge=0, le=2)
    """Of the model's draws; at 0 a second visit of a seed can bring nothing new."""
    max_tokens: int = Field(default=1024, ge=16)
    """Tokens of one reply, at most."""

    @abstractmethod
    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by a client of one's own."""

    def propose(self, demand: Demand) -> list[Proposal]:
        client = client_for(self.model)
        client.model.capabilities.require(self.capabilities, self.name, client.model.identity)
        return self.propose_with(client, demand)

    def estimate(self, pool: PoolStatistics) -> Cost:
        """Every call reads a seed of average length and writes one answer; a seed may take several calls."""
        calls = round(self.calls_a_seed() * pool.rows)
        read = calls * QUESTION_TOKENS + round(self.calls_a_seed() * pool.tokens)
        written = calls * min(self.max_tokens, ANSWER_TOKENS)
        price = self.model.usd_per_mtok
        usd = (read * price.input + written * price.output) / 1e6 if price else 0.0
        return Cost(calls=calls, tokens=read + written, usd=usd)

    @property
    def sampling(self) -> Sampling:
        """How the model draws what it writes."""
        return Sampling(temperature=self.temperature, max_tokens=self.max_tokens)


def follow(client: Asks, prompts: Sequence[str], sampling: Sampling, system: str = "", sample: int = 0) -> list[Reply]:
    """What the model answers to each prompt as to any user.

    Not quoted as material: the answer is to follow the prompt, and nothing but itself is read from it.
    """
    requests = [Request.chat(prompt, system, sampling, sample) for prompt in prompts]
    return [reply.spoken() for reply in client.ask(requests)] if requests else []


def failed(of: Reply | Answer[Any], *parents: Row, replies: Sequence[Reply] | None = None) -> Proposal:
    """The proposal where the model gave nothing readable; `replies`: its whole bill, that of `of` unless given."""
    own = (of,) if isinstance(of, Reply) else of.replies
    return Proposal(
        tuple(row["id"] for row in parents), failure=failure(of), replies=tuple(own if replies is None else replies)
    )


def without(why: str, *parents: Row, replies: Sequence[Reply] = (), shown: Sequence[str] = ()) -> Proposal:
    """The proposal where what was written is no row; `why` begins with words that can be counted, up to a colon."""
    return Proposal(tuple(row["id"] for row in parents), failure=why, replies=tuple(replies), shown=tuple(shown))
