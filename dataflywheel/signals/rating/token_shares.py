"""How a model's probability is shared among a few possible answers, read from the first token of its reply."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dataflywheel.models.endpoint.chat_model import Asks
from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.probe import closed
from dataflywheel.models.endpoint.reading import ask_read
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, Sampling, TokenLogprob
from dataflywheel.models.endpoint.tried import Asking

ALTERNATIVES = 20
"""The most that the common endpoints return."""
MIN_MASS = 0.1
"""Below a tenth of the probability on the possible answers, the model was saying something else."""
_DECORATION = " \t\r\n\"'`*_.,:;!()[]<>\u2581\u0120\u010a"
"""Blanks, quotes and markup around a word; the last three stand for blanks and line ends in raw vocabularies."""


@dataclass(frozen=True)
class Shares:
    """`share` sums to 1 over the possible answers; `mass` is their part of the whole probability."""

    share: Mapping[str, float]
    mass: float


WORD_TOKENS = 4
"""Of an answer of one word: its first tokens are read. Models that think, or open and close a block of thoughts before
they answer, get more."""


def one_word(max_tokens: int = 16) -> Sampling:
    """How an answer of one word is asked for, with the alternatives to its tokens."""
    return Sampling(max_tokens=max_tokens, top_logprobs=ALTERNATIVES)


def shares(reply: Reply, answers: Sequence[str]) -> Shares | str:
    """The model's distribution over `answers` (lower case) at the first token that is a word; or what is wrong.

    All spellings of an answer count: capitals, leading blanks, quotes. Where a digit goes on into a longer number, as
    in 10 or 4.5, there is no answer. An answer that was cut after its first words is read all the same.
    """
    if reply.outcome is not Outcome.TRUNCATED and not reply.answered:
        return failure(reply)
    place = next((i for i, token in enumerate(reply.logprobs) if plain(token.token)), None)
    if place is None:
        return failure(reply) if reply.reasoning else "malformed: the reply has no token with a log-probability"
    if _goes_on(reply.logprobs, place):
        return "malformed: the reply is a longer number than was asked for"
    found = dict.fromkeys(answers, 0.0)
    token = reply.logprobs[place]
    for text, logprob in {token.token: token.logprob, **token.top}.items():
        if (word := plain(text)) in found:
            found[word] += math.exp(logprob)
    mass = sum(found.values())
    if not MIN_MASS <= mass < math.inf:
        return f"malformed: only {mass:.2g} of the probability is on {', '.join(answers)}"
    return Shares({word: value / mass for word, value in found.items()}, mass)


def ask_shares(client: Asks, requests: Sequence[Request], answers: Sequence[str], name: str) -> list[Reply]:
    """Replies to questions that one word of `answers` answers, read from its probability; see `ask_read`."""
    form = f"one word of {', '.join(answers)}, with log-probabilities"
    asked = [brief(client, request) for request in requests]
    return ask_read(client, asked, Asking(name, form), lambda i, reply: _lacking(shares(reply, answers)))


def brief(client: Asks, request: Request) -> Request:
    """The request for one word, with no more tokens than it takes."""
    thinks = bool(client.model.capabilities.thinks)  # as declared: nothing is probed for a word
    return replace(closed(request, WORD_TOKENS, thinks), room=0 if thinks else request.sampling.max_tokens)


def _lacking(found: Shares | str) -> str:
    return found if isinstance(found, str) else ""


def plain(token: str) -> str:
    """A token's text without blanks, quotes and markup around it, in lower case.

    >>> plain(" Yes"), plain("\\u2581'no'"), plain("**4"), plain("\\n")
    ('yes', 'no', '4', '')
    """
    return token.strip(_DECORATION).lower()


def _goes_on(tokens: Sequence[TokenLogprob], place: int) -> bool:
    """Whether the number at this place has more digits, before or behind a point, in the tokens that follow."""
    if not plain(tokens[place].token).isdigit() or not tokens[place].token[-1:].isdigit():
        return False
    rest = "".join(token.token for token in tokens[place + 1 : place + 4])
    return rest[:1].isdigit() or (rest[:1] in (".", ",") and rest[1:2].isdigit())


def asked_again(request: Request, sample: int) -> Request:
    """The same question as one of several independent draws."""
    return Request(
        request.messages,
        sampling=Sampling(temperature=1.0, max_tokens=request.sampling.max_tokens),
        sample=sample,
        room=request.room,
    )
