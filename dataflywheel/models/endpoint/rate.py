"""The pace at which an endpoint takes requests, learnt from what it took."""

from __future__ import annotations

import math
from collections import deque

WINDOW = 3.0
GROWTH = 0.02
"""After t seconds without a refusal the pace has grown by exp(0.02 t^2): slowly near the limit, then fast.

The plateau and the quick search beyond it are those of CUBIC (Ha, Rhee and Xu, 2008).
"""
NEAR = 1.25
EASE = 0.97
"""A pace up to so many times what was accepted is eased by so much; a faster one falls by the full decrease."""
CATCH_UP = 0.002
"""A request that goes out late by less does not delay the next. More would send two at once, which is often refused."""


class Rate:
    """Times are seconds on one clock. There is no pace before the first refusal."""

    def __init__(self) -> None:
        self.next_at = 0.0
        self._base = math.inf
        self._since = self._first = 0.0
        self._taken: deque[tuple[float, float]] = deque()

    def per_second(self, now: float) -> float:
        return self._base * math.exp(GROWTH * min(now - self._since, 30.0) ** 2)

    def sent(self, now: float) -> None:
        """A request goes out: the next may go at `next_at`. A late one may be caught up by those after it."""
        self.next_at = max(self.next_at, now - CATCH_UP) + 1.0 / self.per_second(now)

    def took(self, now: float, seconds: float) -> None:
        """A request was answered after so many seconds."""
        self._first = self._first or now - seconds
        self._taken.append((now, seconds))
        while self._taken[0][0] < now - WINDOW:
            self._taken.popleft()

    def accepted(self, now: float) -> tuple[float, float]:
        """Answers a second, and requests that were worked on at a time, over the last seconds."""
        span = min(max(now - self._first, 1.0), WINDOW)
        recent = [seconds for at, seconds in self._taken if at >= now - span]
        return len(recent) / span, sum(recent) / span

    def refused(self, now: float, in_flight: int, decrease: float) -> None:
        """Slow down: by `decrease`, but hardly below what was accepted lately."""
        pace, accepted = self.per_second(now), self.accepted(now)[0]
        if math.isinf(pace):
            pace = max(in_flight, len(self._taken)) / decrease
        self._base = max(pace * (EASE if pace < NEAR * accepted else decrease), EASE * accepted, 0.1)
        self._since = now
