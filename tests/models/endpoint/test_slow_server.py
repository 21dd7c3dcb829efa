"""Servers with few slots: nothing times out that only waits for its turn, and no more is asked than is of use."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from pathlib import Path

import pytest

from dataflywheel.models.endpoint.account import pace_of
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.flow import Flow
from dataflywheel.models.endpoint.growth import Growth
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.models.endpoint.request import Outcome, Request
from dataflywheel.models.endpoint.served import Served
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answers import AnswerStore
from tests.models.endpoint.test_flow import run
from tests.support.endpoint import Endpoint

SIZES = [
    pytest.param(1.6, 12, 3.0, id="short"),
    pytest.param(10.0, 24, 13.0, id="10 s an answer", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("seconds", "count", "timeout"), SIZES)
def test_a_server_with_two_slots_is_kept_busy_and_nothing_times_out(
    endpoint: Endpoint, tmp_path: Path, seconds: float, count: int, timeout: float
) -> None:
    """The timeout is little more than one answer takes, and the last of four in a queue takes two."""
    endpoint.configure(slots=2, latency={"median_ms": 1000 * seconds})
    spec = ModelSpec(endpoint=endpoint.url, model="m", timeout=timeout)
    asking = Client(OpenAIEndpoint(spec), AnswerStore(tmp_path / "answers.db"), scope="run", flow=Flow(pace_of(spec)))
    asking.ask([Request.chat("a first answer, for which the transport is loaded")])
    began = time.monotonic()
    replies = asking.ask([Request.chat(f"[[say:row {i}]]") for i in range(count)])
    rate = count / (time.monotonic() - began)
    assert [reply.text for reply in replies] == [f"row {i}" for i in range(count)]
    assert rate >= 0.8 * 2 / seconds
    assert asking.progress().retries == 0
    assert len(endpoint.bill().lines) == count + 1
    assert AnswerStore(tmp_path / "answers.db").spent("run").maybe_paid_calls == 0


@pytest.mark.parametrize("slots", [1, 2, 5, 12, 64])
def test_as_much_is_asked_at_a_time_as_brings_more_answers(slots: int) -> None:
    async def work() -> tuple[float, float]:
        flow, places, done = Flow(Pace()), asyncio.Semaphore(slots), 0

        async def one() -> None:
            nonlocal done
            entered = await flow.enter()
            async with places:
                await asyncio.sleep(1.0)
            flow.success(entered)
            flow.leave()
            done += 1

        tasks = [asyncio.ensure_future(one()) for _ in range(150 * slots)]
        await asyncio.sleep(50)
        before, limits = done, []
        for _ in range(50):
            await asyncio.sleep(1.0)
            limits.append(flow.limit)
        for task in tasks:
            task.cancel()
        return (done - before) / 50, sum(limits) / len(limits)

    rate, limit = run(work())
    assert rate >= 0.8 * slots
    assert limit <= max(2.6 * slots, 8)


def test_a_number_that_brought_nothing_is_taken_back_and_tried_again_later_and_later() -> None:
    growth, limit, now, limits = Growth(), 8.0, 0.0, []
    for _ in range(60):
        entered, now, asked = now, now + limit / 8, limit  # eight answers a second, however many are asked
        for _ in range(int(asked)):
            limit = growth.answered(now, entered, int(asked), limit, 64)
        limits.append(limit)
    raised = [i for i, (a, b) in enumerate(pairwise(limits)) if b > a]
    gaps = [b - a for a, b in pairwise(raised)]
    assert set(limits) == {8.0, 16.0}
    assert gaps == sorted(gaps)
    assert gaps[-1] > gaps[0]


def test_the_clock_runs_from_when_a_request_can_have_been_begun() -> None:
    async def work() -> list[str]:
        served, ended = Served(timeout=10.0, longest=60.0), []

        async def one(name: str, seconds: float, alive_every: float = 0.0) -> None:
            try:
                async with served.turn() as turn:
                    while seconds > 0:
                        step = min(alive_every or seconds, seconds)
                        await asyncio.sleep(step)
                        seconds -= step
                        if alive_every:
                            turn.alive()
                ended.append(name)
            except TimeoutError:
                ended.append(f"{name} too slow")

        async def all_at_once(*each: tuple[str, float, float]) -> None:
            await asyncio.gather(*(one(*given) for given in each))

        await all_at_once(("first", 9.0, 0.0), ("behind it", 18.0, 0.0), ("behind both", 27.0, 0.0))
        await all_at_once(("hangs", 1000.0, 0.0), ("behind", 15.0, 0.0))
        await all_at_once(("drips", 40.0, 8.0), ("drips for ever", 1000.0, 8.0))
        await all_at_once(("ahead", 9.0, 0.0), ("overtaken once", 18.0, 0.0), ("quick", 1.0, 0.0))
        more = [(f"answer {i}", 2.0 * i, 0.0) for i in range(1, 5)]
        await all_at_once(("first", 9.0, 0.0), ("hangs", 1000.0, 0.0), *more)
        return ended

    assert run(work()) == [
        "first", "behind it", "behind both",
        "hangs too slow", "behind",
        "drips", "drips for ever too slow",
        "quick", "ahead", "overtaken once",
        "answer 1", "answer 2", "answer 3", "answer 4", "first", "hangs too slow",
    ]  # fmt: skip


def test_a_question_that_hangs_while_others_are_answered_is_given_up(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(script=[{"fault": "hang", "match": "hang", "attempts": []}], latency={"median_ms": 50})
    spec = ModelSpec(endpoint=endpoint.url, model="m", timeout=0.5, patience=1.2)
    pace = Pace(patience=1.2, backoff=0.01)
    asking = Client(OpenAIEndpoint(spec), AnswerStore(tmp_path / "answers.db"), flow=Flow(pace))
    hung, *others = asking.ask([Request.chat(text) for text in ("hang", *(f"row {i}" for i in range(20)))])
    assert hung.outcome is Outcome.TIMED_OUT
    assert "allow more by `timeout`" in hung.detail
    assert all(reply.answered for reply in others)
