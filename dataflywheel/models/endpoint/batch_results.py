"""What the files of a provider's batch say about each request: through, or to be handed in again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.caller import Question
from dataflywheel.models.endpoint.chat_model import AttemptError, RejectedError
from dataflywheel.models.endpoint.costs import charged, used_cost, worst_cost
from dataflywheel.models.endpoint.kept import record_of, without_answer
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.openai_error import again, filters
from dataflywheel.models.endpoint.openai_reply import read_reply
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, Sampling
from dataflywheel.store.answer_ledger import Amount, Settle
from dataflywheel.store.answers import Ended

AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses of single requests that are handed in once more."""
SHOWN = 300


class Results:
    """Reads the results of one batch of `scope`; `left` are its open requests, as canonical JSON by key."""

    def __init__(self, model: OpenAIEndpoint, scope: str, left: Mapping[bytes, bytes]) -> None:
        self.model, self.scope, self.left = model, scope, left

    def read(self, lines: Iterable[Mapping[str, Any]]) -> list[Ended]:
        """The end of every request that is through. Lines that name none of ours are passed over."""
        adapted = False
        ended = []
        for line in lines:
            key = _key(line.get("custom_id"))
            response = line.get("response")
            if key not in self.left or not isinstance(response, dict):
                continue  # without a response it has expired or was cancelled: not worked on, not charged
            status, body = response.get("status_code"), orjson.dumps(response.get("body"))
            if status == 200:
                ended += self._answered(key, body)
            elif isinstance(status, int) and status not in AGAIN:
                said = body.decode()[:SHOWN]
                adapted = adapted or self.model.adapts(said)
                if not adapted:
                    outcome = Outcome.FILTERED if filters(said) else Outcome.REJECTED
                    ended.append(self._ended(key, without_answer(outcome, f"{status}: {said}", key)))
        return ended

    def refused(self, outcome: Outcome, why: str) -> list[Ended]:
        """All that is left ends without an answer, and unpaid."""
        return [self._ended(key, without_answer(outcome, why, key)) for key in self.left]

    def _answered(self, key: bytes, body: bytes) -> list[Ended]:
        """The end of a request whose body came; none where it holds an error that may pass, and cost nothing."""
        question = Question(read_request(self.left[key]), self.left[key], key)
        try:
            said = self.model.masked(read_reply(body, question.request, self.model.where))
            reply, cost = charged(self.model, question.request, key, said)
        except AttemptError as error:
            if again(error) and not (error.maybe_paid or error.used):
                return []
            outcome = error.outcome if isinstance(error, RejectedError) else Outcome.SERVER_ERROR
            maybe = str(error) if error.maybe_paid and not error.used else ""
            cost = worst_cost(self.model, question.request) if maybe else used_cost(self.model, error)
            return [self._ended(key, without_answer(outcome, str(error), key), cost, maybe)]
        except FlywheelError as error:
            return [self._ended(key, without_answer(Outcome.REJECTED, str(error), key))]
        return [self._ended(key, reply, cost)]

    def _ended(self, key: bytes, reply: Reply, cost: Amount | None = None, maybe: str = "") -> Ended:
        spent = cost or Amount()
        return Ended(Settle(key, self.scope, spent, maybe), record_of(reply, spent, self.left[key]))


def read_request(canonical: bytes) -> Request:
    """The request that was written as canonical JSON."""
    said = orjson.loads(canonical)
    sampling = Sampling(**{**said["sampling"], "stop": tuple(said["sampling"]["stop"])})
    return Request(tuple(said["messages"]), said["prompt"], said["tools"], sampling, said["schema"], said["sample"])


def _key(name: Any) -> bytes:
    try:
        return bytes.fromhex(name)
    except (TypeError, ValueError):
        return b""
