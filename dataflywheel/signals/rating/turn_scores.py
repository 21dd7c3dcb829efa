"""Digits from 1 to 6 for every turn of a row: what DEITA's signals share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.signals.rating.rating import Asked, Rated
from dataflywheel.signals.rating.token_shares import Shares, ask_shares, shares

DIGITS = ("1", "2", "3", "4", "5", "6")
Ask = Callable[[str, str], Request]
"""(question, answer) of one turn to a request for a digit."""


def expected_digit(found: Shares) -> float:
    """The mean of the digits under their shares."""
    return sum(int(digit) * share for digit, share in found.share.items())


def ask_turns(client: Asks, rows: Sequence[Asked], kinds: Sequence[Ask], name: str) -> list[Rated]:
    """For each row `scores` (kinds, turns), `turns` and the least `mass`; no values where any turn has no digit.

    Turns without a question are passed over, and so are those without an answer where a row has others that are whole.
    """
    turns = [[turn for turn in row.turns if turn[0].strip() and turn[1].strip()] or list(row.turns) for row in rows]
    requests = [ask(*turn) for row in turns for turn in row for ask in kinds]
    replies = iter(ask_shares(client, requests, DIGITS, name))
    return [_scored([[next(replies) for _ in kinds] for _ in row], len(kinds)) for row in turns]


def _scored(replies: list[list[Reply]], kinds: int) -> Rated:
    bought = tuple(reply for turn in replies for reply in turn)
    found = [shares(reply, DIGITS) for reply in bought]
    read = [one for one in found if isinstance(one, Shares)]
    if len(read) < len(found):
        return Rated(None, next(one for one in found if isinstance(one, str)), bought)
    scores = [[expected_digit(one) for one in read[k::kinds]] for k in range(kinds)]
    return Rated({"scores": scores, "turns": len(replies), "mass": min(one.mass for one in read)}, "", bought)


def only(turns: Rated) -> Rated:
    """The sum over turns of the one kind that was asked for."""
    if turns.values is None:
        return turns
    return Rated({**turns.values, "score": sum(turns.values["scores"][0])}, "", turns.replies)
