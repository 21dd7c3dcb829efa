"""The client behind which all models stand: from the store where it can, else asked once, within caps."""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import replace
from itertools import islice

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.background import background_loop
from dataflywheel.models.endpoint.caller import Caller, Question
from dataflywheel.models.endpoint.chat_model import ChatModel
from dataflywheel.models.endpoint.flow import Flow
from dataflywheel.models.endpoint.kept import KEPT
from dataflywheel.models.endpoint.landing import Landing
from dataflywheel.models.endpoint.progress import Progress
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.endpoint.tried import Tried
from dataflywheel.store.answer_ledger import PICO, Caps
from dataflywheel.store.answers import AnswerStore

CHUNK = 64
WATCH_SECONDS = 0.5
CLOSE_SECONDS = 5.0
CLOSED = "stopped before everything was asked; what was answered is kept"

Watch = Callable[[Progress], None]


class Client:
    """Asks one model. Blocking for the caller; safe to use from several threads.

    `caps` hold for everything ever spent on `scope` in this store. `again` names outcomes that are asked again although
    they are in the store (a refusal, for instance). `watch` sees the progress about twice a second.
    """

    def __init__(
        self,
        model: ChatModel,
        answers: AnswerStore,
        caps: Caps | None = None,
        scope: str = "",
        flow: Flow | None = None,
        again: frozenset[Outcome] = frozenset(),
        watch: Watch | None = None,
    ) -> None:
        self.model = model
        self.caps = caps or Caps()
        self.tried: dict[str, Tried] = {}
        """By kind of question: whether any answer could be read so far."""
        self.probed: Reply | None = None
        """The reply to the probe, once it is known."""
        self._identity = model.identity
        self._caller = Caller(model, answers, self.caps, scope, flow or Flow(where=model.identity), again)
        self._watch, self._watched = watch, 0.0
        self._flights: dict[bytes, asyncio.Future[Reply | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._batches: set[Landing] = set()
        self._closed = False

    def ask(self, requests: Iterable[Request]) -> list[Reply]:
        """Replies in the order of the requests.

        Raises:
            UsageError: the model cannot do what a request asks for.
            FlywheelError: nothing will work (no such model, no permission), or the store cannot be written.
        """
        self._caller.tally.handed(len(requests) if isinstance(requests, Sized) else 0)
        found = dict(self.stream(requests))
        return [found[index] for index in range(len(found))]

    def stream(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        """(position, reply) as they finish. Requests are taken lazily, a bounded number ahead, so memory stays flat.

        Closing the iterator early sends nothing more; what is under way finishes in the background, into the store.
        """
        batch = Landing()
        self._batches.add(batch)
        if self._closed:  # looked at behind that: whoever closes sees the batch, or is seen
            raise FlywheelError(CLOSED)
        source = enumerate(requests)
        under_way = 0
        window = 2 * self._caller.flow.pace.concurrency + CHUNK
        more = True
        try:
            while more or under_way:
                self._look()
                while more and under_way < window:
                    chunk = list(islice(source, min(CHUNK, window - under_way)))
                    more = bool(chunk)
                    waiting = []
                    for index, request in chunk:
                        reply = self._at_once(request)
                        if isinstance(reply, Reply):
                            self._caller.tally.ended(reply)
                            yield index, reply
                        else:
                            waiting.append((index, reply))
                    under_way += len(waiting)
                    if waiting:
                        background_loop().call_soon_threadsafe(self._start, batch, waiting)
                for index, landed in self._landed(batch) if under_way else ():
                    under_way -= 1
                    if isinstance(landed, Exception):
                        raise landed
                    self._caller.tally.ended(landed)
                    yield index, landed
        finally:
            batch.stopped = True
            self._batches.discard(batch)
            if self._watch:
                self._watch(self.progress())

    def _landed(self, batch: Landing) -> list[tuple[int, Reply | Exception]]:
        while True:
            self._look()
            try:
                return batch.landed.get(timeout=WATCH_SECONDS)
            except queue.Empty:
                continue  # awake now and then: some systems show an interruption between waits only

    def _look(self) -> None:
        """Show the progress where that was not done lately, however fast replies come."""
        now = time.monotonic()
        if self._watch and now - self._watched >= WATCH_SECONDS:
            self._watched = now
            self._watch(self.progress())

    def known(self, request: Request) -> Reply | None:
        """How a request ended that was brought to its end before, with an answer or without."""
        kept = self._caller.answers.explain(self._question(request).key)
        failed = kept is not None and kept["outcome"] not in KEPT
        return Reply(Outcome(kept["outcome"]), detail=kept["detail"]) if kept and failed else None

    def _at_once(self, request: Request) -> Reply | Question:
        """The reply, if nothing need be sent for it."""
        self._require(request)
        try:
            question = self._question(request)
        except TypeError as error:
            return Reply(Outcome.REJECTED, detail=f"not sent: cannot be written as JSON ({error})")
        reply = self._caller.stored(question.key)
        if reply and _is_cut(reply, request):
            reply = self._caller.stored(self._question(wider(request)).key)
        return reply or question

    def _question(self, request: Request) -> Question:
        return Question.of(request, self._identity)

    def _require(self, request: Request) -> None:
        needed = ["chat" if request.prompt is None else "completion"]
        if request.sampling.top_logprobs:
            needed.append("logprobs")
        self.model.capabilities.require(needed, "a request", self._identity)

    def _start(self, batch: Landing, questions: list[tuple[int, Question]]) -> None:
        for index, question in questions:
            task = asyncio.get_running_loop().create_task(self._run(batch, index, question))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, batch: Landing, index: int, question: Question) -> None:
        try:
            reply = await self._answer(batch, question)
        except Exception as error:
            batch.stopped = True
            batch.land(index, error)
        else:
            if reply:
                batch.land(index, reply)

    async def _answer(self, batch: Landing, question: Question) -> Reply | None:
        """The reply; a cut one is asked for once more with twice the limit, under a key of its own."""
        first = await self._once(batch, question)
        if first is None or not _is_cut(first, question.request):
            return first
        second = await self._once(batch, self._question(wider(question.request)))
        if second is None or second.outcome in KEPT:
            return second
        return still_cut(first, second)

    async def _once(self, batch: Landing, question: Question) -> Reply | None:
        """The reply to one key: from the store, from an equal request under way, or asked for."""
        while flight := self._flights.get(question.key):
            reply = await asyncio.shield(flight)
            if reply is not None:
                return replace(reply, cached=reply.outcome in KEPT)
        if stored := self._caller.stored(question.key):
            return stored
        flight = self._flights[question.key] = asyncio.get_running_loop().create_future()
        try:
            reply = await self._caller.ask(question, lambda: batch.stopped)
        except BaseException as error:
            flight.set_exception(FlywheelError(str(error)) if isinstance(error, asyncio.CancelledError) else error)
            flight.exception()  # seen, whether or not somebody waits
            raise
        finally:
            del self._flights[question.key]
        flight.set_result(reply)
        return reply

    def progress(self) -> Progress:
        tally, flow = self._caller.tally, self._caller.flow
        tokens, usd = tally.cost.tokens_in + tally.cost.tokens_out, tally.cost.pico / PICO
        return Progress(
            *(flow.in_flight, tally.done, tally.cached, tally.per_second(), tokens, usd),
            self.caps,
            dict(tally.by_outcome),
            tally.retries,
            *(flow.rate_limited, flow.refusal, int(flow.limit), flow.trouble, tally.wanted),
        )

    def close(self) -> None:
        """Send nothing more, take in what is under way, for it is paid for, but not for long, and hang up.

        Whoever is still waiting for replies, in another thread, gets a FlywheelError.
        """
        asyncio.run_coroutine_threadsafe(self._close(), background_loop()).result(timeout=4 * CLOSE_SECONDS)

    async def _close(self) -> None:
        self._closed = True
        for batch in list(self._batches):
            batch.stopped = True
            batch.land(-1, FlywheelError(CLOSED))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        await self.model.close()


def _is_cut(reply: Reply, request: Request) -> bool:
    """Whether a longer answer is wanted: not where the log-probabilities of its beginning were, and of a closed form
    only where nothing of it was said, as by a model that thinks before."""
    if reply.outcome is not Outcome.TRUNCATED:
        return False
    return not reply.text.strip() if request.room else not request.sampling.top_logprobs


def still_cut(first: Reply, second: Reply) -> Reply:
    """The cut reply where the one with twice the limit brought none."""
    return replace(first, detail=f"cut, and with a higher limit: {second.outcome}: {second.detail}")


def wider(request: Request) -> Request:
    """The request with twice the limit, or with the room that it has, for an answer that was cut."""
    return request.with_limit(request.room or 2 * request.sampling.max_tokens)
