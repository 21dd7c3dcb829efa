"""Why a question got no value, in one line, and which of these reasons another run may end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dataflywheel.models.endpoint.deferred import DEFERRED
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.models.endpoint.structured import Answer

PASSING = frozenset({Outcome.TIMED_OUT, Outcome.SERVER_ERROR, Outcome.OVER_BUDGET})
"""Outcomes that another run may change. A row that met one has no value yet, whatever its other answers say: else its
value would depend on when a budget ended or a server failed."""


def passing(replies: Iterable[Reply]) -> str:
    """The failure that another run may change among the replies, or ""."""
    return next((failure(reply) for reply in replies if reply.outcome in PASSING), "")


def failure(of: Reply | Answer[Any]) -> str:
    """The outcome and its reason in one line; the reason alone where the request was only put off."""
    why = of.detail if isinstance(of, Reply) else of.error
    if why == DEFERRED:
        return DEFERRED
    return of.outcome.value if why in ("", of.outcome.value) else f"{of.outcome.value}: {why}"
