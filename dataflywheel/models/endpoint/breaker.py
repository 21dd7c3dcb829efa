"""Whether an endpoint can be worked with at all, told from questions that it cannot answer."""

from __future__ import annotations

from dataclasses import dataclass

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.pace import Pace

GOES_ON = "what was answered is kept, and the same command goes on from there"
BRIEF = 1.0
"""Seconds of trouble that nobody is told of."""


class EndpointDownError(FlywheelError):
    """The endpoint cannot be worked with: nothing more was sent, and no question has failed for it."""


@dataclass
class Heard:
    """Whether anything ever came from an address, to whichever of the models there."""

    anything: bool = False


class Breaker:
    """Opens when so many different questions failed and none was answered between; then probes, one at a time.

    One question that always fails says nothing of the endpoint, nor do many of them: a probe is a harmless question,
    and where that is answered, the others are to blame. Nor is a connection that was refused any question's fault.
    Where nothing is answered, the endpoint is away: it is waited for, with growing pauses, for as long as patience
    lasts.
    """

    def __init__(self, pace: Pace, where: str = "the endpoint", heard: Heard | None = None) -> None:
        self._pace, self._where, self._heard = pace, where, heard or Heard()
        self._failing: set[object] = set()
        self._most = pace.breaker
        self._doubted = self._refused = False
        self._probes = 0
        self._since = self._probed_at = 0.0
        self._said = ""

    @property
    def is_open(self) -> bool:
        return self._doubted or len(self._failing) >= self._most

    @property
    def alone(self) -> bool:
        """Whether one request at a time is sent: to see whether the endpoint is there again."""
        return self.is_open or self._refused

    def gave_up(self, now: float) -> bool:
        """Whether nothing was answered for longer than patience lasts."""
        return self.alone and now - self._since > self._longest

    @property
    def _longest(self) -> float:
        return self._pace.patience if self._heard.anything else min(self._pace.absent, self._pace.patience)

    def trouble(self, now: float) -> str:
        """What to tell of an endpoint that is away, or ""."""
        if not self.alone or now - self._since < BRIEF:
            return ""
        return f"{self._where} is away ({self._said}): waiting for it, {minutes(self._longest)} at most"

    def answered(self, harmless: bool = False) -> None:
        """Note an answer; one to a harmless question lets twice as many others fail before it is asked again."""
        self._most = 2 * self._most if harmless else self._pace.breaker
        self.responded()

    def responded(self) -> None:
        """The endpoint is there, and works."""
        self._heard.anything, self._doubted, self._refused = True, False, False
        self._failing.clear()
        self._probes = 0

    def doubt(self, now: float, said: str) -> float:
        """A question failed too often to go on without knowing whether it is to blame; gives the time until which
        nothing is sent."""
        self._said = said or self._said
        alone, self._doubted = self.alone, True
        if alone:
            return 0.0
        self._begin(now)
        return self._pause(now)

    def failed(self, now: float, entered: float, key: object, said: str) -> float:
        """Note a server error, a lost connection or silence; gives the time until which nothing is sent, or 0."""
        self._said = said or self._said
        self._heard.anything = True
        if not self.alone:
            self._failing.add(object() if key is None else key)
            if self.is_open:
                self._begin(now)
                return self._pause(now)
            return 0.0
        self._failing.add(object() if key is None else key)
        return self._pause(now) if entered >= self._probed_at else 0.0

    def away(self, now: float, entered: float, said: str) -> float:
        """Note that nobody took the connection of a call; gives the time until which nothing is sent."""
        self._said = said or self._said
        if not self.alone:
            self._begin(now)
        self._refused = True
        return self._pause(now) if entered >= self._probed_at else 0.0

    def _begin(self, now: float) -> None:
        self._since, self._probes = now, 0

    def _pause(self, now: float) -> float:
        """Until when to wait after one more sign that the endpoint is away: for all that were under way together."""
        self._probed_at, self._probes = now, self._probes + 1
        return now + min(self._pace.probe * 2.0 ** min(self._probes - 1, 16), self._pace.probe_most)

    def error(self, now: float) -> EndpointDownError:
        """Why nothing is sent any more."""
        waited = minutes(max(now - self._since, 0.0))
        if not self._heard.anything:
            return EndpointDownError(
                f"{self._where} is not there ({self._said or 'no reason given'}): start the server, or check its "
                f"address; {GOES_ON}"
            )
        return EndpointDownError(
            f"{self._where} has answered nothing for {waited}; the last it said: {self._said or 'nothing'}. See to the "
            f"server, or wait longer with `patience` beside the endpoint; {GOES_ON}"
        )


def minutes(seconds: float) -> str:
    """A time for people.

    >>> minutes(600), minutes(90), minutes(0.4)
    ('10 minutes', '90 seconds', '0.4 seconds')
    """
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.3g} seconds"
