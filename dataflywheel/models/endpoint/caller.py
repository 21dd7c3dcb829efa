"""Brings one request to its end: reserve, send, settle, and again where that may help. The one layer that retries."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.chat_model import (
    AttemptError,
    AwayError,
    ChatModel,
    DroppedError,
    RateLimitedError,
    RejectedError,
    TooSlowError,
)
from dataflywheel.models.endpoint.costs import charged, used_cost, worst_cost
from dataflywheel.models.endpoint.effort import Effort
from dataflywheel.models.endpoint.flow import Flow
from dataflywheel.models.endpoint.group_commit import GroupCommit
from dataflywheel.models.endpoint.kept import record_of, reply_of, without_answer
from dataflywheel.models.endpoint.progress import Tally
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, Sampling
from dataflywheel.store.answer_ledger import Amount, Caps, Reserve, Settle, Verdict
from dataflywheel.store.answers import AnswerStore, Ended

HARMLESS = "Answer with this word alone: {}"
"""Asked to see whether an endpoint is there. The word is new each time, so that no cache answers in its place."""
WAIT_SECONDS = 0.25
SHOWN = 300


@dataclass(frozen=True, slots=True)
class Question:
    """A request with its key, and as it is kept."""

    request: Request
    canonical: bytes
    key: bytes

    @classmethod
    def of(cls, request: Request, identity: str) -> Question:
        """The question to the model of that identity."""
        canonical = request.canonical(identity)
        return cls(request, canonical, hashlib.sha256(canonical).digest())


class Caller:
    """Asks one model on one scope's account; all of it runs in the event loop of the clients."""

    def __init__(
        self, model: ChatModel, answers: AnswerStore, caps: Caps, scope: str, flow: Flow, again: frozenset[Outcome]
    ) -> None:
        self.model = model
        self.answers = answers
        self.caps = caps
        self.scope = scope
        self.flow = flow
        self.tally = Tally()
        self._again = again
        self._commits = GroupCommit(answers)
        self._settled = asyncio.Event()

    def stored(self, key: bytes) -> Reply | None:
        """The reply that is in the store, if it is one that serves."""
        record = self.answers.find(key)
        if record is None or record.outcome in self._again:
            return None
        return reply_of(record, key).spoken()

    async def ask(self, question: Question, stopped: Callable[[], bool]) -> Reply | None:
        """The reply to a question that the store cannot answer; None if it was stopped before it was sent.

        Raises:
            FlywheelError: nothing will work, or the endpoint is down: this question was not sent, and has not failed.
        """
        effort = Effort()
        try:
            worst = worst_cost(self.model, question.request)
        except RejectedError as error:
            return without_answer(error.outcome, f"not sent: {error}", question.key)
        while True:
            entered = await self.flow.enter(effort.again)
            effort.again = True
            try:
                if stopped():
                    return None
                if self.flow.doubtful and await self._harmless(question, entered) is None:
                    continue
                if reply := await self._given_up(question, effort):
                    return reply
                verdict = await self._reserve(question, worst)
                reply = await self._attempt(question, entered, effort) if verdict is Verdict.GRANTED else None
            finally:
                self.flow.leave()
            if verdict is Verdict.ANSWERED:
                reply = self.stored(question.key)
            if reply:
                return reply
            if verdict is Verdict.OVER:
                return without_answer(Outcome.OVER_BUDGET, "not sent: a cap would be exceeded", question.key)
            if verdict is Verdict.DEFERRED:
                raise FlywheelError(
                    f"a request to {self.model.identity} is part of a batch that was submitted and not collected yet: "
                    "collect it first, or it would be paid for twice"
                )
            if verdict is Verdict.GRANTED:
                self.tally.retries += 1
                await asyncio.sleep(effort.pause)
                if reply := await self._given_up(question, effort):
                    return reply
            else:
                await self._wait()

    async def _harmless(self, question: Question, entered: float) -> Reply | None:
        """The reply to something harmless, in the form of that question: where there is one, questions that fail are
        themselves to blame. None: it failed too."""
        text, sampling = HARMLESS.format(uuid4().hex[:8]), Sampling(max_tokens=16)
        raw = question.request.prompt is not None
        request = Request(prompt=text, sampling=sampling) if raw else Request.chat(text, sampling=sampling)
        asked, effort = Question.of(request, self.model.identity), Effort()
        if await self._reserve(asked, worst_cost(self.model, request)) is not Verdict.GRANTED:
            return without_answer(Outcome.OVER_BUDGET, "a cap leaves no room", asked.key)
        reply = await self._attempt(asked, entered, effort, harmless=True)
        await asyncio.sleep(effort.pause if effort.refused else 0.0)
        return None if self.flow.doubtful else reply

    async def _reserve(self, question: Question, worst: Amount) -> Verdict:
        wish = Reserve(question.key, self.scope, worst, self.caps, bool(self._again))
        verdict = await self._commits.write(wish)
        assert verdict is not None
        return verdict

    async def _wait(self) -> None:
        """Until a request of ours has settled, or for a moment: others spend from this account, and may be killed."""
        self.answers.recover()
        self._settled.clear()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._settled.wait()
        except TimeoutError:
            pass

    async def _attempt(
        self, question: Question, entered: float, effort: Effort, harmless: bool = False
    ) -> Reply | None:
        """Send once and settle. None: to be sent again, after the pause of `effort`."""
        request = question.request
        effort.pause = 0.0
        try:
            reply = await self.model.send(request)
        except RateLimitedError as error:
            effort.refused += 1
            rejected = await self._refused(question, entered, effort, error, harmless)
            await self._settle(question, Amount(), rejected)
            return rejected
        except RejectedError as error:
            self.flow.success(entered, harmless)
            rejected = without_answer(error.outcome, str(error), question.key)
            await self._settle(question, used_cost(self.model, error), rejected)
            return rejected
        except AwayError as error:
            await self._settle(question, Amount())
            effort.pause = self.flow.away(entered, str(error))
            return None
        except AttemptError as error:
            await self._failed(question, entered, effort, error, harmless)
            return None
        except FlywheelError:
            await self._settle(question, Amount())
            raise
        except BaseException as error:
            worst = worst_cost(self.model, request)
            self._commits.write(Ended(Settle(question.key, self.scope, worst, type(error).__name__)))
            raise
        self.flow.success(entered, harmless)
        reply, cost = charged(self.model, request, question.key, reply)
        await self._settle(question, cost, reply)
        return reply.spoken()

    async def _refused(
        self, question: Question, entered: float, effort: Effort, error: RateLimitedError, harmless: bool
    ) -> Reply | None:
        """None for a 429, after which to wait; a reply where this question alone is refused for as long as patience
        lasts, as one is that is larger than a minute's quota."""
        try:
            effort.pause = self.flow.rate_limit(entered, error.retry_after, effort.refused, str(error))
            return None
        except FlywheelError:
            reply = None
            try:
                reply = await self._harmless(question, entered) if not harmless else None
            finally:
                if reply is None or reply.outcome is Outcome.OVER_BUDGET:
                    await self._settle(question, Amount())
            if reply is None or reply.outcome is Outcome.OVER_BUDGET:
                raise
            return without_answer(Outcome.REJECTED, f"refused while others are answered: {error}", question.key)

    async def _failed(
        self, question: Question, entered: float, effort: Effort, error: AttemptError, harmless: bool
    ) -> None:
        """Settle an attempt without an answer, and find out whose fault it was: the question's or the endpoint's."""
        maybe = str(error) if error.maybe_paid and not error.used else ""
        cost = worst_cost(self.model, question.request) if maybe else used_cost(self.model, error)
        await self._settle(question, cost, maybe=maybe)
        dropped, was_doubtful = isinstance(error, DroppedError), self.flow.doubtful
        miss = self.flow.failure(entered, question.key, str(error), dropped)
        effort.pause = self.flow.backoff(effort.tries + 1)
        effort.missed(miss, error, asyncio.get_running_loop().time() - entered + effort.pause)
        if isinstance(error, TooSlowError):
            self.flow.too_slow(entered)
        if harmless:
            self.flow.not_harmless()
        elif dropped and not was_doubtful and (self.flow.in_flight == 1 or effort.unsure(self.flow.pace)):
            # At once, before a server that went down could be there again.
            await self._harmless(question, entered)
        elif effort.unsure(self.flow.pace) and not miss.own:
            self.flow.doubt(str(error))

    async def _given_up(self, question: Question, effort: Effort) -> Reply | None:
        """The reply that says why there is none, kept, where the question was tried often enough."""
        reply = effort.ended(self.flow.pace, question.key)
        if reply:
            await self._settle(question, Amount(), reply)
        return reply

    async def _settle(self, question: Question, cost: Amount, reply: Reply | None = None, maybe: str = "") -> None:
        record = record_of(reply, cost, question.canonical) if reply else None
        try:
            await self._commits.write(Ended(Settle(question.key, self.scope, cost, maybe), record))
        except Exception as error:
            # Without its answer, but off the reservations: nobody is to wait for it.
            worst = worst_cost(self.model, question.request)
            await self._commits.write(Ended(Settle(question.key, self.scope, worst, f"not written: {error}"[:SHOWN])))
            raise
        finally:
            self._settled.set()
        if not maybe:
            self.tally.cost += cost
