"""What the scripted endpoint does: every field has a harmless default, unknown fields are refused."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from tests.support.endpoint.faults import Fault
from tests.support.endpoint.rules import Rule
from tests.support.endpoint.rules.echo import Echo

RetryAfter = Literal["seconds", "date", "ms", "absent", "absurd"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Latency(_Part):
    """Milliseconds before an answer: log-normal around `median_ms`, never over `max_ms`."""

    median_ms: float = 0.0
    sigma: float = 0.0
    max_ms: float = 60_000.0


class Limits(_Part):
    """What is turned away with 429, by a token bucket that follows the clock; 0 means no limit."""

    per_second: float = 0.0
    burst: int = 1
    concurrency: int = 0
    tokens_per_minute: float = 0.0
    retry_after: RetryAfter = "seconds"


class Script(_Part):
    """One thing that goes wrong: on these attempts of requests that hold `match`, or on the n-th requests of all."""

    fault: Fault
    match: str = ""
    attempts: list[int] = [1]
    """Empty: every attempt."""
    requests: list[int] = []
    """Numbers of arrivals counted from 1; empty: all."""


class Batches(_Part):
    """The deferred interface: a batch is done after so many polls; the first `expire` batches run out of time."""

    polls: int = 1
    expire: int = 0
    expired_share: float = 0.5
    """Share of an expired batch's lines, the last ones, that were not answered."""
    fail: int = 0
    """The first so many batches fail validation and answer nothing; those after them may expire."""
    lose_reply: int = 0
    """The first so many batches are made, and the connection is reset instead of a reply."""


class Plan(_Part):
    """One way to behave."""

    seed: int = 0
    models: list[str] = []
    """Names that exist; empty: any name."""
    api_key: str | None = None
    context: int = 0
    """Tokens of prompt and answer that fit; 0: all."""
    id_pattern: str = r"\bid[\s=:\"']+([\w.:-]+)"
    latency: Latency = Latency()
    slots: int = 0
    """Requests that are worked on at a time; the others wait for their turn, in order, as at llama.cpp. 0: all."""
    limits: Limits = Limits()
    faults: dict[Fault, float] = {}
    script: list[Script] = []
    drip_seconds: float = 1.0
    """How long the body of a dripping reply takes."""
    slow_seconds: float = 1.0
    """Added to the latency of a slow reply."""
    rules: list[Rule] = [Echo(rule="echo")]
    """The first rule whose `match` (a part of the prompt) and `model` fit gives the answer."""
    batches: Batches = Batches()
