"""A model in memory that keeps its own bill, with faults drawn from a seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from copy import copy
from dataclasses import replace

from dataflywheel.models.endpoint.chat_model import Capabilities
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.spec import Price

Act = Callable[[Request, int], Reply | Exception]
"""What a request meets, by the number of its attempts (from 1)."""


def echo(request: Request, attempt: int) -> Reply:
    return Reply(Outcome.ANSWERED, f"echo {request.messages[-1]['content']}", "stop", tokens_in=10, tokens_out=5)


class FakeModel:
    capabilities = Capabilities(seed=True)
    price = Price(input=1.0, output=2.0)

    def __init__(self, act: Act = echo, seconds: float = 0.0, identity: str = "fake@nowhere") -> None:
        self.identity = identity
        self.sent: Counter[str] = Counter()
        self.in_flight = self.peak = 0
        self._act, self._seconds = act, seconds
        self._random = random.Random(0)

    async def send(self, request: Request) -> Reply:
        key = request.key(self.identity)
        self.sent[key] += 1
        attempt = self.sent[key]
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self._seconds * self._random.uniform(0.5, 1.5))
        finally:
            self.in_flight -= 1
        found = self._act(request, attempt)
        if isinstance(found, Exception):
            raise copy(found)  # one that is raised again and again holds all that was on the way to it
        return replace(found)

    def tokens(self, request: Request) -> int:
        return 20

    async def close(self) -> None: ...

    @property
    def calls(self) -> int:
        return self.sent.total()


def numbered(count: int, system: str = "") -> list[Request]:
    return [Request.chat(f"question {i}", system) for i in range(count)]
