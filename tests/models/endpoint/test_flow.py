"""Flow under a virtual clock: slow start, decrease, pauses, backoff, breaker."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Coroutine
from email.utils import formatdate
from typing import Any, TypeVar

import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.breaker import EndpointDownError
from dataflywheel.models.endpoint.flow import Flow
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.models.endpoint.retry_after import retry_after

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Sleeping takes no time: the clock jumps to the next timer."""

    def __init__(self) -> None:
        self.now = 1000.0
        loop = self

        class Jump(selectors.DefaultSelector):
            def select(self, timeout: float | None = None) -> list[Any]:
                loop.now += timeout or 0.0
                return super().select(0)

        super().__init__(Jump())

    def time(self) -> float:
        return self.now


def run(work: Coroutine[Any, Any, T]) -> T:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(asyncio.wait_for(work, 100_000))
    finally:
        loop.close()


def test_concurrency_doubles_until_the_limit_when_nothing_is_refused() -> None:
    async def work() -> list[int]:
        flow, rounds = Flow(Pace(concurrency=64, start=8)), []
        for _ in range(8):
            rounds.append(int(flow.limit))
            entered = [await flow.enter() for _ in range(int(flow.limit))]
            await asyncio.sleep(0.1)
            for at in entered:
                flow.success(at)
                flow.leave()
        return rounds

    assert run(work()) == [8, 16, 16, 32, 32, 64, 64, 64]


def test_a_refusal_cuts_to_three_quarters_once_and_25_successes_give_one_back() -> None:
    async def work() -> tuple[float, float]:
        flow = Flow(Pace(start=64))
        entered = [await flow.enter() for _ in range(40)]
        for at in entered:
            flow.rate_limit(at, 0.0, 1)
            flow.leave()
        cut = flow.limit
        for _ in range(25):
            flow.success(await flow.enter())
            flow.leave()
        return cut, flow.limit

    assert run(work()) == (48.0, 49.0)


def test_a_long_pause_holds_for_all_and_an_absurd_one_is_capped() -> None:
    async def work() -> tuple[float, float]:
        flow = Flow(Pace(pause_most=60.0))
        pause = flow.rate_limit(await flow.enter(), 86_400.0, 1)
        flow.leave()
        before = asyncio.get_running_loop().time()
        await flow.enter()
        return pause, asyncio.get_running_loop().time() - before

    assert run(work()) == (60.0, pytest.approx(60.0))


def test_backoff_is_full_jitter_and_seeded() -> None:
    first, second = Flow(Pace(backoff=1.0, seed=3)), Flow(Pace(backoff=1.0, seed=3))
    drawn = [first.backoff(n) for n in range(1, 9)]
    assert drawn == [second.backoff(n) for n in range(1, 9)]
    for n, pause in enumerate(drawn, 1):
        assert 0 <= pause <= min(2 ** (n - 1), 30)
    many = [first.backoff(1) for _ in range(2000)]
    assert abs(sum(many) / 2000 - 0.5) < 0.03


def test_the_breaker_opens_on_a_run_of_failures_probes_and_closes() -> None:
    async def work() -> list[float]:
        flow = Flow(Pace(breaker=10, probe=1.0, start=64))
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(0)
        entered = [await flow.enter() for _ in range(30)]
        await asyncio.sleep(0.1)
        for at in entered:
            flow.failure(at)
            flow.leave()
        waits = []
        for answered in (False, True, True):  # two probes, then business as usual
            before = clock()
            at = await flow.enter()
            waits.append(clock() - before)
            flow.success(at) if answered else flow.failure(at)
            flow.leave()
        return waits

    assert run(work()) == [pytest.approx(1.0), pytest.approx(2.0), pytest.approx(0.0)]


def test_a_half_open_breaker_lets_one_request_through() -> None:
    async def work() -> int:
        flow = Flow(Pace(breaker=2, probe=1.0))
        for _ in range(2):
            at = await flow.enter()
            flow.failure(at)
            flow.leave()
        waiting = [asyncio.ensure_future(flow.enter()) for _ in range(20)]
        await asyncio.sleep(5)
        let_in = sum(one.done() for one in waiting)
        for one in waiting:
            one.cancel()
        return let_in

    assert run(work()) == 1


def test_a_question_that_always_fails_says_nothing_of_the_endpoint() -> None:
    async def work() -> float:
        began = asyncio.get_running_loop().time()
        flow = Flow(Pace(breaker=4, probe=1.0))
        for _ in range(20):
            for key in ("a", "b", "c"):
                at = await flow.enter()
                flow.failure(at, key)
                flow.leave()
        return asyncio.get_running_loop().time() - began

    assert run(work()) == 0.0


def test_a_probe_is_a_question_that_has_not_failed() -> None:
    async def work() -> str:
        flow = Flow(Pace(breaker=2, probe=1.0))
        for key in ("a", "b"):
            flow.failure(await flow.enter(), key)
            flow.leave()
        again = asyncio.ensure_future(flow.enter(again=True))
        fresh = asyncio.ensure_future(flow.enter())
        await asyncio.sleep(1.5)
        first = "fresh" if fresh.done() and not again.done() else "again"
        again.cancel()
        return first

    assert run(work()) == "fresh"


