"""What a call to a model costs: at most, by what the endpoint says, or by what it said of an attempt that failed."""

from __future__ import annotations

from dataclasses import replace

from dataflywheel.models.endpoint.chat_model import AttemptError, ChatModel
from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.models.spec import Price
from dataflywheel.store.answer_ledger import PICO, Amount


def worst_cost(model: ChatModel, request: Request) -> Amount:
    """What one call can cost at most: a prompt estimated from above, and the longest answer."""
    return _cost(model, model.tokens(request), request.sampling.max_tokens)


def used_cost(model: ChatModel, error: AttemptError) -> Amount:
    """What an attempt without an answer cost by the endpoint's own word."""
    return _cost(model, *error.used) if error.used else Amount()


def charged(model: ChatModel, request: Request, key: bytes, reply: Reply) -> tuple[Reply, Amount]:
    """The reply with its key and cost; one that does not tell its tokens is taken to have cost the most."""
    told = reply.tokens_in or reply.tokens_out
    cost = _cost(model, reply.tokens_in, reply.tokens_out) if told else worst_cost(model, request)
    usd = cost.pico / PICO
    return replace(reply, key=key.hex(), tokens_in=cost.tokens_in, tokens_out=cost.tokens_out, usd=usd), cost


def _cost(model: ChatModel, tokens_in: int, tokens_out: int) -> Amount:
    return Amount(1, tokens_in, tokens_out, picodollars(model.price, tokens_in, tokens_out))


def picodollars(price: Price, tokens_in: int, tokens_out: int) -> int:
    """The price of one call in 1e-12 dollars."""
    return round((tokens_in * price.input + tokens_out * price.output) * (PICO // 10**6))
