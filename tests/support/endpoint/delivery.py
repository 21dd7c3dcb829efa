"""How a reply reaches the client, or does not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson

from tests.support.endpoint.http import Connection
from tests.support.endpoint.limits import retry_header
from tests.support.endpoint.plan import Plan
from tests.support.endpoint.question import Question
from tests.support.endpoint.reply import Choice, events, failure, whole

PAGE = b"<html><head><title>502</title></head><body><h1>Bad gateway</h1><p>Try again later.</p></body></html>"
STATUS = {
    "ok_429": 200,
    "ok_502": 200,
    "http_400": 400,
    "http_429": 429,
    "http_500": 500,
    "http_502": 502,
    "http_503": 503,
    "html": 502,
}
OK = {"ok_429": 429, "ok_502": 502}
"""Errors in the body of a reply with status 200, and their codes."""
PIECES = 10
"""Parts of a body that drips."""


def turn_away(connection: Connection, fault: str, plan: Plan) -> None:
    """Fail before any work."""
    if fault == "reset_before":
        return connection.reset()
    if fault == "html":
        return connection.reply(502, PAGE, {"content-type": "text/html"})
    if fault in OK:
        raw = {"error": {"message": "Provider returned error", "code": OK[fault], "metadata": {"raw": "Too busy"}}}
        return connection.reply(200, orjson.dumps({"id": None, "choices": None, **raw}))
    status = STATUS[fault]
    headers = retry_header(plan.limits.retry_after, 1.0) if status in (429, 503) else {}
    kind = "rate_limit_error" if status == 429 else "invalid_request_error" if status == 400 else "server_error"
    return connection.reply(status, failure(f"scripted {fault}", kind, fault), headers)


async def lose(connection: Connection, question: Question, choices: Sequence[Choice], fault: str) -> None:
    """The work is done, and nothing, not all, or something else is sent."""
    if fault == "hang":
        while not connection.closed:
            await asyncio.sleep(0.05)
    elif fault == "reset_after":
        connection.reset()
    elif fault == "html_ok":
        connection.reply(200, PAGE, {"content-type": "text/html"})
    elif question.body.get("stream"):
        connection.start("text/event-stream")
        found = events(question, choices, with_usage=True)
        for event in found[: len(found) // 2]:
            connection.chunk(event)
        connection.transport.close()
    else:
        body = orjson.dumps(whole(question, choices, with_usage=True))
        connection.reply(200, body, cut=len(body) // 2)


async def stream(
    connection: Connection, question: Question, choices: Sequence[Choice], fault: str, seconds: float
) -> None:
    """Server-sent events, or one body in chunks; over `seconds` where it drips."""
    with_usage = fault != "no_usage"
    if question.body.get("stream"):
        pieces, kind = events(question, choices, with_usage), "text/event-stream"
    else:
        body = orjson.dumps(whole(question, choices, with_usage))
        step = -(-len(body) // PIECES)
        pieces, kind = [body[i : i + step] for i in range(0, len(body), step)], "application/json"
    connection.start(kind)
    for piece in pieces:
        connection.chunk(piece)
        if fault == "drip":
            await asyncio.sleep(seconds / len(pieces))
    connection.chunk(b"")