def test_an_endpoint_that_is_away_is_waited_for_longer_if_it_was_there_before() -> None:
    async def work(answered: bool) -> float:
        flow = Flow(Pace(patience=60.0, absent=5.0))
        if answered:
            flow.success(await flow.enter())
            flow.leave()
        began = asyncio.get_running_loop().time()

        async def ask() -> None:
            while True:
                at = await flow.enter()
                flow.leave()
                await asyncio.sleep(flow.away(at, "refused"))

        with pytest.raises(EndpointDownError, match="refused"):
            await ask()
        return asyncio.get_running_loop().time() - began

    assert 5.0 < run(work(False)) < 20.0
    assert 60.0 < run(work(True)) < 100.0


def test_answers_that_do_not_come_in_time_halve_what_is_asked_at_once_for_each_round() -> None:
    async def work() -> list[float]:
        flow = Flow(Pace(start=16))
        limits = []
        for _ in range(3):
            entered = [await flow.enter() for _ in range(int(flow.limit))]
            await asyncio.sleep(120)
            for key, at in enumerate(entered):
                flow.too_slow(at)
                flow.failure(at, key % 3)
                flow.leave()
            limits.append(flow.limit)
        return limits

    assert run(work()) == [8.0, 4.0, 2.0]


def test_a_429_does_not_open_the_breaker() -> None:
    async def work() -> None:
        flow = Flow(Pace(breaker=3, start=64))
        for _ in range(20):
            at = await flow.enter()
            flow.rate_limit(at, 0.0, 1)
            flow.leave()
        before = asyncio.get_running_loop().time()
        for _ in range(5):
            await flow.enter()
            flow.leave()
        assert asyncio.get_running_loop().time() - before < 6

    run(work())


def test_requests_fail_at_once_when_the_probes_keep_failing_and_the_endpoint_may_come_back() -> None:
    async def work() -> None:
        flow = Flow(Pace(breaker=2, probe=1.0, probe_most=8.0, patience=10.0, start=16))

        async def fail() -> None:
            for _ in range(2 + 5):
                at = await flow.enter()
                try:
                    flow.failure(at)
                finally:
                    flow.leave()

        with pytest.raises(EndpointDownError, match=r"answered nothing for 1\d.*patience"):
            await fail()
        with pytest.raises(EndpointDownError):
            await flow.enter()
        await asyncio.sleep(10)
        flow.success(await flow.enter())
        flow.leave()
        await asyncio.gather(*(flow.enter() for _ in range(10)))

    run(work())


def test_nothing_but_429_for_half_an_hour_ends_the_run() -> None:
    async def work() -> float:
        flow = Flow(Pace(quota=1800))
        began = asyncio.get_running_loop().time()

        async def wait_on() -> None:
            for _ in range(100_000):
                at = await flow.enter()
                flow.leave()
                await asyncio.sleep(flow.rate_limit(at, 20.0, 1))

        with pytest.raises(FlywheelError, match="30 minutes"):
            await wait_on()
        return asyncio.get_running_loop().time() - began

    assert 1800 <= run(work()) < 1900


@pytest.mark.parametrize(("limit", "burst", "latency"), [(20, 2, 0.03), (20, 20, 0.5), (5, 5, 2.0), (200, 10, 0.02)])
def test_the_pace_finds_the_servers_limit(limit: float, burst: int, latency: float) -> None:
    """A token bucket that tells whole seconds: 90 % of its limit after a minute, and few refusals."""

    async def work() -> tuple[float, float]:
        clock = asyncio.get_running_loop().time
        flow, draw = Flow(Pace(concurrency=64)), random.Random(0)
        bucket, at = float(burst), clock()
        served, refused = [], []

        async def one() -> None:
            nonlocal bucket, at
            again = False
            while True:
                entered = await flow.enter(again)
                await asyncio.sleep(draw.uniform(0, 0.003))
                bucket, at = min(bucket + (clock() - at) * limit, burst), clock()
                if bucket >= 1:
                    bucket -= 1
                    await asyncio.sleep(latency * draw.uniform(0.5, 1.5))
                    flow.success(entered)
                    flow.leave()
                    return served.append(clock())
                refused.append(clock())
                pause = flow.rate_limit(entered, 1.0, 1)
                flow.leave()
                again = True
                await asyncio.sleep(pause)

        began, tasks = clock(), set()
        while clock() < began + 120:
            while len(tasks) < 150:
                tasks.add(task := asyncio.ensure_future(one()))
                task.add_done_callback(tasks.discard)
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        late = began + 60
        return sum(x > late for x in served) / 60, sum(x > late for x in refused) / 60

    rate, refusals = run(work())
    assert 0.9 * limit <= rate <= 1.01 * limit
    assert refusals <= 0.2 * limit


def test_retry_after_in_all_its_forms() -> None:
    now = 1_700_000_000.0
    assert retry_after({"retry-after": "7"}, now) == 7.0
    assert retry_after({"retry-after-ms": "250", "retry-after": "7"}, now) == 0.25
    assert retry_after({"retry-after": formatdate(now + 30, usegmt=True)}, now) == 30.0
    assert retry_after({"retry-after": formatdate(now - 30, usegmt=True)}, now) == 0.0
    for strange in ("soon", "", "nan", "-", "1e999x", "Thu, 99 Foo 2099"):
        assert retry_after({"retry-after": strange}, now) is None
    assert retry_after({"retry-after": "-3"}, now) == 0.0
