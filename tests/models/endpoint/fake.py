"""A client whose answers come from a function of the request: no server, no store."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import log
from types import SimpleNamespace
from typing import Any

from dataflywheel.models.endpoint.chat_model import Capabilities
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, TokenLogprob


class FakeClient:
    """`answer` gives text, or a whole reply, for each request; every call costs 10 tokens and a thousandth dollar."""

    def __init__(self, answer: Callable[[Request], str | Reply], **capabilities: bool) -> None:
        self.model: Any = SimpleNamespace(capabilities=Capabilities(**capabilities), identity="fake@nowhere")
        self.answer = answer
        self.requests: list[Request] = []

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        self.requests += requests
        replies = []
        for request in requests:
            said = self.answer(request)
            reply = Reply(Outcome.ANSWERED, said) if isinstance(said, str) else said
            replies.append(replace(reply, tokens_in=8, tokens_out=2, usd=0.001))
        return replies


def user_text(request: Request) -> str:
    return "\n".join(str(m["content"]) for m in request.messages if m["role"] == "user")


def system_text(request: Request) -> str:
    return "\n".join(str(m["content"]) for m in request.messages if m["role"] == "system")


_PART = re.compile(r"^<([^<>\n]+) ([0-9a-f]{4,})>\n(.*?)\n</\1 \2>$", re.DOTALL | re.MULTILINE)


def parts_of(request: Request) -> dict[str, str]:
    """The quoted material of a question, by name, as a reader sees it who trusts the fences alone; none in a plain
    prompt."""
    return {name: text for name, _, text in _PART.findall(user_text(request))}


def asked_of(request: Request) -> str:
    """What is asked: the last line of the question."""
    return user_text(request).rpartition("\n")[2]


def number_of(request: Request) -> int:
    """A number that differs from question to question, and is the same for the same one."""
    return int(request.key("")[:8], 16)


def first_token(shares: Mapping[str, float], *after: str) -> Reply:
    """A reply whose first token is the likeliest of `shares` (probabilities by token text), then the tokens `after`."""
    best = max(shares, key=lambda token: shares[token])
    top = {token: log(share) for token, share in shares.items() if share > 0}
    tokens = [TokenLogprob(best, top[best], top), *(TokenLogprob(text, 0.0) for text in after)]
    return Reply(Outcome.ANSWERED, best + "".join(after), logprobs=tuple(tokens))
