"""Rate limits, failing servers and caps, proved by the server's bill."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.flow import Flow
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, Sampling
from dataflywheel.models.spec import ModelSpec, Price
from dataflywheel.store.answer_ledger import Caps
from dataflywheel.store.answers import AnswerStore
from tests.support.endpoint import Bill, Endpoint
from tests.support.endpoint.faults import LOST

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
    """Answers a second after the warm-up, without the last second, in which refused questions wait out their pause."""
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
    late = [at for at in times if times[0] + warm_up < at < times[-1] - 1.0]
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
    assert max(by_key.values()) <= 6  # those to which nobody was answered meanwhile do not count
    again = asking.ask(Request.chat(f"[[say:row {i}]]") for i in range(500))
    assert sum(reply.cached for reply in again) == 500 - failed


ROWS = 25
LONGEST = 30.0
"""Seconds within which a schedule ends, or it hangs."""


@dataclass
class Schedule:
    """Questions under a cap, to a server that loses, fails and delays replies and tells an odd usage."""

    endpoint: Endpoint
    folder: Path
    seed: int

    @property
    def said(self) -> list[str]:
        return [f"row {i} of {self.seed}" for i in range(ROWS)]

    def caps(self, draw: random.Random) -> Caps:
        """One cap or several, some of them zero or below one question, some over all that is asked."""
        usd = draw.choice([0.0, 1e-9, draw.uniform(0.0, 0.02), draw.uniform(0.02, 0.5), 100.0])
        tokens = draw.choice([0, draw.randint(1, 40), draw.randint(200, 4000), 10**9])
        calls = draw.choice([0, 1, draw.randint(2, 60), 10**6])
        named = draw.sample(["usd", "tokens", "calls"], draw.randint(1, 3))
        return Caps(
            usd if "usd" in named else None, tokens if "tokens" in named else None, calls if "calls" in named else None
        )

    def ask(self, caps: Caps, draw: random.Random) -> list[Reply]:
        """All questions, asked once more by a client of its own."""
        pace = Pace(backoff=0.002, probe=0.005, pause_most=0.01, concurrency=draw.randint(1, 64))
        asking = client(self.endpoint, self.folder, caps, pace)
        limits = random.Random(self.seed)
        questions = [Request.chat(said, sampling=Sampling(max_tokens=limits.randint(8, 60))) for said in self.said]
        found: list[Reply] = []
        thread = threading.Thread(target=lambda: found.extend(asking.ask(questions)), daemon=True)
        thread.start()
        thread.join(LONGEST)
        assert not thread.is_alive(), "it hangs"
        asking.close()
        return found

    def check(self, caps: Caps) -> Bill:
        """The server's bill, which no cap is under and which the ledger covers."""
        bill, spent = self.endpoint.bill(), AnswerStore(self.folder / "answers.db").spent("run")
        usd = bill.usd(PRICE.input, PRICE.output)
        assert caps.usd is None or usd <= caps.usd
        assert caps.tokens is None or bill.tokens_in + bill.tokens_out <= caps.tokens
        assert caps.calls is None or len(bill.charged) <= caps.calls
        assert len(bill.charged) == spent.calls + spent.maybe_paid_calls
        assert usd <= spent.usd + spent.maybe_paid_usd + 1e-12
        assert spent.reserved_calls == 0
        return bill

    def go(self) -> Counter[Outcome]:
        """Twice under the cap, then without one; gives what became of the questions under the cap."""
        draw = random.Random(self.seed)
        shares = {"reset_after": 0.03, "truncated_body": 0.03, "http_500": 0.05, "http_429": 0.05, "no_usage": 0.1}
        self.endpoint.reset()
        self.endpoint.configure(seed=self.seed, faults=shares | {"odd_usage": draw.choice([0.1, 0.5])})
        caps = self.caps(draw)
        for _ in range(2):
            found = self.ask(caps, draw)
            before = self.check(caps)
            assert len(found) == ROWS
            assert all(
                reply.text == (said if reply.answered else "") for reply, said in zip(found, self.said, strict=True)
            )
            assert all(reply.answered or reply.detail for reply in found)
            left = Counter(reply.outcome for reply in found)
        for _ in range(3):
            found = self.ask(Caps(), draw)
            self.check(Caps())
        assert [reply.text for reply in found] == self.said
        answered = {line.key for line in before.charged if line.fault not in LOST}
        again = [line.key for line in self.endpoint.bill().charged[len(before.charged) :]]
        assert not answered & set(again)
        return left


@pytest.mark.parametrize("seeds", [12, pytest.param(100, marks=pytest.mark.slow)])
def test_over_random_schedules_the_bill_never_exceeds_the_cap(endpoint: Endpoint, tmp_path: Path, seeds: int) -> None:
    found = [Schedule(endpoint, tmp_path / str(seed), seed).go() for seed in range(seeds)]
    reached = sum(Outcome.OVER_BUDGET in one for one in found)
    none = sum(one[Outcome.OVER_BUDGET] == ROWS for one in found)
    assert 0.2 < reached / seeds < 1.0
    assert 0 < none < reached
