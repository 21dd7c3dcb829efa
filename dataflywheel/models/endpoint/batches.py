"""The provider's batch interface behind the answer store: submit, leave, come back in another process, collect.

Keys, store, reservations and caps are those of the client: what a batch has answered, the client finds in the store.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.models.endpoint.batch_results import Results, read_request
from dataflywheel.models.endpoint.caller import Question
from dataflywheel.models.endpoint.chat_model import AttemptError
from dataflywheel.models.endpoint.costs import worst_cost
from dataflywheel.models.endpoint.kept import KEPT
from dataflywheel.models.endpoint.openai_batches import OpenAIBatches, State
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.request import Outcome, Request
from dataflywheel.store.answer_batches import Batch, BatchBook
from dataflywheel.store.answer_ledger import Caps, Reserve, Verdict
from dataflywheel.store.answers import AnswerStore
from dataflywheel.store.lock import only_here

MOST = 50_000
"""Requests that a provider takes in one batch."""
ROUNDS = 5
"""Times that what is left of a batch is handed in before it is given up."""
ATTEMPTS = 4
"""Of one call to the provider, with `PAUSE` seconds between them, doubled each time."""
PAUSE = 0.5
HANDLE_DIGITS = 16
REFUSED = "the provider refused the batch"
"""How the detail of requests begins whose batch was not taken as a whole: nothing is wrong with each of them."""


T = TypeVar("T")


@dataclass(frozen=True)
class Submitted:
    """What became of the requests: each is counted once, equal ones together."""

    handle: str | None
    """For `collect`; None where nothing was sent."""
    sent: int = 0
    stored: int = 0
    """The answer is in the store already."""
    waiting: Mapping[str, int] = field(default_factory=dict)
    """Part of earlier batches that are not collected yet, by handle."""
    busy: int = 0
    """A client is asking them at this moment."""
    over_budget: int = 0
    rejected: int = 0
    """They cannot be sent in any form."""


@dataclass(frozen=True)
class Collected:
    """How far a batch is: `new` requests are through since the last time, `left` are not."""

    status: str
    new: int
    left: int

    @property
    def done(self) -> bool:
        return self.left == 0


class Batches:
    """Batches to one model on one scope's account. Prices are those of the model's spec: give the price for batches."""

    def __init__(self, model: OpenAIEndpoint, answers: AnswerStore, caps: Caps | None = None, scope: str = "") -> None:
        """Raises UsageError where the model does not declare the capability `batch`."""
        model.capabilities.require(["batch"], "a batch", model.identity)
        self.model, self.answers, self.caps, self.scope = model, answers, caps or Caps(), scope
        self.book = BatchBook(answers)
        self._provider = OpenAIBatches(model)

    def submit(self, requests: Iterable[Request]) -> Submitted:
        """Reserve, write down, and hand in what the store cannot answer. The handle is in the store before it is sent.

        Raises:
            UsageError: more than 50,000 requests, or chat and completion mixed.
            FlywheelError: the provider cannot be reached (the batch is written down, and `collect` hands it in), or
                another process is handing in or collecting.
        """
        questions = list({q.key: q for q in (Question.of(r, self.model.identity) for r in requests)}.values())
        if len({question.request.prompt is None for question in questions}) > 1 or len(questions) > MOST:
            raise UsageError(f"one batch holds at most {MOST:,} requests, all chat or all completion; submit several")
        unknown = [question for question in questions if not self._kept(question.key)]
        sendable, wishes = self._wishes(unknown)
        digest = hashlib.sha256(b"".join(question.key for question in sendable) + str(time.time_ns()).encode())
        handle = digest.hexdigest()[:HANDLE_DIGITS]
        with only_here(self._place):
            batch, verdicts = self.book.open(handle, self.model.identity, wishes, [q.canonical for q in sendable])
            if batch is not None:
                self._send(batch)
        deferred = [q.key for q, v in zip(sendable, verdicts, strict=True) if v is Verdict.DEFERRED]
        return Submitted(
            batch.handle if batch else None,
            sent=verdicts.count(Verdict.GRANTED),
            stored=len(questions) - len(unknown) + verdicts.count(Verdict.ANSWERED),
            waiting=Counter(holder for key in deferred if (holder := self.book.holder(key))),
            busy=verdicts.count(Verdict.BUSY),
            over_budget=verdicts.count(Verdict.OVER) + verdicts.count(Verdict.WAIT),
            rejected=len(unknown) - len(sendable),
        )

    def _wishes(self, questions: Iterable[Question]) -> tuple[list[Question], list[Reserve]]:
        """The questions that can be sent at all, each with its reservation at the worst case."""
        sendable, wishes = [], []
        for question in questions:
            try:
                worst = worst_cost(self.model, question.request)
            except AttemptError:
                continue
            sendable.append(question)
            wishes.append(Reserve(question.key, self.scope, worst, self.caps))
        return sendable, wishes

    def waiting(self) -> list[str]:
        """Handles of batches with requests that are not through, oldest first."""
        return self.book.waiting()

    def collect(self, handle: str) -> Collected:
        """Look how far a batch is; once it has ended, store its answers and hand in what is missing.

        Whatever an expired or cancelled batch has answered is stored first. Safe to call as often as one likes.

        Raises:
            UsageError: there is no such batch, or it is one of another model.
            FlywheelError: the provider cannot be reached, or another process is collecting.
        """
        with only_here(self._place):
            batch = self.book.get(handle)
            if batch.identity != self.model.identity:
                raise UsageError(f"batch {handle} belongs to {batch.identity}, not to {self.model.identity}")
            left = self.book.left(batch)
            if not left:
                return Collected("completed", 0, 0)
            if batch.provider is None:
                # Killed between writing down and hearing from the provider: it may know the batch all the same.
                batch = self._adopted(batch) or self._send(batch)
            assert batch.provider is not None
            state = self._patiently(partial(self._provider.state, batch.provider))
            if not state.ended:
                return Collected(state.status, 0, len(left))
            results = Results(self.model, batch.scope, left)
            if state.status == "failed" and state.output is None:
                refused = f"{REFUSED}: {state.problem or 'no reason given'}"
                return Collected(state.status, self.book.settle(batch, results.refused(Outcome.REJECTED, refused)), 0)
            new = self.book.settle(batch, results.read(self._lines(state)))
            remaining = self.book.left(batch)
            if remaining and batch.round + 1 < ROUNDS:
                self._send(self.book.next_round(batch))
            elif remaining:
                given_up = Results(self.model, batch.scope, remaining)
                why = f"not answered in {ROUNDS} batches"
                new += self.book.settle(batch, given_up.refused(Outcome.SERVER_ERROR, why))
            return Collected(state.status, new, len(self.book.left(batch)))

    @property
    def _place(self) -> Path:
        """The directory whose lock says that somebody hands in or collects."""
        return self.answers.path.with_name(f"{self.answers.path.name}-batches")

    def _kept(self, key: bytes) -> bool:
        record = self.answers.find(key)
        return record is not None and Outcome(record.outcome) in KEPT

    def _adopted(self, batch: Batch) -> Batch | None:
        found = self._patiently(partial(self._provider.find, _name(batch)))
        return self.book.sent(batch, found) if found else None

    def _send(self, batch: Batch) -> Batch:
        """Hand in what is left; after a call that went wrong, look first whether the provider has it."""
        requests = {key.hex(): read_request(text) for key, text in self.book.left(batch).items()}
        for attempt in range(ATTEMPTS):
            try:
                found = self._provider.find(_name(batch)) if attempt else None
                return self.book.sent(batch, found or self._provider.create(_name(batch), requests))
            except AttemptError as error:
                failed = error
                time.sleep(PAUSE * 2**attempt)
        raise FlywheelError(
            f"batch {batch.handle} is written down, but the provider did not take it ({failed}); collect it later: "
            "that hands it in first"
        )

    def _patiently(self, call: Callable[[], T]) -> T:
        """A call that changes nothing at the provider, again after what may pass."""
        for attempt in range(ATTEMPTS):
            try:
                return call()
            except AttemptError as error:
                failed = error
                time.sleep(PAUSE * 2**attempt)
        raise FlywheelError(f"{self.model.identity}: the batch interface cannot be reached: {failed}")

    def _lines(self, state: State) -> list[dict[str, Any]]:
        """What both files of results say."""
        lines = []
        for file in (state.output, state.errors):
            if file is not None:
                lines += self._patiently(partial(self._provider.lines, file))
        return lines


def _name(batch: Batch) -> str:
    """What one round of a batch is called at the provider."""
    return f"{batch.handle}-{batch.round}"
