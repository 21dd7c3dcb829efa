"""A client that sends nothing at once: what the store cannot answer is gathered, and handed in as batches later."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.batches import MOST, REFUSED, Batches, Submitted
from dataflywheel.models.endpoint.caller import Question
from dataflywheel.models.endpoint.chat_model import RejectedError
from dataflywheel.models.endpoint.client import Client, Watch, still_cut, wider
from dataflywheel.models.endpoint.costs import worst_cost
from dataflywheel.models.endpoint.kept import KEPT, without_answer
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.store.answer_ledger import Caps
from dataflywheel.store.answers import AnswerStore

DEFERRED = "deferred"
"""The detail of a reply to a request that was gathered. Its outcome is that of one not sent: OVER_BUDGET."""


class Deferred(Client):
    """Answers from the store, into which it first brings what earlier batches hold; gathers all other requests.

    Where there were batches to collect, a request that failed has failed; where there were none, it is asked once more.
    """

    def __init__(
        self,
        model: OpenAIEndpoint,
        answers: AnswerStore,
        caps: Caps | None = None,
        scope: str = "",
        watch: Watch | None = None,
    ) -> None:
        """Raises UsageError where the model does not declare the capability `batch`."""
        super().__init__(model, answers, caps, scope, watch=watch)
        self._provider = Batches(model, answers, caps, scope)
        self._collected = self._goes_on = False
        self._gathered: dict[bytes, Request] = {}
        self._lock = threading.Lock()

    def stream(self, requests: Iterable[Request]) -> Iterator[tuple[int, Reply]]:
        """(position, reply) in order, without waiting; a gathered request's reply says `deferred`.

        Raises:
            UsageError: the model cannot do what a request asks for.
            FlywheelError: earlier batches cannot be collected, or the provider refused one as a whole.
        """
        for index, request in enumerate(requests):
            self._look()
            reply = self._known(request) or self._gather(request)
            if reply.detail != DEFERRED:
                self._caller.tally.ended(reply)
            yield index, reply
        if self._watch:
            self._watch(self.progress())

    def submit(self) -> list[Submitted]:
        """Hand in what was gathered, in as few batches as the provider takes; what became of it, by batch.

        Raises:
            FlywheelError: as `Batches.submit`; what was written down is handed in when it is collected.
        """
        with self._lock:
            gathered, self._gathered = list(self._gathered.values()), {}
        kinds = ([r for r in gathered if (r.prompt is None) is chat] for chat in (True, False))
        return [self._provider.submit(kind[i : i + MOST]) for kind in kinds for i in range(0, len(kind), MOST)]

    def _known(self, request: Request) -> Reply | None:
        """The reply, if the store has it, if need be after a look at the batches that are under way."""
        found = self._at_once(request)
        if isinstance(found, Question):
            self._collect()
            found = self._at_once(request)
        return found if isinstance(found, Reply) else None

    def _collect(self) -> None:
        """Bring in what earlier batches of this model have answered, once."""
        with self._lock:
            if self._collected:
                return
            refused = ""
            for batch in map(self._provider.book.get, self._provider.waiting()):
                if batch.identity == self._identity:
                    some = list(self._provider.book.left(batch))[:1]
                    self._provider.collect(batch.handle)
                    self._goes_on = True
                    record = self._caller.answers.explain(some[0]) if some else None
                    if record and record["detail"].startswith(REFUSED):
                        refused = record["detail"]
            if refused:
                raise FlywheelError(f"{self._identity}: {refused}; the same command hands its requests in again")
            self._collected = True

    def _gather(self, request: Request) -> Reply:
        """Keep the request for a batch, unless it failed there just now or cannot be sent at all.

        A stored answer that was cut is asked for once more with twice the limit, as by any client.
        """
        question = self._question(request)
        cut = self._caller.stored(question.key)
        if cut:
            question = self._question(wider(request))
        failed = self._failed(question)
        if failed:
            return still_cut(cut, failed) if cut else failed
        with self._lock:
            self._gathered[question.key] = question.request
        return without_answer(Outcome.OVER_BUDGET, DEFERRED, question.key)

    def _failed(self, question: Question) -> Reply | None:
        """Why a batch brought no answer, or why the request cannot be part of any."""
        try:
            worst_cost(self.model, question.request)
        except RejectedError as error:
            return without_answer(Outcome.REJECTED, f"not sent: {error}", question.key)
        record = self._caller.answers.explain(question.key) if self._goes_on else None
        if record is None or record["outcome"] in KEPT or record["detail"].startswith(REFUSED):
            return None
        return without_answer(Outcome(record["outcome"]), record["detail"], question.key)
