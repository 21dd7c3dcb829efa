from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.models.endpoint import batches
from dataflywheel.models.endpoint.batch_results import read_request
from dataflywheel.models.endpoint.batches import Batches, Collected
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.request import Outcome, Request, Sampling
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answer_ledger import Caps
from dataflywheel.store.answers import AnswerStore
from tests.support.endpoint import Endpoint

ROWS = 40
Make = Callable[..., Batches]


def requests(texts: list[str] | None = None) -> list[Request]:
    return [Request.chat(text, sampling=Sampling(max_tokens=32)) for text in texts or [f"row {i}" for i in range(ROWS)]]


@pytest.fixture
def make(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Batches on a store that is opened anew each time, as by another process."""
    monkeypatch.setattr(batches, "PAUSE", 0.01)
    opened: list[AnswerStore] = []

    def made(caps: Caps | None = None, scope: str = "s", **spec: object) -> Batches:
        opened.append(AnswerStore(tmp_path / "answers.db"))
        fields = {"usd_per_mtok": {"in": 1.0, "out": 2.0}, "capabilities": {"batch": True}, **spec}
        model = ModelSpec.model_validate({"endpoint": endpoint.url, "model": "m", **fields})
        return Batches(OpenAIEndpoint(model), opened[-1], caps, scope)

    yield made
    for store in opened:
        store.close()


def finish(given: Batches, handle: str | None) -> list[Collected]:
    """All looks at a batch until it is done."""
    assert handle is not None
    looks = [given.collect(handle)]
    while not looks[-1].done and len(looks) < 20:
        looks.append(given.collect(handle))
    return looks


def texts_in_store(given: Batches, asked: list[Request]) -> list[str]:
    """What a client finds for each request; nothing may be asked for it."""
    replies = Client(given.model, given.answers, scope="s").ask(asked)
    assert all(reply.cached for reply in replies)
    assert all(reply.outcome is Outcome.ANSWERED for reply in replies)
    return [reply.text for reply in replies]


def test_submit_leave_and_collect_later(endpoint: Endpoint, make: Make) -> None:
    endpoint.configure(batches={"polls": 3})
    submitted = make().submit([*requests(), *requests()[:5]])
    assert (submitted.sent, submitted.stored, submitted.over_budget) == (ROWS, 0, 0)
    later = make()
    assert later.waiting() == [submitted.handle]
    looks = finish(later, submitted.handle)
    assert [(look.status, look.new, look.left) for look in looks] == [
        ("in_progress", 0, ROWS),
        ("in_progress", 0, ROWS),
        ("completed", ROWS, 0),
    ]
    assert texts_in_store(later, requests()) == [f"row {i}" for i in range(ROWS)]
    assert later.waiting() == []
    bill, spent = endpoint.bill(), later.answers.spent("s")
    assert len(bill.charged) == ROWS
    assert (spent.calls, spent.tokens_in, spent.tokens_out) == (ROWS, bill.tokens_in, bill.tokens_out)
    assert spent.usd == pytest.approx(bill.usd(1.0, 2.0))
    assert (spent.reserved_calls, spent.maybe_paid_calls) == (0, 0)
    assert make().submit(requests()).handle is None
    assert make().submit(requests()).stored == ROWS
    assert later.collect(str(submitted.handle)) == Collected("completed", 0, 0)
    assert len(endpoint.bill().charged) == ROWS


def test_an_expired_batch_loses_no_row_and_pays_none_twice(endpoint: Endpoint, make: Make) -> None:
    endpoint.configure(batches={"expire": 2, "expired_share": 0.6})
    submitted = make().submit(requests())
    looks = finish(make(), submitted.handle)
    assert [(look.status, look.new) for look in looks] == [("expired", 16), ("expired", 10), ("completed", 14)]
    given = make()
    assert texts_in_store(given, requests()) == [f"row {i}" for i in range(ROWS)]
    bill = endpoint.bill()
    assert bill.paid_twice == {}
    assert len(bill.charged) == given.answers.spent("s").calls == ROWS


def test_single_requests_fail_are_handed_in_again_or_end_for_good(endpoint: Endpoint, make: Make) -> None:
    texts = [f"row {i}" for i in range(6)]
    texts += ["[[fault:http_500*2]] row", "[[fault:http_400]] row", "[[fault:http_500]] row", "[[fault:refusal_field]]"]
    texts += ["[[fault:no_usage]] row", "[[fault:length]] row"]
    submitted = make().submit(requests(texts))
    given = make()
    assert len(finish(given, submitted.handle)) == batches.ROUNDS
    kept = [given.answers.explain(bytes.fromhex(r.key(given.model.identity))) for r in requests(texts)]
    outcomes = [record["outcome"] if record else "" for record in kept]
    assert outcomes == ["answered"] * 7 + ["rejected", "server error", "refused", "answered", "truncated"]
    spent, bill = given.answers.spent("s"), endpoint.bill()
    assert bill.paid_twice == {}
    assert spent.calls == len(bill.charged) == 10
    # One told no usage: it counts at its worst case, never at nothing.
    assert spent.tokens_in + spent.tokens_out > bill.tokens_in + bill.tokens_out


def test_a_refused_batch_ends_unpaid_and_can_be_asked_again(endpoint: Endpoint, make: Make) -> None:
    endpoint.configure(batches={"fail": 1})
    submitted = make().submit(requests())
    given = make()
    assert finish(given, submitted.handle) == [Collected("failed", ROWS, 0)]
    record = given.answers.explain(bytes.fromhex(requests()[0].key(given.model.identity)))
    assert record is not None
    assert "scripted failure" in record["detail"]
    assert given.answers.spent("s").calls == len(endpoint.bill().charged) == 0
    assert finish(given, make().submit(requests()).handle)[-1].done


def test_caps_hold_for_what_a_batch_may_cost_at_most(endpoint: Endpoint, make: Make) -> None:
    submitted = make(Caps(calls=15)).submit(requests())
    assert (submitted.sent, submitted.over_budget) == (15, ROWS - 15)
    held = make().answers.spent("s")
    assert (held.reserved_calls, held.maybe_paid_calls) == (15, 0)
    assert held.reserved_usd > 15 * 32 * 2.0 / 1e6
    usd = held.reserved_usd / 15 * 20
    assert make(Caps(usd=usd), scope="t").submit(requests([f"more {i}" for i in range(ROWS)])).sent in (19, 20, 21)
    assert endpoint.bill().usd(1.0, 2.0) <= usd


def test_what_is_in_a_batch_is_not_asked_beside_it(endpoint: Endpoint, make: Make) -> None:
    given = make()
    submitted = given.submit(requests()[:10])
    again = make().submit(requests()[:12])
    assert (again.sent, dict(again.waiting)) == (2, {submitted.handle: 10})
    with pytest.raises(FlywheelError, match="collect it first"):
        Client(given.model, given.answers, scope="s").ask(requests()[:1])
    finish(given, submitted.handle)
    assert texts_in_store(given, requests()[:10]) == [f"row {i}" for i in range(10)]
    assert endpoint.bill().paid_twice == {}


def test_a_batch_whose_making_went_unheard_is_found_again(endpoint: Endpoint, make: Make) -> None:
    endpoint.configure(batches={"lose_reply": 1})
    submitted = make().submit(requests())
    assert finish(make(), submitted.handle)[-1].done
    assert endpoint.bill().paid_twice == {}
    assert len(endpoint.bill().charged) == ROWS


KILLED = """
import os, sys
from pathlib import Path
from dataflywheel.models.endpoint import batches, openai_batches
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answer_batches import BatchBook
from dataflywheel.store.answers import AnswerStore
from tests.models.endpoint.test_batches import requests

url, path, moment = sys.argv[1:]
def die(*given): os._exit(9)
if moment == "before it is sent":
    openai_batches.OpenAIBatches.create = die
elif moment == "before it is heard of":
    BatchBook.sent = die
elif moment == "before the rest is sent":
    BatchBook.next_round = die
elif moment == "before it is settled":
    BatchBook.settle = die
spec = ModelSpec(endpoint=url, model="m", capabilities={"batch": True})
given = batches.Batches(OpenAIEndpoint(spec), AnswerStore(Path(path)), scope="s")
submitted = given.submit(requests())
given.collect(submitted.handle)
os._exit(0)
"""


@pytest.mark.parametrize(
    "moment",
    ["before it is sent", "before it is heard of", "before it is settled", "before the rest is sent", "after all"],
)
def test_a_kill_between_submitting_and_collecting_pays_nothing_twice(
    endpoint: Endpoint, make: Make, tmp_path: Path, moment: str
) -> None:
    endpoint.configure(batches={"expire": 1})
    command = [sys.executable, "-c", KILLED, endpoint.url, str(tmp_path / "answers.db"), moment]
    done = subprocess.run(command, cwd=Path(__file__).resolve().parents[3], check=False, timeout=60)
    assert done.returncode == (0 if moment == "after all" else 9)
    given = make()
    [handle] = given.waiting()
    assert given.answers.recovered == 0
    assert finish(given, handle)[-1].done
    assert texts_in_store(given, requests()) == [f"row {i}" for i in range(ROWS)]
    bill, spent = endpoint.bill(), given.answers.spent("s")
    assert bill.paid_twice == {}
    assert len(bill.charged) == spent.calls == ROWS
    assert (spent.maybe_paid_calls, spent.reserved_calls) == (0, 0)


def test_what_cannot_be_a_batch_is_refused_before_it_is_paid(endpoint: Endpoint, make: Make) -> None:
    with pytest.raises(UsageError, match="a batch needs batch"):
        make(capabilities={})
    with pytest.raises(UsageError, match="all chat or all completion"):
        make().submit([*requests(), Request(prompt="raw")])
    with pytest.raises(UsageError, match="no batch 'nowhere'"):
        make().collect("nowhere")
    handle = make().submit(requests()).handle
    assert handle is not None
    with pytest.raises(UsageError, match="belongs to m@"):
        make(model="other").collect(handle)
    assert len(endpoint.bill().charged) == ROWS


def test_an_endpoint_out_of_reach_keeps_the_batch_for_later(endpoint: Endpoint, make: Make) -> None:
    with pytest.raises(FlywheelError, match="collect it later"):
        make(endpoint="http://127.0.0.1:9/v1").submit(requests())
    given = make(endpoint="http://127.0.0.1:9/v1")
    [handle] = given.waiting()
    with pytest.raises(FlywheelError, match="cannot be reached"):
        given.collect(handle)
    assert given.answers.spent("s").reserved_calls == ROWS


def test_a_request_is_read_back_as_it_was_written() -> None:
    sampling = Sampling(0.5, 0.9, 7, ("a", "b"), 3, 2)
    full = Request(({"role": "user", "content": "a\n\u00e9"},), None, '[{"x": 1}]', sampling, "{}", 4)
    for request in (full, Request(prompt="raw"), Request.chat("hi", "system")):
        assert read_request(request.canonical("m")).canonical("m") == request.canonical("m")
        assert read_request(request.canonical("m")) == request
