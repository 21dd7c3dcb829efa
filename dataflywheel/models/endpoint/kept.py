"""How a reply lies in the answer store, and what becomes of it when it is taken out again."""

from __future__ import annotations

from dataflywheel.models.endpoint.request import Outcome, Reply, TokenLogprob
from dataflywheel.store.answer_ledger import PICO, Amount
from dataflywheel.store.answers import Record

KEPT = frozenset({Outcome.ANSWERED, Outcome.REFUSED, Outcome.FILTERED, Outcome.TRUNCATED})
"""Outcomes that serve from the store; the others are failures."""
MORE = ("reasoning", "calls")
"""What is kept of a reply where it has it."""


def record_of(reply: Reply, cost: Amount, canonical: bytes) -> Record:
    """The reply as the store keeps it: raw, with its thoughts where they stood."""
    said = {"text": reply.text, "finish": reply.finish, "detail": reply.detail}
    said |= {name: value for name in MORE if (value := getattr(reply, name))}
    logprobs = [[one.token, one.logprob, dict(one.top)] for one in reply.logprobs]
    return Record(reply.outcome, said | {"logprobs": logprobs}, cost, canonical, reply.outcome not in KEPT)


def reply_of(record: Record, key: bytes) -> Reply:
    """The stored reply, as it came."""
    said, cost = record.reply, record.cost
    return Reply(
        Outcome(record.outcome),
        said["text"],
        said["finish"],
        tuple(TokenLogprob(*one) for one in said["logprobs"]),
        cost.tokens_in,
        cost.tokens_out,
        cost.pico / PICO,
        said["detail"],
        key.hex(),
        cached=True,
        **{name: said.get(name, "") for name in MORE},
    )


def without_answer(outcome: Outcome, detail: str, key: bytes) -> Reply:
    """A reply that says why there is none."""
    return Reply(outcome, detail=detail, key=key.hex())
