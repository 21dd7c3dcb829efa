"""The client over a model in memory: keys, store, single flight, caps, retries, order."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.models.endpoint.chat_model import RateLimitedError, RejectedError, TooSlowError, UnavailableError
from dataflywheel.models.endpoint.client import Client
from dataflywheel.models.endpoint.flow import Flow
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, Sampling
from dataflywheel.store.answer_ledger import Caps
from dataflywheel.store.answers import AnswerStore
from tests.models.endpoint.fake_model import FakeModel, echo, numbered

QUICK = Pace(backoff=0.001, probe=0.01, attempts=3)


def client(model: FakeModel, folder: Path, caps: Caps | None = None, pace: Pace = QUICK) -> Client:
    return Client(model, AnswerStore(folder / "answers.db"), caps, "test", Flow(pace))


CHANGES = [
    lambda r: Request.chat("question 0", "Be brief!"),
    lambda r: Request.chat("question 0.", "Be brief."),
    lambda r: Request.chat("question 0", "Be brief.", sample=1),
    lambda r: r.with_limit(513),
    *(
        lambda r, s=s: Request(r.messages, sampling=s)
        for s in (
            Sampling(temperature=0.1),
            Sampling(top_p=0.9),
            Sampling(stop=("\n",)),
            Sampling(seed=1),
            Sampling(top_logprobs=1),
        )
    ),
    lambda r: Request(r.messages, tools="[]"),
    lambda r: Request(r.messages, schema="{}"),
    lambda r: Request(prompt="question 0"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_every_part_of_a_request_is_in_its_key(change: object) -> None:
    request = Request.chat("question 0", "Be brief.")
    assert request.key("m") != change(request).key("m")  # type: ignore[operator]
    assert request.key("m") != request.key("n")


@given(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))
def test_keys_are_equal_only_for_equal_requests(a: str, b: str, c: str, d: str) -> None:
    assert (Request.chat(a, b).key("m") == Request.chat(c, d).key("m")) == ((a, b) == (c, d))


def test_whole_numbers_are_the_same_temperature() -> None:
    one = Request.chat("x", sampling=Sampling(temperature=1))
    assert one.key("m") == Request.chat("x", sampling=Sampling(temperature=1.0)).key("m")


def test_answers_come_in_order_and_are_paid_once(tmp_path: Path) -> None:
    model = FakeModel(seconds=0.002)
    first = client(model, tmp_path).ask(numbered(300))
    assert [reply.text for reply in first] == [f"echo question {i}" for i in range(300)]
    assert not any(reply.cached for reply in first)
    again = client(model, tmp_path).ask(numbered(300))
    assert model.calls == 300
    assert all(reply.cached for reply in again)
    assert [(r.text, r.key, r.tokens_in, r.usd) for r in again] == [(r.text, r.key, r.tokens_in, r.usd) for r in first]


def test_a_changed_system_text_asks_all_and_one_more_row_asks_one(tmp_path: Path) -> None:
    model = FakeModel()
    asking = client(model, tmp_path)
    asking.ask(numbered(50, "Be brief."))
    asking.ask(numbered(51, "Be brief.")[::-1])
    assert model.calls == 51
    asking.ask(numbered(50, "Be kind."))
    assert model.calls == 101


def test_a_hundred_equal_requests_are_one_call(tmp_path: Path) -> None:
    model = FakeModel(seconds=0.05)
    asking = client(model, tmp_path)
    found: list[Reply] = []
    threads = [threading.Thread(target=lambda: found.extend(asking.ask(numbered(1) * 10))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 100
    assert {reply.text for reply in found} == {"echo question 0"}
    assert model.calls == 1
    assert asking.progress().by_outcome == {Outcome.ANSWERED: 100}


def test_failures_are_kept_apart_and_asked_again_by_the_next_run(tmp_path: Path) -> None:
    def act(request: Request, attempt: int) -> Reply | Exception:
        asked = request.messages[-1]["content"].startswith("question")
        return UnavailableError("500") if asked else echo(request, attempt)

    down = FakeModel(act)
    failed = client(down, tmp_path, pace=Pace(backoff=0.001, probe=0.001, attempts=2)).ask(numbered(3))
    assert {reply.outcome for reply in failed} == {Outcome.SERVER_ERROR}
    assert {reply.text for reply in failed} == {""}
    assert {down.sent[reply.key] for reply in failed} == {2}
    store = AnswerStore(tmp_path / "answers.db")
    kept = store.explain(bytes.fromhex(failed[0].key))
    assert kept is not None
    assert kept["outcome"] == "server error"
    assert store.find(bytes.fromhex(failed[0].key)) is None
    assert all(reply.answered and not reply.cached for reply in client(FakeModel(), tmp_path).ask(numbered(3)))


def test_questions_that_always_fail_take_no_other_with_them(tmp_path: Path) -> None:
    def act(request: Request, attempt: int) -> Reply | Exception:
        poison = request.messages[-1]["content"] in {"question 0", "question 1", "question 2"}
        return UnavailableError("500") if poison else echo(request, attempt)

    requests = numbered(40)
    pace = Pace(backoff=0.001, probe=0.01, attempts=5, breaker=10)
    client(FakeModel(), tmp_path).ask(requests[3:30])  # most healthy ones are answered from the store
    replies = client(FakeModel(act), tmp_path, pace=pace).ask(requests)
    assert [reply.outcome for reply in replies[:3]] == [Outcome.SERVER_ERROR] * 3
    assert all(reply.answered for reply in replies[3:])


def test_an_endpoint_that_fails_at_every_question_ends_the_run_and_unsent_ones_have_not_failed(tmp_path: Path) -> None:
    down = FakeModel(lambda request, attempt: UnavailableError("500: out of memory"))
    pace = Pace(start=2, concurrency=2, backoff=0.001, probe=0.001, attempts=2, breaker=5, patience=0.2)
    asking = client(down, tmp_path, pace=pace)
    with pytest.raises(FlywheelError, match=r"answered nothing for .*500: out of memory. .*same command goes on"):
        asking.ask(numbered(100))
    asking.close()
    store = AnswerStore(tmp_path / "answers.db")
    kept = [store.explain(bytes.fromhex(request.key("fake@nowhere"))) for request in numbered(100)]
    assert all(record is None for record in kept)
    assert down.calls < 300
    assert store.spent("test").reserved_calls == 0


def test_one_record_that_cannot_be_written_loses_no_other(tmp_path: Path) -> None:
    def act(request: Request, attempt: int) -> Reply:
        reply = echo(request, attempt)
        return replace(reply, tokens_in=2**63) if request.messages[-1]["content"] == "question 7" else reply

    model = FakeModel(act)
    asking = client(model, tmp_path, pace=Pace(start=16))
    with pytest.raises(OverflowError):
        asking.ask(numbered(16))
    asking.close()
    store = AnswerStore(tmp_path / "answers.db")
    assert (store.spent("test").reserved_calls, store.spent("test").maybe_paid_calls) == (0, 1)
    assert model.calls == 16
    healthy = FakeModel()
    assert len(client(healthy, tmp_path).ask(numbered(16))) == 16
    assert healthy.calls == 1


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.FILTERED])
def test_a_refusal_is_an_outcome_and_is_not_asked_again_unless_told(tmp_path: Path, outcome: Outcome) -> None:
    model = FakeModel(lambda request, attempt: Reply(outcome, "no", tokens_in=1, tokens_out=1))
    for _ in range(2):
        assert client(model, tmp_path).ask(numbered(1))[0].outcome is outcome
    assert model.calls == 1
    store = AnswerStore(tmp_path / "answers.db")
    assert Client(model, store, again=frozenset({outcome})).ask(numbered(1))[0].outcome is outcome
    assert model.calls == 2


def cut_below(limit: int) -> FakeModel:
    def act(request: Request, attempt: int) -> Reply:
        short = request.sampling.max_tokens < limit
        return Reply(Outcome.TRUNCATED if short else Outcome.ANSWERED, "half", tokens_in=9, tokens_out=9)

    return FakeModel(act)


def test_a_cut_answer_is_asked_once_more_with_twice_the_limit(tmp_path: Path) -> None:
    request = Request.chat("x", sampling=Sampling(max_tokens=100))
    model = cut_below(200)
    reply = client(model, tmp_path).ask([request])[0]
    assert reply.answered
    assert reply.key == request.with_limit(200).key(model.identity)
    assert client(model, tmp_path).ask([request])[0].cached
    assert model.calls == 2


def test_an_answer_that_is_cut_twice_is_truncated(tmp_path: Path) -> None:
    model = cut_below(10_000)
    for _ in range(2):
        assert client(model, tmp_path).ask(numbered(1))[0].outcome is Outcome.TRUNCATED
    assert model.calls == 2


def test_the_beginning_is_enough_where_log_probabilities_are_asked_for(tmp_path: Path) -> None:
    model = cut_below(10_000)
    model.capabilities = type(model.capabilities)(logprobs=True)
    request = Request.chat("x", sampling=Sampling(max_tokens=4, top_logprobs=5))
    assert client(model, tmp_path).ask([request])[0].outcome is Outcome.TRUNCATED
    assert model.calls == 1


def test_429_delays_and_is_no_attempt(tmp_path: Path) -> None:
    def act(request: Request, attempt: int) -> Reply | Exception:
        return RateLimitedError("429", 0.001) if attempt <= 4 else echo(request, attempt)

    asking = client(FakeModel(act), tmp_path)
    assert all(reply.answered for reply in asking.ask(numbered(2)))
    assert asking.progress().rate_limited == 8


def test_a_rejected_request_is_sent_once(tmp_path: Path) -> None:
    model = FakeModel(lambda request, attempt: RejectedError("400: too long"))
    reply = client(model, tmp_path).ask(numbered(1))[0]
    assert (reply.outcome, reply.detail, model.calls) == (Outcome.REJECTED, "400: too long", 1)


def test_text_that_is_no_unicode_is_rejected_without_sending(tmp_path: Path) -> None:
    model = FakeModel()
    replies = client(model, tmp_path).ask([Request.chat("a\ud800b"), Request.chat("fine")])
    assert [reply.outcome for reply in replies] == [Outcome.REJECTED, Outcome.ANSWERED]


def test_missing_usage_and_lost_replies_count_at_their_worst(tmp_path: Path) -> None:
    def act(request: Request, attempt: int) -> Reply | Exception:
        return TooSlowError("late", maybe_paid=True) if attempt == 1 else Reply(Outcome.ANSWERED, "x")

    asking = client(FakeModel(act), tmp_path)
    reply = asking.ask([Request.chat("x", sampling=Sampling(max_tokens=7))])[0]
    assert (reply.tokens_in, reply.tokens_out) == (20, 7)
    spent = AnswerStore(tmp_path / "answers.db").spent("test")
    worst = (20 * 1.0 + 7 * 2.0) / 1e6
    assert (spent.calls, spent.usd, spent.maybe_paid_calls, spent.maybe_paid_usd) == (1, worst, 1, worst)
    assert spent.reserved_calls == 0


def test_what_a_model_cannot_do_is_refused_before_any_call(tmp_path: Path) -> None:
    model = FakeModel()
    for request in (Request(prompt="x"), Request.chat("x", sampling=Sampling(top_logprobs=2))):
        with pytest.raises(UsageError, match="does not offer"):
            client(model, tmp_path).ask([request])
    assert model.calls == 0


@pytest.mark.parametrize("seed", range(30))
def test_no_schedule_exceeds_a_cap(tmp_path: Path, seed: int) -> None:
    """Each reply costs less than its worst case; a tenth of those that are paid are lost."""
    draw = random.Random(seed)
    paid = {"calls": 0, "tokens": 0}

    def act(request: Request, attempt: int) -> Reply | Exception:
        kind = draw.random()
        if kind < 0.15:
            return UnavailableError("500")
        if kind < 0.16:
            return RateLimitedError("429", 0.001)
        written = draw.randint(1, request.sampling.max_tokens)
        paid["calls"] += 1
        paid["tokens"] += 15 + written
        if kind < 0.35:
            return UnavailableError("reset", maybe_paid=True)
        outcome = Outcome.TRUNCATED if kind < 0.4 else Outcome.ANSWERED
        return Reply(outcome, "x", tokens_in=15, tokens_out=written)

    caps = Caps(tokens=draw.randint(300, 6000)) if seed % 2 else Caps(calls=draw.randint(10, 120))
    model = FakeModel(act, seconds=0.001)
    asking = client(model, tmp_path, caps, Pace(backoff=0.001, concurrency=draw.choice([1, 7, 64])))
    requests = [Request.chat(f"q{i}", sampling=Sampling(max_tokens=draw.randint(10, 60))) for i in range(100)]
    replies = asking.ask(requests)
    assert paid["calls"] <= (caps.calls or 10**9)
    assert paid["tokens"] <= (caps.tokens or 10**9)
    assert len(replies) == 100
    over = [reply for reply in replies if reply.outcome is Outcome.OVER_BUDGET]
    spent = AnswerStore(tmp_path / "answers.db").spent("test")
    assert spent.reserved_calls == 0
    assert spent.calls + spent.maybe_paid_calls == paid["calls"]
    if over:
        # The cap is used, as far as worst cases let it.
        room = caps.calls - spent.calls - spent.maybe_paid_calls if caps.calls else 0
        assert room == 0
        if caps.tokens:
            assert caps.tokens - spent.tokens_in - spent.tokens_out - spent.maybe_paid_tokens < 20 + 2 * 60


def test_a_cap_that_is_reached_exactly_lets_all_through(tmp_path: Path) -> None:
    """Ten calls of 0.1 dollars under a cap of one dollar: sums are exact."""
    model = FakeModel(lambda request, attempt: Reply(Outcome.ANSWERED, "x", tokens_in=20, tokens_out=80))
    model.price = type(model.price)(input=1000.0, output=1000.0)
    requests = [Request.chat(str(i), sampling=Sampling(max_tokens=80)) for i in range(11)]
    outcomes = [reply.outcome for reply in client(model, tmp_path, Caps(usd=1.0)).ask(requests)]
    assert sorted(outcomes) == [Outcome.ANSWERED] * 10 + [Outcome.OVER_BUDGET]
