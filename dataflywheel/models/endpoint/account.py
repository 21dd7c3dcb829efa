"""Whose money is spent: the store, the caps and the scope on which this process asks models."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from dataflywheel.contracts import UsageError
from dataflywheel.models.endpoint.batches import Submitted
from dataflywheel.models.endpoint.breaker import Heard
from dataflywheel.models.endpoint.chat_model import Asks, Capabilities, ChatModel, declared
from dataflywheel.models.endpoint.client import Client, Watch
from dataflywheel.models.endpoint.deferred import Deferred
from dataflywheel.models.endpoint.flow import Flow
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answer_ledger import Caps
from dataflywheel.store.answers import AnswerStore


@dataclass(eq=False)
class _Account:
    answers: AnswerStore
    caps: Caps
    scope: str
    watch: Watch | None
    deferring: bool
    clients: dict[tuple[Any, ...], Client] = field(default_factory=dict)
    heard: defaultdict[str, Heard] = field(default_factory=lambda: defaultdict(Heard))
    """By address."""
    thread: int = field(default_factory=threading.get_ident)


_LOCK = threading.Lock()
_accounts: list[_Account] = []
_own: ContextVar[_Account | None] = ContextVar("account", default=None)
_stand_in: ContextVar[Callable[[ModelSpec], Asks] | None] = ContextVar("stand_in", default=None)


@contextmanager
def account(
    answers: AnswerStore,
    caps: Caps | None = None,
    scope: str = "",
    watch: Watch | None = None,
    deferring: bool = False,
) -> Iterator[None]:
    """Within, this thread and those that work for it ask models on this account; the innermost one counts.

    Two runs in one process, each in a thread of its own, keep each to its own caps.

    `caps` hold for all that was ever spent on `scope` in this store. `watch` sees each client's progress.
    `deferring`: models with `batch: true` are not asked at once, but in batches by `submit_deferred`.
    """
    opened = _Account(answers, caps or Caps(), scope, watch, deferring)
    with _LOCK:
        _accounts.append(opened)
    token = _own.set(opened)
    try:
        yield
    finally:
        _own.reset(token)
        with _LOCK:
            _accounts.remove(opened)
        for client in opened.clients.values():
            client.close()


def _current() -> _Account | None:
    """The account of this thread, else the innermost that is open in the process, where all are one thread's.

    Raises:
        UsageError: several threads have opened accounts, and this one belongs to none of them.
    """
    own = _own.get()
    if own is not None and own in _accounts:
        return own
    if len({one.thread for one in _accounts}) > 1:
        raise UsageError(
            "several runs of this process ask models, and this thread belongs to none of them: start it with "
            "`contextvars.copy_context().run`, so that it is known on whose account it asks"
        )
    return _accounts[-1] if _accounts else None


@contextmanager
def standing_in(client_of: Callable[[ModelSpec], Asks]) -> Iterator[None]:
    """Within, this thread asks no model: `client_of` gives who takes the questions in its place."""
    token = _stand_in.set(client_of)
    try:
        yield
    finally:
        _stand_in.reset(token)


def rehearsing() -> bool:
    """Whether nobody is asked here, and answers are made up."""
    return _stand_in.get() is not None


def client_for(spec: ModelSpec) -> Asks:
    """The client of this model on the current account: one, however often it is asked for.

    Raises:
        UsageError: no account, an untrained model, or dollars are capped and the price is not known.
    """
    in_place = _stand_in.get()
    if in_place is not None:
        return in_place(spec)
    with _LOCK:
        current = _current()
        if current is None:
            raise UsageError(
                f"nothing is set up to ask {spec.model or spec.hf or spec.builtin}: work inside "
                "`with account(AnswerStore(path), caps):`, in the same process"
            )
        place = spec, spec.usd_per_mtok, spec.api_key, spec.concurrency, spec.timeout, spec.patience
        if place not in current.clients:
            current.clients[place] = _client(spec, current)
        return current.clients[place]


def submit_deferred() -> list[Submitted]:
    """Hand in, as batches, what clients of the current account gathered; what became of it, by batch.

    Raises:
        FlywheelError: the provider cannot be reached, or another process is handing in or collecting.
    """
    with _LOCK:
        current = _current()
        clients = list(current.clients.values()) if current is not None else []
    return [batch for client in clients if isinstance(client, Deferred) for batch in client.submit()]


def check_price(spec: ModelSpec, caps: Caps) -> None:
    """Refuse a cap on dollars that cannot be kept.

    Raises:
        UsageError: the endpoint's price is not known, and tokens are not capped either.
    """
    if spec.endpoint is not None and spec.usd_per_mtok is None and caps.usd is not None and caps.tokens is None:
        raise UsageError(
            f"dollars are capped, but the price of {spec.model} at {spec.endpoint} is not known: write `usd_per_mtok: "
            "{in: 0.1, out: 0.4}` beside it (zeros for a server of your own), or cap the tokens of calls too "
            "(`budget: {call_tokens: ...}` in a recipe)"
        )


def offered(spec: ModelSpec) -> Capabilities:
    """What a model can do: a local folder's abilities are known, an endpoint's are those that the recipe declares."""
    if spec.endpoint is None:
        from dataflywheel.models.endpoint.local_chat import LocalChat

        return LocalChat.capabilities
    return declared(spec)


def _client(spec: ModelSpec, on: _Account) -> Client:
    check_price(spec, on.caps)
    if spec.batch and on.deferring and spec.endpoint is not None:
        return Deferred(OpenAIEndpoint(spec), on.answers, on.caps, on.scope, on.watch)
    where = f"{spec.endpoint} (model {spec.model})" if spec.endpoint else "the model"
    flow = Flow(pace_of(spec), where, on.heard[spec.endpoint or ""])
    return Client(_model(spec), on.answers, on.caps, on.scope, flow, watch=on.watch)


def pace_of(spec: ModelSpec) -> Pace:
    """How an endpoint is asked. Where somebody says how long to wait for it, that holds from the beginning."""
    pace = Pace(concurrency=spec.concurrency, patience=spec.patience)
    return replace(pace, absent=spec.patience) if "patience" in spec.model_fields_set else pace


def _model(spec: ModelSpec) -> ChatModel:
    if spec.endpoint is not None:
        return OpenAIEndpoint(spec)
    if spec.hf is not None:
        from dataflywheel.models.endpoint.local_chat import LocalChat

        return LocalChat(spec)
    raise UsageError(
        "the built-in model answers once it is trained: name its folder (`hf: runs/<name>/models/<model>`)"
    )
