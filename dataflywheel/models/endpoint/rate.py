"""The pace at which an endpoint takes requests, learnt from what it took."""

from __future__ import annotations

import math
from collections import deque

WINDOW = 2.0
LONG_WINDOW = 10.0
ENOUGH = 20
"""Answers in the window from which a rate is read; with fewer, in the long window."""
GROWTH = 0.02
STEEPEST = 0.3
"""After t seconds without a refusal the pace has grown by exp(0.02 t^2), by 30 % a second at most.

Slow near the limit, then faster: the plateau is that of CUBIC (Ha, Rhee and Xu, 2008).
"""
NEAR = 1.25
EASE = 0.97
"""A pace up to so many times what was accepted is eased by so much; a faster one falls by the full decrease."""
LEAST = 0.2
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
        seconds = min(now - self._since, 60.0)
        bend = min(seconds, STEEPEST / (2 * GROWTH))
        return self._base * math.exp(GROWTH * bend**2 + STEEPEST * (seconds - bend))

    def sent(self, now: float) -> None:
        """A request goes out: the next may go at `next_at`. A late one may be caught up by those after it."""
        self.next_at = max(self.next_at, now - CATCH_UP) + 1.0 / self.per_second(now)

    def took(self, now: float, seconds: float) -> None:
        """A request was answered after so many seconds."""
        self._first = self._first or now - seconds
        self._taken.append((now, seconds))
        while self._taken[0][0] < now - LONG_WINDOW:
            self._taken.popleft()

    def accepted(self, now: float) -> tuple[float, float]:
        """Answers a second, and requests that were worked on at a time, over the last seconds."""
        for window in (WINDOW, LONG_WINDOW):
            span = min(max(now - self._first, 1.0), window)
            recent = [seconds for at, seconds in self._taken if at >= now - span]
            if len(recent) >= ENOUGH:
                break
        return len(recent) / span, sum(recent) / span

    @property
    def known(self) -> bool:
        """Whether anything was answered lately."""
        return bool(self._taken)

    def refused(self, now: float, in_flight: int, decrease: float) -> None:
        """Slow down: by `decrease`, but hardly below what was accepted lately."""
        pace, accepted = self.per_second(now), self.accepted(now)[0]
        if math.isinf(pace):
            so_far = len(self._taken) / max(now - self._first, 0.05) if self._taken else 0.0
            pace = max(in_flight / decrease, so_far)
        self._base = max(pace * (EASE if pace < NEAR * accepted else decrease), EASE * accepted, LEAST)
        self._since = now
