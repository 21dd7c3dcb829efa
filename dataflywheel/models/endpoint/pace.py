"""The limits within which an endpoint is asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Limits of an endpoint's flow; seconds."""

    concurrency: int = 64
    start: int = 16
    growth: int = 25
    """Successes for one more request at a time, after the first 429; a full round where that is fewer."""
    decrease: float = 0.75
    cool_down: float = 0.5
    """Between two decreases, at least."""
    attempts: int = 5
    """Of one request that meets server errors or silence; waiting for a rate limit is no attempt."""
    backoff: float = 0.5
    backoff_most: float = 30.0
    deadline: float = 900.0
    """Of one request over all attempts and the pauses between them, rate limits not counted."""
    pause_most: float = 60.0
    """Longest pause that a server may ask for."""
    pause_all: float = 2.0
    """A longer pause holds for all requests; a shorter one for the refused request, while others go at the pace."""
    patience: float = 1800.0
    """With nothing but 429s for so long, the run stops instead of waiting on."""
    breaker: int = 10
    """Different questions that fail, with no answer between, and stop the sending."""
    probe: float = 1.0
    """First pause of the breaker, doubled with every failed probe."""
    probe_most: float = 30.0
    give_up: int = 5
    """Failed probes in a row after which the endpoint is taken to be down."""
    away: float = 300.0
    """Longest wait for an endpoint that has answered before and takes no connections."""
    absent: float = 10.0
    """The same for one that never answered."""
    seed: int = 0
