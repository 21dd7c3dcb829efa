"""A client that gathers: what the store holds is answered, the rest waits for a batch, several threads may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.models.endpoint.account import account, client_for, submit_deferred
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.deferred import DEFERRED, Deferred
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, Sampling
from dataflywheel.models.endpoint.structured import Form, ask_for
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answers import AnswerStore
from tests.support.endpoint import Endpoint

Make = Callable[..., Deferred]


def requests(first: int, last: int) -> list[Request]:
    return [Request.chat(f"row {i}", sampling=Sampling(max_tokens=32)) for i in range(first, last)]


def outcomes(replies: list[Reply]) -> list[str]:
    return [reply.detail if reply.detail == DEFERRED else reply.outcome.value for reply in replies]


@pytest.fixture
def spec(endpoint: Endpoint) -> ModelSpec:
    return ModelSpec(endpoint=endpoint.url, model="m", capabilities={"batch": True}, batch=True)


@pytest.fixture
def make(spec: ModelSpec, tmp_path: Path) -> Iterator[Make]:
    """Clients on a store that is opened anew each time, as by another process."""
    opened: list[AnswerStore] = []

    def made() -> Deferred:
        opened.append(AnswerStore(tmp_path / "answers.db"))
        return Deferred(OpenAIEndpoint(spec), opened[-1], scope="s")

    yield made
    for store in opened:
        store.close()


def test_what_the_store_lacks_is_gathered_once(endpoint: Endpoint, make: Make) -> None:
    client = make()
    Client(client.model, client._caller.answers, scope="s").ask(requests(0, 5))
    assert outcomes(client.ask(requests(0, 20))) == ["answered"] * 5 + [DEFERRED] * 15
    assert outcomes(client.ask(requests(10, 25))) == [DEFERRED] * 15
    assert client.progress().done == 5
    assert len(endpoint.bill().lines) == 5
    (submitted,) = client.submit()
    assert (submitted.sent, submitted.stored) == (20, 0)
    assert client.submit() == []
    later = make()
    assert outcomes(later.ask(requests(0, 25))) == ["answered"] * 25
    assert later.submit() == []
    assert not endpoint.bill().paid_twice


def test_threads_collect_and_gather_together(endpoint: Endpoint, make: Make) -> None:
    first = make()
    first.ask(requests(0, 40))
    first.submit()
    client = make()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(client.ask, [requests(i, i + 20) for i in range(0, 80, 20)]))
    assert [outcomes(one) for one in found] == [["answered"] * 20] * 2 + [[DEFERRED] * 20] * 2
    assert sum(one.sent for one in client.submit()) == 40
    assert not endpoint.bill().paid_twice


def test_a_request_that_failed_for_good_is_tried_again_only_by_a_fresh_start(endpoint: Endpoint, make: Make) -> None:
    wanted = [Request.chat("[[fault:http_400]] row"), *requests(0, 3)]
    found, sent = [], []
    for _ in range(3):
        client = make()
        found.append(outcomes(client.ask(wanted))[0])
        sent.append(sum(one.sent for one in client.submit()))
    assert found == [DEFERRED, Outcome.REJECTED.value, DEFERRED]
    assert sent == [4, 0, 1]


class Wanted(Form):
    grade: int


def test_a_repair_is_another_batch_and_the_last(endpoint: Endpoint, make: Make) -> None:
    asked = [request.with_limit(2000) for request in requests(0, 6)]
    found, sent = [], []
    for _ in range(4):
        client = make()
        found.append({answer.outcome for answer in ask_for(client, asked, Wanted)})
        sent.append(sum(one.sent for one in client.submit()))
    assert sent == [6, 6, 0, 0]
    assert found == [{Outcome.OVER_BUDGET}] * 2 + [{Outcome.MALFORMED}] * 2  # the server says back what it was asked
    assert len(endpoint.bill().charged) == 12


def test_chat_and_completion_go_in_batches_of_their_own(endpoint: Endpoint, tmp_path: Path, spec: ModelSpec) -> None:
    both = spec.model_copy(update={"capabilities": {"batch": True, "completion": True}})
    store = AnswerStore(tmp_path / "answers.db")
    wanted = [*requests(0, 3), Request(prompt="raw")]
    with account(store, scope="s", deferring=True):
        assert outcomes(client_for(both).ask(wanted)) == [DEFERRED] * 4
        assert [one.sent for one in submit_deferred()] == [3, 1]
    with account(store, scope="s"):
        assert submit_deferred() == []
        assert type(client_for(both)) is Client
    store.close()


def test_without_the_capability_there_is_no_such_client(tmp_path: Path, spec: ModelSpec) -> None:
    plain = spec.model_copy(update={"capabilities": {}})
    store = AnswerStore(tmp_path / "answers.db")
    with account(store, deferring=True), pytest.raises(UsageError, match="needs batch"):
        client_for(plain)
    store.close()
