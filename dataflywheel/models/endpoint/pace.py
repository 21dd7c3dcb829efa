"""The limits within which an endpoint is asked."""

from __future__ import annotations

from dataclasses import dataclass

PATIENCE = 600.0
"""Seconds for which an endpoint that was there is waited for, where nobody says otherwise."""


@dataclass(frozen=True)
class Pace:
    """Limits of an endpoint's flow; seconds."""

    concurrency: int = 64
    start: int = 4
    growth: int = 25
    """Successes for one more request at a time, after the first 429; a full round where that is fewer."""
    decrease: float = 0.75
    cool_down: float = 0.5
    """Between two decreases, at least."""
    attempts: int = 5
    """Of one request that fails while others are answered; waiting for anything is no attempt."""
    backoff: float = 0.5
    backoff_most: float = 30.0
    pause_most: float = 60.0
    """Longest pause that a server may ask for."""
    pause_all: float = 2.0
    """A longer pause holds for all requests; a shorter one for the refused request, while others go at the pace."""
    quota: float = 1800.0
    """With nothing but 429s for so long, or for `patience` where that is more, the run stops instead of waiting on."""
    breaker: int = 10
    """Different questions that fail, with no answer between, and stop the sending."""
    probe: float = 1.0
    """First pause of the breaker, doubled with every failed probe."""
    probe_most: float = 30.0
    patience: float = PATIENCE
    """Longest wait for an endpoint that answers nothing, and of one question for an answer that always comes too late
    while others are answered."""
    absent: float = 10.0
    """Longest wait for one that takes no connection, and has not taken any yet."""
    seed: int = 0
