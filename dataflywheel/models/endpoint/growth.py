"""How many requests at a time are worth it: more only while more are answered for it."""

from __future__ import annotations

FEWEST = 8
"""Answers whose waits are compared; twice the requests at a time where that is fewer."""
GAIN = 1.15
"""Twice as many requests at a time must bring so many times the answers a second; a server with all its slots taken
brings none more."""
LONGEST_REST = 32
"""Rounds after which a larger number is tried again, at most: the server may have got more room."""


class Growth:
    """Doubles the number of requests at a time, round by round, and takes it back where that brought nothing.

    What it brings follows from how long answers take: n requests that take w seconds each are n / w answers a second
    (Little's law), which is steadier to read than the answers themselves, since those come in bursts. A round is as
    many answers as there are requests at a time; behind a change, those that were under way are not counted.
    """

    def __init__(self) -> None:
        self._since = -1.0
        self._skip = self._answers = self._busiest = 0
        self._waited = 0.0
        self._before: float | None = None
        """Answers a second with half as many, where the number was just doubled."""
        self._rest, self._next_rest = 0, 1

    def begin(self, now: float, rest: int = 0) -> None:
        """A new round, in which nothing is compared: so many more to come before the number grows."""
        self._round(now)
        self._rest = max(rest, self._rest)

    def _round(self, now: float, skip: int = 0, before: float | None = None) -> None:
        self._since, self._skip, self._before = now, skip, before
        self._answers, self._busiest, self._waited = 0, 0, 0.0

    def answered(self, now: float, entered: float, in_flight: int, limit: float, most: int) -> float:
        """The limit after an answer to a call that entered at that time, with so many in flight."""
        self._busiest = max(self._busiest, in_flight)
        if self._skip:
            self._skip -= 1
            self._since = now
            return limit
        if entered >= self._since:
            self._answers += 1
            self._waited += now - entered
        if self._answers < max(int(limit), min(FEWEST, 2 * int(limit))):
            return limit
        rate = int(limit) * self._answers / max(self._waited, 1e-9)
        busy, before = self._busiest >= int(limit), self._before
        self._round(now)
        if before is not None and busy and rate < GAIN * before:
            self._rest, self._next_rest = self._next_rest, min(2 * self._next_rest, LONGEST_REST)
            return max(1.0, limit / 2)
        if before is not None and busy:
            self._next_rest = 1
        if not busy or limit >= most:
            return limit
        if self._rest:
            self._rest -= 1
            return limit
        self._round(now, int(limit), rate)
        return min(2.0 * limit, float(most))
