"""What is turned away with 429: a token bucket for requests, one for tokens, and a bound on requests in flight."""

from __future__ import annotations

import math
from collections.abc import Callable
from email.utils import formatdate
from time import time

from tests.support.endpoint.plan import Limits, RetryAfter

ABSURD = 86_400.0


class Gate:
    """Buckets refill by `clock`; a request is admitted or told how many seconds to wait."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.limits, self.clock = limits, clock
        self.requests, self.tokens, self.at = float(limits.burst), limits.tokens_per_minute, clock()

    def wait(self, tokens: int, in_flight: int) -> float:
        """0 where the request may come in, and is counted; else seconds until it is worth asking again."""
        limits, now = self.limits, self.clock()
        elapsed, self.at = now - self.at, now
        self.requests = min(self.requests + elapsed * limits.per_second, float(limits.burst))
        self.tokens = min(self.tokens + elapsed * limits.tokens_per_minute / 60, limits.tokens_per_minute)
        if limits.concurrency and in_flight >= limits.concurrency:
            return 0.05
        if limits.per_second and self.requests < 1:
            return (1 - self.requests) / limits.per_second
        if limits.tokens_per_minute and self.tokens < min(tokens, limits.tokens_per_minute):
            return (min(tokens, limits.tokens_per_minute) - self.tokens) * 60 / limits.tokens_per_minute
        self.requests -= 1
        self.tokens -= tokens
        return 0.0


def retry_header(form: RetryAfter, seconds: float) -> dict[str, str]:
    """The wait in the form that the plan asks for."""
    if form == "absent":
        return {}
    if form == "ms":
        return {"retry-after-ms": str(math.ceil(seconds * 1000))}
    if form == "date":
        return {"retry-after": formatdate(math.ceil(time() + seconds), usegmt=True)}
    return {"retry-after": str(math.ceil(ABSURD if form == "absurd" else seconds))}
