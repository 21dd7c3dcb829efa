"""When a request can have been begun, and how long it may go on without a sign of life.

A server with few slots lets requests wait for their turn. That is no slowness of theirs, so the clock of a request runs
from when it can have been begun, taken that servers begin requests about in the order in which they come: when all that
were sent before it have ended, or as many that were sent after it were answered as are there at a time (fewer may have
come in on a quicker connection). It runs anew with each piece of the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turn:
    """One request at the server. `alive` is called with every piece of its answer."""

    def __init__(self, timeout: float, longest: float) -> None:
        self._timeout, self._longest = timeout, longest
        self._limit: asyncio.Timeout | None = None
        self._began: float | None = None
        self._overtaken = 0

    def watched_by(self, limit: asyncio.Timeout) -> None:
        self._limit = limit

    def begin(self) -> None:
        """It can have been begun by now."""
        if self._began is None:
            self._began = asyncio.get_running_loop().time()
            self.alive()

    def overtaken(self, there: int) -> None:
        """One that was sent later was answered, of so many that were at the server."""
        self._overtaken += 1
        if self._overtaken >= there:
            self.begin()

    def alive(self) -> None:
        """A sign of life: as long as before may pass until the next, up to the longest time for one answer."""
        now = asyncio.get_running_loop().time()
        self._began = now if self._began is None else self._began
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(min(now + self._timeout, self._began + self._longest))


class Served:
    """The requests that are at one server, in the order in which they were sent."""

    def __init__(self, timeout: float, longest: float) -> None:
        """`timeout`: seconds without a sign of life; `longest`: of one answer, signs of life or not."""
        self.timeout, self.longest = timeout, max(timeout, longest)
        self._turns: list[Turn] = []

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """Within, the request is at the server.

        Raises:
            TimeoutError: there was no sign of life for too long.
        """
        turn = Turn(self.timeout, self.longest)
        self._turns.append(turn)
        try:
            async with asyncio.timeout(None) as limit:
                turn.watched_by(limit)
                self._first()
                yield turn
                for earlier in self._turns[: self._turns.index(turn)]:
                    earlier.overtaken(len(self._turns))
        finally:
            self._turns.remove(turn)
            self._first()

    def _first(self) -> None:
        if self._turns:
            self._turns[0].begin()
