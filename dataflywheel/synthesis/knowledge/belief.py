"""What a model believes of statements: how surprising it finds that they are true and that their denials are false."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dataflywheel.models.endpoint.failure import passing
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.signals.rating.token_shares import Shares, ask_shares, one_word, shares

WORDS = ("yes", "no")
ASK = "Is the statement true? Reply with one word, yes or no."
LEAST = 1e-6
"""The smallest probability that counts, so that what a model is wholly wrong about has a finite loss, the greatest."""


@dataclass(frozen=True)
class Belief:
    """What a model makes of a statement and its denial."""

    loss: float | None
    """Mean of -log p(the right word), in nats, over both; None where the model could not be asked of each."""
    why: str = ""
    """Why there is no loss."""
    replies: tuple[Reply, ...] = ()


def surprise(right: float) -> float:
    """-log of the probability of the right word: from 0 to that of a probability of one in a million.

    >>> surprise(1.0), round(surprise(0.5), 3), surprise(0.0) == surprise(1e-9)
    (0.0, 0.693, True)
    """
    return -math.log(min(max(right, LEAST), 1.0))


def beliefs(client: Asks, pairs: Sequence[tuple[str, str]], instructions: str, name: str) -> list[Belief]:
    """Of each statement and its denial; both are asked about alike, yes or no, in one word whose probability is read.

    Raises:
        UnreadableAnswersError: the model answers none of the first questions by yes or no.
    """
    asked = [question(instructions, {"statement": one}, ASK, one_word()) for pair in pairs for one in pair]
    replies = ask_shares(client, asked, WORDS, name) if asked else []
    return [_belief(replies[i : i + 2]) for i in range(0, len(replies), 2)]


def _belief(replies: Sequence[Reply]) -> Belief:
    found = [shares(reply, WORDS) for reply in replies]
    bill, wrong = tuple(replies), [one for one in found if isinstance(one, str)]
    if wrong:
        return Belief(None, passing(replies) or wrong[0], bill)
    right = [one.share[word] for one, word in zip(found, WORDS, strict=True) if isinstance(one, Shares)]
    return Belief(sum(map(surprise, right)) / len(right), "", bill)
