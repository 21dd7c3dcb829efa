"""What was tried for one request, and when that was enough."""

from __future__ import annotations

from dataclasses import dataclass, field

from dataflywheel.models.endpoint.breaker import minutes
from dataflywheel.models.endpoint.chat_model import AttemptError, TooSlowError, UnreadableError
from dataflywheel.models.endpoint.flow import Miss
from dataflywheel.models.endpoint.kept import without_answer
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.models.endpoint.request import Outcome, Reply

UNREADABLE = 2
"""Replies to one request that cannot be read, each of them paid for, after which it is not sent again."""


@dataclass(slots=True)
class Effort:
    """What has been tried for one request."""

    misses: list[Miss] = field(default_factory=list)
    """Its attempts that failed."""
    slow: list[tuple[Miss, float]] = field(default_factory=list)
    """Those to which no answer came in time, with the seconds that they took and the pause after them."""
    refused: int = 0
    unreadable: int = 0
    pause: float = 0.0
    again: bool = False
    last: AttemptError | None = None

    def missed(self, miss: Miss, error: AttemptError, seconds: float) -> None:
        """Note an attempt without an answer, which took so many seconds with the pause after it."""
        if isinstance(error, TooSlowError):
            self.slow.append((miss, seconds))
        else:
            self.misses.append(miss)
        self.unreadable += isinstance(error, UnreadableError)
        self.last = error

    @property
    def tries(self) -> int:
        return len(self.misses) + len(self.slow)

    @property
    def late(self) -> float:
        """Seconds without an answer in time."""
        return sum(seconds for _, seconds in self.slow)

    def ended(self, pace: Pace, key: bytes) -> Reply | None:
        """The reply that says why there is no answer, where this question itself was tried often enough. An attempt
        counts that failed while the endpoint was there; one to which no answer came in time is none, up to patience."""
        own = sum(miss.own for miss in self.misses)
        if self.unreadable >= UNREADABLE:
            return without_answer(Outcome.MALFORMED, f"{self.last} (attempt {self.tries}, the last)", key)
        if own >= pace.attempts:
            return without_answer(Outcome.SERVER_ERROR, f"{self.last} (attempt {self.tries}, the last)", key)
        late = sum(seconds for miss, seconds in self.slow if miss.own)  # while the endpoint was there
        if late > pace.patience:
            why = f"{self.last}, for {minutes(late)} in all, while others are answered"
            return without_answer(Outcome.TIMED_OUT, why, key)
        return None

    def unsure(self, pace: Pace) -> bool:
        """Whether it cannot go on before it is known whether the endpoint is there."""
        open = sum(not miss.void for miss in self.misses)
        return open >= pace.attempts or self.late > pace.patience
