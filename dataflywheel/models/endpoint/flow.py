"""How fast an endpoint is asked: it sets the pace, and is never hammered.

Concurrency starts small and doubles while that brings more answers a second (see `growth`), until the first 429 or the
limit; after that it grows by one for every 25 successes and falls on a 429 to three quarters, or to what the endpoint
has sustained (additive increase, multiplicative decrease: Chiu and Jain, 1989). An answer that comes too late halves
it. Requests are also spread in time at the rate that was accepted. A run of server errors at different questions opens
a circuit breaker. Time is that of the running event loop.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.breaker import Breaker, Heard, minutes
from dataflywheel.models.endpoint.growth import Growth
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.models.endpoint.rate import Rate

SPARE = 1.5
"""Concurrency is not cut below so many times what the endpoint has worked on at a time: the pace slows it further."""
QUIET = 10.0
"""Seconds without a 429 after which concurrency doubles with every round again."""
UNKNOWN = 3.0
"""Seconds between two decreases as long as nothing was answered yet."""
SLOWED = 4
"""Rounds in which concurrency stays as it is after answers that came too late."""
FRESH = 1.0
"""Seconds for which an answer to something harmless says that the endpoint works, so that not each of many questions
that fail is followed by one."""
MISSES = 4096
"""Failures of which it is still asked whose fault they were, at most."""


@dataclass(eq=False, slots=True)
class Miss:
    """An attempt that brought no answer. It is the question's `own` fault once another call is answered that entered
    before `before`: the endpoint was there, and at work."""

    before: float
    own: bool = False
    void: bool = False
    """The endpoint was away: it counts for nothing."""


class Flow:
    """The requests of one endpoint, over all clients. Used from one event loop; `enter` and `leave` enclose a call."""

    def __init__(self, pace: Pace | None = None, where: str = "the endpoint", heard: Heard | None = None) -> None:
        """`where` names the endpoint to people; `heard` is shared by all flows to one address."""
        self.pace = pace or Pace()
        self.limit = float(min(self.pace.start, self.pace.concurrency))
        self.in_flight = 0
        self.rate_limited = 0
        """429s so far."""
        self.refusal = ""
        """What the endpoint said with the last of them."""
        self._random = random.Random(self.pace.seed)
        self._rate = Rate()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._breaker = Breaker(self.pace, where, heard)
        self._growth = Growth()
        self._misses: deque[Miss] = deque(maxlen=MISSES)
        self._successes = 0
        self._answered_at = self._vouched_at = -math.inf
        self._paused_until = self._limited_since = 0.0
        self._decreased_at = self._slowed_at = -math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._clock: Callable[[], float] | None = None

    async def enter(self, again: bool = False) -> float:
        """Wait for a place; requests that come `again` go first. Gives the time of entry, for `rate_limit`.

        Raises:
            EndpointDownError: the endpoint has failed for long; this request was not sent, and has not failed.
        """
        self._clock = asyncio.get_running_loop().time
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._waiting.appendleft if again else self._waiting.append)(place)
        self._admit()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self.leave()
            raise
        return asyncio.get_running_loop().time()

    def leave(self) -> None:
        """Give the place back, however the call ended."""
        self.in_flight -= 1
        self._admit()

    @property
    def doubtful(self) -> bool:
        """Whether the endpoint may be down: whoever has entered asks it something harmless first."""
        return self._breaker.is_open

    @property
    def trouble(self) -> str:
        """What to tell of an endpoint that is away, or ""."""
        return self._breaker.trouble(self._clock()) if self._clock is not None else ""

    def success(self, entered: float, harmless: bool = False) -> None:
        """Note that a call that entered at that time was answered, `harmless`: to see whether the endpoint is there."""
        now = asyncio.get_running_loop().time()
        self._rate.took(now, now - entered)
        self._breaker.answered(harmless)
        self._answered_at = now
        self._vouched_at = now if harmless else self._vouched_at
        for miss in [miss for miss in self._misses if entered < miss.before]:
            miss.own = True
            self._misses.remove(miss)
        self._limited_since = 0.0
        self._successes += 1
        if now - self._decreased_at > QUIET:  # at first, and long after the last 429
            self.limit = self._growth.answered(now, entered, self.in_flight, self.limit, self.pace.concurrency)
        elif self._successes >= min(self.pace.growth, self.limit):
            self.limit = min(self.limit + 1, self.pace.concurrency)
            self._successes = 0

    def rate_limit(self, entered: float, retry_after: float | None, times: int, said: str = "") -> float:
        """Note a 429 to a call that entered at that time; gives the seconds that its request must wait.

        `times`: how often this request was refused, for the pause where the server names none; `said`: its words.

        Raises:
            FlywheelError: there were nothing but 429s for as long as patience lasts.
        """
        now = asyncio.get_running_loop().time()
        self.rate_limited += 1
        self.refusal = said or self.refusal
        self._breaker.responded()
        self._limited_since = self._limited_since or now
        quota = max(self.pace.quota, self.pace.patience)
        if now - self._limited_since > quota:
            raise FlywheelError(
                f"the endpoint has refused every request (429) for {minutes(quota)}: its quota is "
                "used up; run the same command later, answers that are there are kept"
                f"{f'. It says: {self.refusal}' if self.refusal else ''}"
            )
        rest = self.pace.cool_down if self._rate.known else UNKNOWN
        if entered >= self._decreased_at and now >= self._decreased_at + rest:
            # Once for all calls that were under way together: they met the same limit.
            self._decreased_at = now
            self._rate.refused(now, self.in_flight, self.pace.decrease)
            sustained = math.ceil(SPARE * self._rate.accepted(now)[1])
            self.limit = max(1.0, self.limit * self.pace.decrease, min(self.limit, sustained))
            self._growth.begin(now)
        pause = self.backoff(times) if retry_after is None else min(max(retry_after, 0.0), self.pace.pause_most)
        if pause > self.pace.pause_all:
            self._pause(now + pause)
        return pause

    def failure(self, entered: float, key: object = None, said: str = "", dropped: bool = False) -> Miss:
        """Note a server error, a lost connection or silence in a call that entered at that time, to question `key`.

        `dropped`: as where a server goes down; then it is the question's fault only if a call is answered that was
        under way at that moment; else it is if one is answered after this call was sent, or something harmless was
        just before.

        Raises:
            EndpointDownError: nothing was answered for as long as patience lasts.
        """
        now = asyncio.get_running_loop().time()
        works = max(self._answered_at, self._vouched_at + FRESH) > entered
        miss = Miss(now if dropped else math.inf, own=works and not dropped)
        if not miss.own:
            self._misses.append(miss)
        self._pause(self._breaker.failed(now, entered, key, said))
        self._check(now)
        return miss

    def not_harmless(self) -> None:
        """Note that something harmless failed as well: what failed before it was not any question's fault."""
        for miss in self._misses:
            miss.void = True
        self._misses.clear()
        self.doubt()

    def doubt(self, said: str = "") -> None:
        """Send nothing more before something harmless is answered.

        Raises:
            EndpointDownError: nothing was answered for as long as patience lasts.
        """
        now = asyncio.get_running_loop().time()
        self._pause(self._breaker.doubt(now, said))
        self._check(now)

    def too_slow(self, entered: float) -> None:
        """Note that no whole answer came in time to a call that entered at that time: what is asked at once may only
        have waited for its turn, so less is."""
        if entered >= self._slowed_at:  # once for all that were under way together
            now = self._slowed_at = asyncio.get_running_loop().time()
            self.limit = max(1.0, min(self.limit, self.in_flight) / 2)
            self._growth.begin(now, SLOWED)

    def away(self, entered: float, said: str = "") -> float:
        """Note that nobody took the connection of a call; gives the seconds that its request must wait.

        Raises:
            EndpointDownError: nobody has for long.
        """
        now = asyncio.get_running_loop().time()
        self._pause(self._breaker.away(now, entered, said))
        self._check(now)
        return max(self._paused_until - now, 0.0)

    def _check(self, now: float) -> None:
        if self._breaker.gave_up(now):
            raise self._breaker.error(now)

    def backoff(self, failures: int) -> float:
        """Seconds before a request is tried again after so many failures or refusals: full jitter, doubling."""
        most = min(self.pace.backoff * 2 ** min(failures - 1, 16), self.pace.backoff_most)
        return self._random.uniform(0.0, most)

    def _pause(self, until: float) -> None:
        self._paused_until = max(self._paused_until, until)

    def _admit(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        alone = self._breaker.alone
        allowed = 1 if alone else int(self.limit)
        while self._waiting and self.in_flight < allowed and now >= max(self._paused_until, self._rate.next_at):
            # What failed before is sent again first, but while in doubt what may be a good question.
            place = self._waiting.pop() if alone else self._waiting.popleft()
            if not place.done():
                self.in_flight += 1
                self._rate.sent(now)
                place.set_result(None)
        if self._waiting and self._breaker.gave_up(now):
            while self._waiting:
                place = self._waiting.popleft()
                if not place.done():
                    place.set_exception(self._breaker.error(now))
        elif self._waiting and self.in_flight < allowed and self._timer is None:
            self._timer = loop.call_at(max(self._paused_until, self._rate.next_at), self._resume)

    def _resume(self) -> None:
        self._timer = None
        self._admit()
