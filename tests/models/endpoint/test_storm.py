"""Rate limits, failing servers and caps, proved by the server's bill."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.flow import Flow, Pace
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.request import Outcome, Request, Sampling
from dataflywheel.models.spec import ModelSpec, Price
from dataflywheel.store.answer_ledger import Caps, Spent
from dataflywheel.store.answers import AnswerStore
from tests.support.endpoint import Bill, Endpoint

PRICE = Price(input=100.0, output=300.0)


def client(endpoint: Endpoint, folder: Path, caps: Caps | None = None, pace: Pace | None = None) -> Client:
    spec = ModelSpec(endpoint=endpoint.url, model="m", timeout=5.0, usd_per_mtok=PRICE)
    return Client(OpenAIEndpoint(spec), AnswerStore(folder / "answers.db"), caps, "run", Flow(pace))


@dataclass
class Storm:
    """What came of many questions to a server with a limit."""

    texts: list[str]
    paid_twice: dict[str, int]
    rate: float
    """Answers a second after the warm-up."""
    refused: float
    """Refusals after the warm-up, for each answer."""


def storm(endpoint: Endpoint, folder: Path, rows: int, limit: float, warm_up: float) -> Storm:
    asking = client(endpoint, folder)
    asking.ask([Request.chat("first")])  # loads the transport
    endpoint.reset()
    endpoint.configure(latency={"median_ms": 30}, limits={"per_second": limit, "burst": 10})
    replies = asking.ask(Request.chat(f"[[say:row {i}]]") for i in range(rows))
    bill = endpoint.bill()
    times = sorted(line.at for line in bill.charged)
    late = [at for at in times if at > times[0] + warm_up]
    rate = (len(late) - 1) / (late[-1] - late[0])
    refused = sum(line.status == 429 for line in bill.lines if line.at > times[0] + warm_up)
    return Storm([reply.text for reply in replies], bill.paid_twice, rate, refused / len(late))


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "warm_up"), [(250, 4.0), (1000, 10.0)])
def test_a_storm_of_429_loses_no_row_and_keeps_the_limit_busy(
    endpoint: Endpoint, tmp_path: Path, rows: int, warm_up: float
) -> None:
    found = storm(endpoint, tmp_path, rows, limit=20, warm_up=warm_up)
    assert found.texts == [f"row {i}" for i in range(rows)]
    assert found.paid_twice == {}
    assert found.rate >= 0.9 * 20
    assert found.refused <= 0.2


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


@dataclass
class Schedule:
    """One run under a cap against a server that loses, fails and cuts replies."""

    caps: Caps
    bill: Bill
    spent: Spent
    outcomes: list[Outcome]

    @property
    def usd(self) -> float:
        return self.bill.usd(PRICE.input, PRICE.output)


def schedule(endpoint: Endpoint, folder: Path, seed: int) -> Schedule:
    """A tenth of the replies are lost after they were paid for, others fail, are cut, come without usage or late."""
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
    asking = client(endpoint, folder, caps, pace)
    replies = asking.ask(
        Request.chat(f"row {i} of {seed}", sampling=Sampling(max_tokens=draw.randint(5, 60))) for i in range(40)
    )
    bill, spent = endpoint.bill(), AnswerStore(folder / "answers.db").spent("run")
    asking.close()
    return Schedule(caps, bill, spent, [reply.outcome for reply in replies])


@pytest.mark.parametrize("seeds", [15, pytest.param(100, marks=pytest.mark.slow)])
def test_over_random_schedules_the_bill_never_exceeds_the_cap(endpoint: Endpoint, tmp_path: Path, seeds: int) -> None:
    reached = 0
    for seed in range(seeds):
        found = schedule(endpoint, tmp_path / str(seed), seed)
        caps, bill, spent = found.caps, found.bill, found.spent
        assert found.usd <= (caps.usd or 1e9)
        assert bill.tokens_in + bill.tokens_out <= (caps.tokens or 1e9)
        assert len(bill.charged) <= (caps.calls or 1e9)
        assert len(bill.charged) == spent.calls + spent.maybe_paid_calls
        assert found.usd <= spent.usd + spent.maybe_paid_usd + 1e-12
        assert len(found.outcomes) == 40
        reached += Outcome.OVER_BUDGET in found.outcomes
    assert 0.2 < reached / seeds < 1.0
