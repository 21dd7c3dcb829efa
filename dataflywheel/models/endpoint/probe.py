"""What an endpoint can do that nobody declared, found by one small question, which is kept and paid like any other.

What is found changes how forms are asked for, and so the keys of their questions. It is taken from the answer store
where it is there, and so is a failure: a run that goes on asks as it did before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import ValidationError

from dataflywheel.models.endpoint.chat_model import Asks
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.form import Form, schema_of
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, Sampling

PROBE_TOKENS = 256
SPARE_TOKENS = 16
"""Tokens of an answer beside one for each of its letters; a model that took more of them thought unseen."""
CLOSED_ROOM = 1024
"""Tokens for a closed answer with the thoughts before it."""


class Greeting(Form):
    """What nobody writes who is asked for a word, unless a schema is obeyed."""

    polite: bool


PROBE = Request.chat("Reply with the word hello.", sampling=Sampling(max_tokens=PROBE_TOKENS))


@dataclass(frozen=True)
class Found:
    """Of a model: whether it obeys a JSON schema, and whether it thinks before it answers."""

    schema: bool
    thinks: bool


def found_of(client: Asks) -> Found:
    """What is declared of the model, and what the probe says of the rest.

    An endpoint is asked where it is not declared whether it takes a schema, and nobody else: no local folder, and no
    batch.
    """
    can = client.model.capabilities
    if can.json_schema is not None or not isinstance(client, Client):
        return Found(bool(can.json_schema), bool(can.thinks))
    if client.probed is None:
        request = replace(PROBE, schema=schema_of(Greeting))
        client.probed = client.known(request) or client.ask([request])[0].spoken()
    found = _read(client.probed)
    return found if can.thinks is None else Found(found.schema, can.thinks)


def closed(request: Request, limit: int, thinks: bool) -> Request:
    """The request with the limit of a closed form, or as it is where there is none or the model thinks."""
    asked = request.sampling.max_tokens
    if not limit or thinks or asked <= limit:
        return request
    return replace(request.with_limit(limit), room=max(asked, CLOSED_ROOM))


def _read(reply: Reply) -> Found:
    hidden = reply.tokens_out > len(reply.text) + SPARE_TOKENS
    try:
        Greeting.model_validate_json(reply.text)
    except ValidationError:
        return Found(False, bool(reply.reasoning) or hidden or reply.outcome is Outcome.TRUNCATED)
    return Found(reply.answered, bool(reply.reasoning) or hidden)
