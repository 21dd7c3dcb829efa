"""Questions that fail, however many and alone, are told from an endpoint that does by something harmless."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.breaker import EndpointDownError
from dataflywheel.models.endpoint.chat_model import RateLimitedError, TooSlowError, UnavailableError
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.flow import Flow
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.store.answer_ledger import Caps
from dataflywheel.store.answers import AnswerStore
from tests.models.endpoint.fake_model import FakeModel, echo, numbered

PACE = Pace(backoff=0.001, probe=0.001, attempts=3, breaker=5, quota=0.05, patience=0.3, pause_most=0.001)


def is_harmless(request: Request) -> bool:
    return request.messages[-1]["content"].startswith("Answer with this word alone")


def client(model: FakeModel, folder: Path, caps: Caps | None = None) -> Client:
    return Client(model, AnswerStore(folder / "answers.db"), caps, scope="run", flow=Flow(PACE))


@pytest.mark.parametrize("error", [UnavailableError("500: boom"), TooSlowError("no answer", maybe_paid=True)])
def test_what_is_left_after_a_kill_may_all_fail_and_the_run_still_ends(tmp_path: Path, error: Exception) -> None:
    asked: list[str] = []

    def act(request: Request, attempt: int) -> Reply | Exception:
        if is_harmless(request):
            asked.append(request.messages[-1]["content"])
            return echo(request, attempt)
        return error

    began = time.monotonic()
    replies = client(FakeModel(act), tmp_path).ask(numbered(60))
    seconds = time.monotonic() - began
    failed = Outcome.SERVER_ERROR if isinstance(error, UnavailableError) else Outcome.TIMED_OUT
    assert {reply.outcome for reply in replies} == {failed}
    assert 1 <= len(asked) == len(set(asked)) <= 6 + seconds  # not one for each question that fails
    assert AnswerStore(tmp_path / "answers.db").spent("run").calls == len(asked)


def test_an_endpoint_that_fails_at_something_harmless_too_is_down(tmp_path: Path) -> None:
    model = FakeModel(lambda request, attempt: UnavailableError("500: boom"))
    with pytest.raises(EndpointDownError, match="500: boom"):
        client(model, tmp_path).ask(numbered(60))


def test_without_room_under_a_cap_the_questions_are_the_probes(tmp_path: Path) -> None:
    model = FakeModel(lambda request, attempt: UnavailableError("500: boom"))
    with pytest.raises(EndpointDownError):
        client(model, tmp_path, Caps(calls=16)).ask(numbered(60))


def test_one_question_that_is_always_told_to_wait_holds_up_nothing(tmp_path: Path) -> None:
    """As one that is larger than what a whole minute allows is, at some providers."""

    def act(request: Request, attempt: int) -> Reply | Exception:
        return RateLimitedError("429: slow down") if "question 3" in str(request.messages) else echo(request, attempt)

    replies = client(FakeModel(act), tmp_path).ask(numbered(8))
    assert [i for i, reply in enumerate(replies) if not reply.answered] == [3]
    assert replies[3].outcome is Outcome.REJECTED
    assert replies[3].detail.startswith("refused while others are answered: ")
    spent = AnswerStore(tmp_path / "answers.db").spent("run")
    assert (spent.calls, spent.reserved_calls, spent.maybe_paid_calls) == (8, 0, 0)  # seven, and the harmless one


def test_a_quota_that_is_used_up_ends_the_run(tmp_path: Path) -> None:
    model = FakeModel(lambda request, attempt: RateLimitedError("429: no quota"))
    with pytest.raises(FlywheelError, match="quota is used up"):
        client(model, tmp_path).ask(numbered(3))
    assert AnswerStore(tmp_path / "answers.db").spent("run").reserved_calls == 0
