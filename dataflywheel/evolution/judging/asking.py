"""What judges that ask a model share: the model, their answers, and who is shown where."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeVar

from dataflywheel.contracts import Case, Cost, Judge, Judgement, PoolStatistics, UsageError
from dataflywheel.models.endpoint.request import Reply
from dataflywheel.models.endpoint.structured import Answer, Asks, Form
from dataflywheel.models.spec import ModelSpec

INSTRUCTIONS, VERDICT = 250, 40
"""Tokens of a question beside what is judged, and of a verdict: for the estimate."""


N = TypeVar("N", bound=Form)


class AskingJudge(Judge):
    """A judge behind an endpoint or in a folder; what is spent counts for the account that is open."""

    asks: ClassVar[bool] = True
    capabilities: ClassVar[tuple[str, ...]] = ("chat",)

    model: ModelSpec
    """The model that judges."""

    def questions(self) -> int:
        """How many questions are asked about one answer, or about one pair where a judge compares."""
        return 1

    def estimate(self, pool: PoolStatistics) -> Cost:
        """Of judging one answer to each row: every question shows the row, and a verdict is a few words."""
        calls = self.questions() * pool.rows
        read, written = calls * INSTRUCTIONS + self.questions() * pool.tokens, calls * VERDICT
        price = self.model.usd_per_mtok
        usd = (read * price.input + written * price.output) / 1e6 if price else 0.0
        return Cost(calls=calls, tokens=read + written, usd=usd)

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        from dataflywheel.models.endpoint.account import client_for

        return self.judge_with(client_for(self.model), cases)

    def judge_with(self, client: Asks, cases: Sequence[Case]) -> list[Judgement]:
        """The same through a client that is there already.

        Raises:
            UsageError: the model lacks what this judge needs, or a case has the wrong number of answers.
        """
        client.model.capabilities.require(self.capabilities, self.name, client.model.identity)
        for case in cases:
            if not case.answers or (self.answers is not None and len(case.answers) != self.answers):
                raise UsageError(
                    f"{self.name}: case {case.id} has {len(case.answers)} answers; expected {self.answers or 'some'}"
                )
        return self._judge(client, cases)

    @abstractmethod
    def _judge(self, client: Asks, cases: Sequence[Case]) -> list[Judgement]:
        """One judgement a case, in order."""


class PanelJudge(Judge):
    """A judge made of several: what each member says can be seen beside what they say together."""

    @abstractmethod
    def members(self, cases: Sequence[Case]) -> list[list[Judgement]]:
        """The judgements of every member, in the order of the cases."""

    @abstractmethod
    def gather(self, members: Sequence[Sequence[Judgement]]) -> list[Judgement]:
        """One judgement a case from those of every member."""

    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        return self.gather(self.members(cases))


def shown(case: Case, answers: Mapping[str, str]) -> dict[str, str]:
    """The parts of a question, in order: the prompt, the reference where there is one, the answers by name."""
    reference = {"reference": case.reference} if case.reference else {}
    return {"prompt": case.prompt, **reference, **answers}


def bill(answers: Sequence[Answer[N]]) -> tuple[Reply, ...]:
    """All that was asked for these answers."""
    return tuple(reply for answer in answers for reply in answer.replies)


def reason(answers: Sequence[Answer[N]]) -> str:
    """Why one of the answers has no value, or ""."""
    return next((f"{a.outcome}: {a.error}" for a in answers if a.value is None), "")
