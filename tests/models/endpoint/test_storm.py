"""Rate limits, failing servers and caps, proved by the server's bill."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.flow import Flow, Pace
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.request import Outcome, Request, Sampling
from dataflywheel.models.spec import ModelSpec, Price
from dataflywheel.store.answer_ledger import Caps
from dataflywheel.store.answers import AnswerStore
from tests.support.endpoint import Endpoint


def client(endpoint: Endpoint, folder: Path, caps: Caps | None = None, pace: Pace | None = None) -> Client:
    spec = ModelSpec(endpoint=endpoint.url, model="m", timeout=5.0, usd_per_mtok=Price(input=100.0, output=300.0))
    return Client(OpenAIEndpoint(spec), AnswerStore(folder / "answers.db"), caps, "run", Flow(pace))


def storm(endpoint: Endpoint, folder: Path, rows: int, limit: float, warm_up: float) -> None:
    asking = client(endpoint, folder)
    asking.ask([Request.chat("first")])  # loads the transport
    endpoint.reset()
    endpoint.configure(latency={"median_ms": 30}, limits={"per_second": limit, "burst": 10})
    replies = asking.ask(Request.chat(f"[[say:row {i}]]") for i in range(rows))
    assert [reply.text for reply in replies] == [f"row {i}" for i in range(rows)]
    bill = endpoint.bill()
    assert bill.paid_twice == {}
    times = sorted(line.at for line in bill.charged)
    late = [at for at in times if at > times[0] + warm_up]
    rate = (len(late) - 1) / (late[-1] - late[0])
    assert rate >= 0.9 * limit
    refused = sum(line.status == 429 for line in bill.lines if line.at > times[0] + warm_up)
    assert refused <= 0.2 * len(late)


@pytest.mark.slow
def test_a_storm_of_429_loses_no_row_and_keeps_the_limit_busy(endpoint: Endpoint, tmp_path: Path) -> None:
    storm(endpoint, tmp_path, rows=250, limit=20, warm_up=4.0)


@pytest.mark.slow
def test_a_thousand_rows_at_twenty_a_second(endpoint: Endpoint, tmp_path: Path) -> None:
    storm(endpoint, tmp_path, rows=1000, limit=20, warm_up=10.0)


@pytest.mark.parametrize("form", ["seconds", "date", "ms", "absent", "absurd"])
def test_429_in_every_form_only_delays(endpoint: Endpoint, tmp_path: Path, form: str) -> None:
    asking = client(endpoint, tmp_path, pace=Pace(pause_most=0.5))
    endpoint.configure(limits={"per_second": 50, "burst": 5, "retry_after": form})
    replies = asking.ask(Request.chat(f"[[say:row {i}]]") for i in range(60))
    assert [reply.text for reply in replies] == [f"row {i}" for i in range(60)]
    assert asking.progress().rate_limited > 0
    assert endpoint.bill().paid_twice == {}


def test_a_server_that_fails_thirty_per_cent_of_the_time_loses_no_row(endpoint: Endpoint, tmp_path: Path) -> None:
    faults = {"http_500": 0.1, "http_503": 0.1, "reset_before": 0.05, "html": 0.05}
    endpoint.configure(faults=faults, latency={"median_ms": 5})
    asking = client(endpoint, tmp_path, pace=Pace(backoff=0.02, attempts=4))
    replies = asking.ask(Request.chat(f"[[say:row {i}]]") for i in range(500))
    for i, reply in enumerate(replies):
        assert reply.outcome in (Outcome.ANSWERED, Outcome.SERVER_ERROR)
        assert reply.text == (f"row {i}" if reply.answered else "")
    failed = sum(not reply.answered for reply in replies)
    assert failed < 500 * 0.3**4 * 4
    bill = endpoint.bill()
    assert max(bill.keys.values()) == 1
    by_key: dict[str, int] = {}
    for line in bill.lines:
        by_key[line.key] = max(by_key.get(line.key, 0), line.attempt)
    assert max(by_key.values()) <= 4
    again = asking.ask(Request.chat(f"[[say:row {i}]]") for i in range(500))
    assert sum(reply.cached for reply in again) == 500 - failed


def schedules(endpoint: Endpoint, folder: Path, seeds: range) -> None:
    """A tenth of the replies are lost after they were paid for, others fail, are cut, come without usage or late."""
    reached = 0
    for seed in seeds:
        draw = random.Random(seed)
        faults = {"reset_after": 0.05, "truncated_body": 0.05, "http_500": 0.1, "length": 0.1, "no_usage": 0.1}
        endpoint.reset()
        endpoint.configure(seed=seed, faults=faults)
        kind = draw.choice(["usd", "tokens", "calls"])
        caps = {
            "usd": Caps(usd=draw.uniform(0.02, 0.6)),
            "tokens": Caps(tokens=draw.randint(200, 6000)),
            "calls": Caps(calls=draw.randint(1, 50)),
        }[kind]
        pace = Pace(backoff=0.005, probe=0.01, concurrency=draw.choice([1, 4, 16, 64]))
        asking = client(endpoint, folder / str(seed), caps, pace)
        replies = asking.ask(
            Request.chat(f"row {i} of {seed}", sampling=Sampling(max_tokens=draw.randint(5, 60))) for i in range(40)
        )
        bill = endpoint.bill()
        assert bill.usd(100.0, 300.0) <= (caps.usd or 1e9)
        assert bill.tokens_in + bill.tokens_out <= (caps.tokens or 1e9)
        assert len(bill.charged) <= (caps.calls or 1e9)
        spent = AnswerStore(folder / str(seed) / "answers.db").spent("run")
        assert len(bill.charged) == spent.calls + spent.maybe_paid_calls
        assert bill.usd(100.0, 300.0) <= spent.usd + spent.maybe_paid_usd + 1e-12
        assert len(replies) == 40
        reached += any(reply.outcome is Outcome.OVER_BUDGET for reply in replies)
        asking.close()
    assert 0.2 < reached / len(seeds) < 1.0


def test_over_random_schedules_the_bill_never_exceeds_the_cap(endpoint: Endpoint, tmp_path: Path) -> None:
    schedules(endpoint, tmp_path, range(15))


@pytest.mark.slow
def test_over_a_hundred_random_schedules_the_bill_never_exceeds_the_cap(endpoint: Endpoint, tmp_path: Path) -> None:
    schedules(endpoint, tmp_path, range(100))
