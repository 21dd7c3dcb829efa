"""A client's streams: taken lazily, watched, ended early, closed while others wait."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.flow import Flow
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.models.endpoint.progress import Progress
from dataflywheel.models.endpoint.request import Request
from dataflywheel.store.answer_ledger import Caps
from dataflywheel.store.answers import AnswerStore
from tests.models.endpoint.fake_model import FakeModel, numbered
from tests.models.endpoint.test_client import client


def test_requests_are_taken_lazily_and_an_early_end_sends_no_more(tmp_path: Path) -> None:
    taken = itertools.count()

    def endless() -> Iterator[Request]:
        for i in taken:
            yield Request.chat(f"question {i}")

    model = FakeModel(seconds=0.001)
    stream = client(model, tmp_path, pace=Pace(concurrency=8)).stream(endless())
    seen = {index: reply.text for index, reply in itertools.islice(stream, 500)}
    stream.close()  # type: ignore[attr-defined]
    assert all(text == f"echo question {index}" for index, text in seen.items())
    assert next(taken) < 500 + 2 * 8 + 64 + 1
    assert model.peak <= 8


def test_what_is_under_way_when_a_client_closes_is_taken_in(tmp_path: Path) -> None:
    model = FakeModel(seconds=0.2)
    asking = client(model, tmp_path)
    for _ in asking.stream(numbered(500)):
        break
    asking.close()
    spent = AnswerStore(tmp_path / "answers.db").spent("test")
    assert 1 < spent.calls == model.calls < 500
    assert spent.reserved_calls == spent.maybe_paid_calls == 0


def test_progress_is_shown_while_replies_come_fast(tmp_path: Path) -> None:
    seen: list[Progress] = []
    answers = AnswerStore(tmp_path / "answers.db")
    pace = Pace(concurrency=4, start=4)
    asking = Client(FakeModel(seconds=0.02), answers, Caps(usd=9), "test", Flow(pace), watch=seen.append)
    asking.ask(numbered(400))
    assert len([one for one in seen if 0 < one.done < 400]) >= 2
    assert (seen[-1].done, seen[-1].in_flight, seen[-1].tokens, seen[-1].cap.usd) == (400, 0, 6000, 9)
    assert [one.done for one in seen] == sorted(one.done for one in seen)


def test_a_client_that_closes_sends_nothing_more_and_tells_who_waits(tmp_path: Path) -> None:
    model = FakeModel(seconds=0.05)
    asking = client(model, tmp_path, pace=Pace(concurrency=4, start=4))
    errors: list[Exception] = []

    def wait() -> None:
        try:
            asking.ask(numbered(2000))
        except FlywheelError as error:
            errors.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.3)
    asking.close()
    thread.join(5)
    assert not thread.is_alive()
    assert "what was answered is kept" in str(errors[0])
    sent = model.calls
    assert 4 < sent < 200
    time.sleep(0.2)
    spent = AnswerStore(tmp_path / "answers.db").spent("test")
    assert (spent.calls, spent.reserved_calls, spent.maybe_paid_calls) == (sent, 0, 0)
    assert model.calls == sent


def test_a_fatal_error_ends_the_run_and_reserves_nothing(tmp_path: Path) -> None:
    asking = client(FakeModel(lambda request, attempt: FlywheelError("no such model")), tmp_path)
    with pytest.raises(FlywheelError, match="no such model"):
        asking.ask(numbered(200))
    assert AnswerStore(tmp_path / "answers.db").spent("test").calls == 0
