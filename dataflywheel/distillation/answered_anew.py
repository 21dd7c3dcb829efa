"""What methods share that have a model answer each row anew, once, in place of the answer that is there."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from pydantic import Field

from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.reading import ask_read
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.models.endpoint.tried import Asking
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, NamedGate, Proposal, Proposer
from dataflywheel.proposing.rewritten import replaced, rewritten, unchanged, unfit
from dataflywheel.rows.formats.draft import ReadError
from dataflywheel.rows.formats.tool_calls import canonical_calls
from dataflywheel.rows.schema import Row


class AnsweredAnew(Proposer):
    """A row that cannot be asked about, and one whose answer was cut, declined or not taken, stays as it is and says
    why."""

    asks: ClassVar[bool] = True
    rewrites: ClassVar[bool] = True
    # A whole new answer need not be about as long as the one before: "72" may become a worked solution.
    gates: ClassVar[tuple[NamedGate, ...]] = ("refusal", {"format_and_length": {"ratio": None}}, "contamination")
    from_answers: ClassVar[bool] = True
    """Whether only rows that have an answer are asked about."""

    model: ModelSpec
    """Who answers, in a local folder or behind an endpoint."""
    temperature: float = Field(default=0.0, ge=0, le=2)
    """0: the model's likeliest answer."""
    max_tokens: int = Field(default=1024, ge=16)
    """Tokens of one answer, at most; one that is longer is no answer."""
    thoughts: bool = False
    """Keep what the model thought before its answer, as the `reasoning` of the row's last turn."""
    form: ClassVar[str] = "an answer"
    """What an answer must look like, for people."""
    max_chars: int = Field(default=24_000, ge=100)
    """Longer rows are left as they are."""

    @property
    def shown(self) -> tuple[str, ...]:
        """Texts of the prompt that no answer may repeat."""
        return ()

    @abstractmethod
    def _question(self, row: Row, sampling: Sampling, turn: int) -> Request:
        """What is asked about a row at its `turn`-th visit."""

    @abstractmethod
    def _read(self, row: Row, reply: Reply) -> tuple[str, str]:
        """The answer to take from what was said, and why it is not taken: "" where it is."""

    def propose(self, demand: Demand) -> list[Proposal]:
        return self.propose_with(client_for(self.model), demand)

    def propose_with(self, client: Asks, demand: Demand) -> list[Proposal]:
        """`propose` by a client of one's own."""
        client.model.capabilities.require(self.capabilities, self.name, client.model.identity)
        sampling = Sampling(temperature=self.temperature, max_tokens=self.max_tokens)
        why = [unfit(row, self.max_chars, self.from_answers, self.thoughts) for row in demand.seeds]
        visits = zip(demand.seeds, demand.turns, why, strict=True)
        asked_about = [row for row, bad in zip(demand.seeds, why, strict=True) if not bad]
        questions = [self._question(row, sampling, turn) for row, turn, bad in visits if not bad]

        def reads(i: int, reply: Reply) -> str:
            wrong = self._read(asked_about[i], reply.spoken())[1]
            return wrong if wrong.startswith(Outcome.MALFORMED) else ""

        replies = iter(ask_read(client, questions, Asking(self.name, self.form), reads) if questions else [])
        return [
            unchanged(row, bad) if bad else self._proposal(row, next(replies))
            for row, bad in zip(demand.seeds, why, strict=True)
        ]

    def _proposal(self, row: Row, reply: Reply) -> Proposal:
        reply = reply.spoken()
        if not reply.answered:
            return unchanged(row, failure(reply), (reply,))
        answer, wrong = self._read(row, reply)
        if wrong:
            return unchanged(row, wrong, (reply,))
        try:
            calls = canonical_calls(reply.calls, "the answer") if reply.calls else None
        except ReadError as error:
            return unchanged(row, f"malformed: {error}", (reply,))
        thought = (self.thoughts and reply.reasoning) or None
        return replaced(row, rewritten(row, self.name, answer, reasoning=thought, calls=calls), (reply,), self.shown)
