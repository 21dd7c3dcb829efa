"""The first answers to a kind of question: where none of them can be read, no more of them are paid for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dataflywheel.models.endpoint.chat_model import Asks
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.models.endpoint.tried import TRIED, Asking, Tried

Reads = Callable[[int, Reply], str]
"""Why the reply to the request at that place cannot be read, or "" where it can."""
Mends = Callable[[Sequence[int]], bool]
"""Whether one of the replies at these places, none of which can be read, can be mended."""


def ask_read(
    client: Asks, requests: Sequence[Request], asking: Asking, reads: Reads, mends: Mends | None = None
) -> list[Reply]:
    """Replies in the order of the requests. Until the client has had one that can be read, not more than the first
    twenty are sent; what follows is sent as soon as one is there, however long the others take.

    Raises:
        UnreadableAnswersError: none of these can be read, nor mended.
    """
    if not isinstance(client, Client):  # all at once, as a client of one's own may only do
        tried, replies = Tried(), client.ask(requests)
        for i, reply in enumerate(replies):
            tried.take(reply, "" if tried.readable else reads(i, reply))
        return _unless(tried, asking, client, range(len(replies)), mends) or replies
    tried = client.tried.setdefault(f"{asking.name}: {asking.form}", Tried())
    found: dict[int, Reply] = {}
    begun: list[tuple[Sequence[int], Iterator[tuple[int, Reply]]]] = []
    left: Sequence[int] = range(len(requests))
    with tried.lock:  # a second batch beside this one waits until it is known
        while left and not tried.readable:
            some, left = left[: TRIED - tried.unreadable], left[TRIED - tried.unreadable :]
            begun.append((some, client.stream([requests[i] for i in some])))
            if not _heard(*begun[-1], tried, reads, found):
                break
            _unless(tried, asking, client, some, mends)
    found |= {left[k]: reply for k, reply in client.stream([requests[i] for i in left])}
    found |= {some[k]: reply for some, stream in begun for k, reply in stream}
    return [found[i] for i in range(len(requests))]


def _heard(
    some: Sequence[int], stream: Iterator[tuple[int, Reply]], tried: Tried, reads: Reads, found: dict[int, Reply]
) -> bool:
    """Take in replies up to the first that can be read; whether any of them says how the model answers."""
    told = False
    for k, reply in stream:
        found[some[k]] = reply
        told |= tried.take(reply, reads(some[k], reply))
        if tried.readable:
            break
    return told


def _unless(tried: Tried, asking: Asking, client: Asks, some: Sequence[int], mends: Mends | None) -> list[Reply]:
    """Nothing, where the answers so far leave hope.

    Raises:
        UnreadableAnswersError: they do not.
    """
    if not tried.readable and tried.unreadable >= TRIED:
        tried.readable = mends is not None and mends(some)
        if not tried.readable:
            raise tried.error(asking, client.model.identity)
    return []
