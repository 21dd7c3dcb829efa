"""What a client has done so far, for a live panel."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass

from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.store.answer_ledger import Amount, Caps

RATE_SECONDS = 5.0


@dataclass(frozen=True)
class Progress:
    """A client at this moment. Tokens and dollars are those settled by this client, not those of earlier runs."""

    in_flight: int
    done: int
    """Requests with an outcome, those from the store included."""
    cached: int
    per_second: float
    tokens: int
    usd: float
    cap: Caps
    by_outcome: Mapping[Outcome, int]
    retries: int
    rate_limited: int
    refusal: str
    """What the endpoint said when it last told a request to wait."""
    concurrency: int
    """Requests that the endpoint is trusted with at a time."""
    trouble: str = ""
    """What to tell of an endpoint that is away and waited for."""
    wanted: int = 0
    """Requests handed over so far, those with an outcome among them; 0 where nobody knows how many come."""

    @property
    def seconds_left(self) -> float | None:
        """Until those have an outcome, at the pace of the last seconds; None where that is not known."""
        left = self.wanted - self.done
        return left / self.per_second if left > 0 and self.per_second > 0 else None


class Tally:
    """Counts of one client."""

    def __init__(self) -> None:
        self.by_outcome: Counter[Outcome] = Counter()
        self.cached = 0
        self.retries = self.wanted = 0
        self.cost = Amount()
        self._lock = threading.Lock()
        self._times: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    @property
    def done(self) -> int:
        return sum(self.by_outcome.values())

    def handed(self, requests: int) -> None:
        with self._lock:
            self.wanted += requests

    def ended(self, reply: Reply) -> None:
        with self._lock:
            self.by_outcome[reply.outcome] += 1
            self.cached += reply.cached

    def per_second(self) -> float:
        """Requests that ended in the last seconds, a second."""
        now, done = time.monotonic(), self.done
        with self._lock:
            return self._rate(now, done)

    def _rate(self, now: float, done: int) -> float:
        while len(self._times) > 1 and self._times[1][0] < now - RATE_SECONDS:
            self._times.popleft()
        since, before = self._times[0]
        if now - self._times[-1][0] > RATE_SECONDS / 20:
            self._times.append((now, done))
        return (done - before) / (now - since) if now > since else 0.0
