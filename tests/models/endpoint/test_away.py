"""A server that goes away and comes back: waited for, nothing lost, frozen in or paid twice; or the way out told."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import dataflywheel as fw
from dataflywheel.models.endpoint import account
from dataflywheel.models.endpoint.breaker import EndpointDownError
from dataflywheel.models.endpoint.chat_model import AwayError, DroppedError, TooSlowError, UnavailableError
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.flow import Flow
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.models.endpoint.progress import Progress
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.store.answers import AnswerStore
from tests.evolution.judging.scripted import KNOWS, spec, two_files
from tests.models.endpoint.fake_model import FakeModel, echo, numbered
from tests.recipe.jobs import write_pool
from tests.support.endpoint import Endpoint

CONCURRENCY = 4
QUICK = Pace(probe=0.01, probe_most=0.05, backoff=0.001, attempts=2, patience=0.5)


def is_harmless(request: Request) -> bool:
    return request.messages[-1]["content"].startswith("Answer with this word alone")


class Outage:
    """A model that fails in the same way at everything between its `first` and `last` call."""

    def __init__(self, error: Exception, first: int, last: int) -> None:
        self.error, self.first, self.last, self.calls = error, first, last, 0

    def __call__(self, request: Request, attempt: int) -> Reply | Exception:
        self.calls += 1
        return self.error if self.first <= self.calls <= self.last else echo(request, attempt)


ERRORS = [
    AwayError("ConnectError: refused"),
    DroppedError("503: Loading model"),
    DroppedError("ReadError: reset", maybe_paid=True),
    UnavailableError("500: out of memory"),
    TooSlowError("no answer", maybe_paid=True),
]


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_an_outage_uses_no_attempt(tmp_path: Path, error: Exception, concurrency: int) -> None:
    """30 calls fail alike, of questions that are tried twice: none is given up."""
    pace = replace(QUICK, concurrency=concurrency, patience=20.0)
    asking = Client(FakeModel(Outage(error, 4, 33)), AnswerStore(tmp_path / "a.db"), scope="run", flow=Flow(pace))
    assert all(reply.answered for reply in asking.ask(numbered(12)))
    assert AnswerStore(tmp_path / "a.db").failed == {}


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_a_server_that_stays_away_ends_the_run_with_the_way_out(tmp_path: Path, error: Exception) -> None:
    model, seen = FakeModel(Outage(error, 4, 10**9)), list[Progress]()
    flow = Flow(replace(QUICK, patience=2.5), "http://somewhere/v1 (model m)")
    asking = Client(model, AnswerStore(tmp_path / "a.db"), flow=flow, watch=seen.append)
    with pytest.raises(EndpointDownError) as ended:
        asking.ask(numbered(12))
    told = str(ended.value)
    assert "http://somewhere/v1 (model m)" in told
    assert str(error) in told
    assert "patience" in told
    assert "the same command goes on" in told
    assert any("is away" in one.trouble and str(error) in one.trouble for one in seen)
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        assert db.execute("SELECT count(*) FROM failures").fetchone() == (0,)
    assert all(reply.answered for reply in Client(FakeModel(), AnswerStore(tmp_path / "a.db")).ask(numbered(12)))


@pytest.mark.parametrize("others", [0, 6])
@pytest.mark.parametrize("error", [e for e in ERRORS if not isinstance(e, AwayError | TooSlowError)], ids=str)
def test_a_question_that_fails_alone_is_that_questions_failure(tmp_path: Path, error: Exception, others: int) -> None:
    def act(request: Request, attempt: int) -> Reply | Exception:
        return error if request.messages[-1]["content"] == "question 0" else echo(request, attempt)

    model = FakeModel(act, seconds=0.002)
    replies = Client(model, AnswerStore(tmp_path / "a.db"), flow=Flow(QUICK)).ask(numbered(1 + others))
    assert [reply.outcome for reply in replies] == [Outcome.SERVER_ERROR, *[Outcome.ANSWERED] * others]
    assert str(error) in replies[0].detail


def test_a_question_whose_answer_is_always_late_is_given_up_when_patience_ends(tmp_path: Path) -> None:
    def act(request: Request, attempt: int) -> Reply | Exception:
        late = request.messages[-1]["content"] == "question 0"
        return TooSlowError("no answer within 0.1 s", maybe_paid=True) if late else echo(request, attempt)

    model = FakeModel(act, seconds=0.02)
    late, *others = Client(model, AnswerStore(tmp_path / "a.db"), flow=Flow(QUICK)).ask(numbered(5))
    assert late.outcome is Outcome.TIMED_OUT
    assert "while others are answered" in late.detail
    assert model.sent[late.key] > QUICK.attempts
    assert all(reply.answered for reply in others)


def test_a_model_at_an_address_that_answered_for_another_is_waited_for_as_long(tmp_path: Path) -> None:
    """As where a server goes away between the steps of a run that ask different models there."""
    spec, other = (ModelSpec(endpoint="http://x/v1", model=name) for name in ("m", "other"))
    with account.account(AnswerStore(tmp_path / "a.db")):
        flows = [account.client_for(one)._caller.flow for one in (spec, other)]
        for flow in flows:
            flow._breaker.away(0.0, 0.0, "refused")
        assert [flow._breaker.gave_up(11.0) for flow in flows] == [True, True]
        flows[0]._breaker.answered()
        assert [flow._breaker.gave_up(11.0) for flow in flows] == [False, False]
        assert [flow._breaker.gave_up(601.0) for flow in flows] == [False, True]


def test_patience_that_is_given_holds_for_a_server_that_was_never_there() -> None:
    usual, given = (ModelSpec(endpoint="http://x/v1", model="m", **more) for more in ({}, {"patience": 3600}))
    assert (account.pace_of(usual).absent, account.pace_of(usual).patience) == (10, 600)
    assert (account.pace_of(given).absent, account.pace_of(given).patience) == (3600, 3600)
    assert usual.model_dump_json() == given.model_dump_json()  # no fingerprint depends on it


class Restarts:
    """Kills a server while something asks it, at random numbers of requests, and starts it again a moment later."""

    def __init__(self, endpoint: Endpoint, seed: int = 0) -> None:
        self.endpoint, self.draw, self.over = endpoint, random.Random(seed), threading.Event()
        self.kills: list[int] = []
        """Lines on the bill when the server was killed."""

    def during(self, work: Callable[[], Any], moments: list[int]) -> Any:
        killer = threading.Thread(target=self._kill, args=(sorted(moments),))
        killer.start()
        try:
            return work()
        finally:
            self.over.set()
            killer.join()

    def _kill(self, moments: list[int]) -> None:
        for moment in moments:
            while len(self.endpoint.written()) < moment:
                if self.over.wait(0.005):
                    return
            self.endpoint.kill()
            self.kills.append(len(self.endpoint.written()))
            time.sleep(self.draw.uniform(0.0, 0.3))
            self.endpoint.again()

    def paid_twice(self) -> list[int]:
        """Places on the bill of charges that were made again, though their answer was not on its way at a kill."""
        lines = self.endpoint.written()
        later = [{line.key for line in lines[i + 1 :] if line.billed} for i in range(len(lines))]
        again = [i for i, line in enumerate(lines) if line.billed and line.key in later[i]]
        return [i for i in again if not any(kill - CONCURRENCY <= i < kill for kill in self.kills)]


def writing(endpoint: Endpoint, folder: Path, name: str) -> Any:
    """Ratings and two steps that write: the rows, and what each step says of failures."""
    model = {"endpoint": endpoint.url, "concurrency": CONCURRENCY}
    recipe = recipe_from(
        {
            "name": "job",
            "pool": [{"path": str(folder / "pool.jsonl")}],
            "models": {"embedder": "static", "teacher": {**model, "model": "writer"}},
            "signals": {"alpagasus": {"model": {**model, "model": "grader"}}},
            "steps": [
                {"select": {"by": {"rated": {"score": "alpagasus.score"}}, "keep": 12}},
                {"enhance": {"by": {"revision": {"revise": "answer"}}, "gates": ["format_and_length"]}},
                {"generate": {"by": "grounded_questions", "rows": 6, "visits": 2, "gates": ["format_and_length"]}},
            ],
        }
    )
    result = run(recipe, runs=folder / name, home=folder / f"{name}-store")
    said = [json.loads(path.read_text())["details"].get("again") for path in result.path.glob("round-1/*/metrics.json")]
    return (result.path / "dataset/train.jsonl").read_bytes(), set(said)


def judging(endpoint: Endpoint, folder: Path, name: str) -> Any:
    files = two_files(folder)
    found = fw.judge(
        *files, {**spec(endpoint), "concurrency": CONCURRENCY}, home=folder / f"{name}-store", resamples=10
    )
    return found.judgements


PLANS: dict[Callable[[Endpoint, Path, str], Any], dict[str, Any]] = {
    writing: {
        "rules": [
            {"rule": "rater", "model": "grader", "low": 0, "high": 5, "template": "$score\nBecause."},
            {"rule": "writer", "errors": 0.2},
        ],
    },
    judging: {"rules": [*KNOWS, {"rule": "judge"}]},
}


@pytest.mark.parametrize("moments", [3, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.parametrize("work", PLANS, ids=lambda work: work.__name__)
def test_a_server_that_is_killed_and_started_again_changes_nothing(
    work: Callable[[Endpoint, Path, str], Any], moments: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = account.pace_of
    quick = {"probe": 0.1, "probe_most": 0.5, "backoff": 0.05, "absent": 60.0}  # a loaded machine starts it slowly
    monkeypatch.setattr(account, "pace_of", lambda spec: replace(usual(spec), **quick))
    write_pool(tmp_path, rows=30)
    plan = {**PLANS[work], "latency": {"median_ms": 20, "sigma": 0.3}}
    with Endpoint(tmp_path / "calm.jsonl", **plan) as endpoint:
        undisturbed = work(endpoint, tmp_path, "calm")
        answered = len(endpoint.written())
    with Endpoint(tmp_path / "bill.jsonl", **plan) as endpoint:
        restarts = Restarts(endpoint)
        at = random.Random(moments).sample(range(1, answered - 1), moments)
        assert restarts.during(lambda: work(endpoint, tmp_path, "killed"), at) == undisturbed
        assert len(restarts.kills) == moments
        assert restarts.paid_twice() == []
    with closing(sqlite3.connect(tmp_path / "killed-store/answers.db")) as db:
        assert db.execute("SELECT count(*) FROM failures").fetchone() == (0,)
