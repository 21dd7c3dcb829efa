"""Whether an endpoint can be worked with at all, told from questions that it cannot answer."""

from __future__ import annotations

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.pace import Pace

GOES_ON = "what was answered is kept, and the same command goes on from there"


class EndpointDownError(FlywheelError):
    """The endpoint cannot be worked with: nothing more was sent, and no question has failed for it."""


class Breaker:
    """Opens when so many different questions failed and none was answered between; then probes, one at a time.

    One question that always fails says nothing of the endpoint, nor do many of them: a probe is a harmless question,
    and where that is answered, the others are to blame. Nor is a connection that was refused any question's
    fault: the endpoint is waited for.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._failing: set[object] = set()
        self._most = pace.breaker
        self._probes = 0
        self._refused = 0
        self._opened_at = self._away_since = self._refused_at = 0.0
        self._answered = False
        self._said = ""

    @property
    def is_open(self) -> bool:
        return len(self._failing) >= self._most

    @property
    def alone(self) -> bool:
        """Whether one request at a time is sent: to see whether the endpoint is there again."""
        return self.is_open or self._away_since > 0

    @property
    def gave_up(self) -> bool:
        return self.is_open and self._probes >= self._pace.give_up

    def answered(self, harmless: bool = False) -> None:
        """Note an answer; one to a harmless question lets twice as many others fail before it is asked again."""
        self.responded()
        self._answered = True
        self._most = 2 * self._most if harmless else self._pace.breaker
        self._failing.clear()
        self._probes = 0

    def responded(self) -> None:
        """The endpoint is there, whatever it said."""
        self._away_since = self._refused = 0

    def failed(self, now: float, entered: float, key: object, said: str) -> float:
        """Note a server error, a lost connection or silence; gives the time until which nothing is sent, or 0."""
        self._said = said or self._said
        self.responded()
        if not self.is_open:
            self._failing.add(object() if key is None else key)
            if not self.is_open:
                return 0.0
            self._opened_at = now
        elif entered < self._opened_at:
            return 0.0
        else:
            self._probes += 1
        return now + min(self._pace.probe * 2.0**self._probes, self._pace.probe_most)

    def away(self, now: float, entered: float, said: str) -> float:
        """Note that nobody took the connection of a call; gives the time until which nothing is sent.

        Raises:
            EndpointDownError: nobody has for long.
        """
        self._said = said or self._said
        self._away_since = self._away_since or now
        if now - self._away_since > (self._pace.away if self._answered else self._pace.absent):
            raise self.error()
        if entered >= self._refused_at:  # once for all that were under way together
            self._refused_at, self._refused = now, self._refused + 1
        return self._refused_at + min(self._pace.probe * 2.0 ** min(self._refused - 1, 16), self._pace.probe_most)

    def error(self) -> EndpointDownError:
        """Why nothing is sent any more."""
        tried = f"failed at the last {len(self._failing)} different questions" if self.is_open else "is not there"
        return EndpointDownError(f"the endpoint {tried} ({self._said or 'no reason given'}); {GOES_ON}")
