"""On whose account models are asked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.models.endpoint.account import account, check_price, client_for
from dataflywheel.models.endpoint.progress import Progress
from dataflywheel.models.endpoint.request import Outcome, Request
from dataflywheel.models.spec import ModelSpec
from dataflywheel.signals.side_by_side import side_by_side
from dataflywheel.store.answer_ledger import Caps
from dataflywheel.store.answers import AnswerStore
from tests.support.endpoint import Endpoint


def test_without_an_account_nothing_is_asked() -> None:
    with pytest.raises(UsageError, match="with account"):
        client_for(ModelSpec(endpoint="http://localhost:1/v1", model="m"))


def test_signals_of_a_process_share_one_client_and_its_caps(endpoint: Endpoint, tmp_path: Path) -> None:
    spec, seen = ModelSpec(endpoint=endpoint.url, model="m", concurrency=4), list[Progress]()
    store = AnswerStore(tmp_path / "answers.db")
    with account(store, Caps(calls=5), "step", watch=seen.append):
        assert client_for(spec) is client_for(spec.model_copy())
        assert client_for(spec) is not client_for(spec.model_copy(update={"concurrency": 5}))
        replies = client_for(spec).ask(Request.chat(str(i)) for i in range(8))
        with account(store, scope="inner"):
            assert client_for(spec).ask([Request.chat("more")])[0].answered
        assert client_for(spec).ask([Request.chat("yet more")])[0].outcome is Outcome.OVER_BUDGET
    assert [reply.outcome for reply in replies].count(Outcome.OVER_BUDGET) == 3
    assert (store.spent("step").calls, store.spent("inner").calls) == (5, 1)
    whole = next(one for one in seen if one.done == 8)
    assert whole.by_outcome == {Outcome.ANSWERED: 5, Outcome.OVER_BUDGET: 3}
    assert len(endpoint.bill().charged) == 6


def test_a_cap_on_dollars_needs_a_price() -> None:
    spec = ModelSpec(endpoint="http://localhost:1/v1", model="m")
    with pytest.raises(UsageError, match="usd_per_mtok"):
        check_price(spec, Caps(usd=1.0))
    check_price(spec, Caps(usd=1.0, tokens=1000))
    check_price(ModelSpec.model_validate({**spec.model_dump(), "usd_per_mtok": {}}), Caps(usd=1.0))
    check_price(ModelSpec(hf="folder"), Caps(usd=1.0))


def test_two_runs_in_one_process_keep_each_to_its_own_cap(endpoint: Endpoint, tmp_path: Path) -> None:
    """The later account is no cover for what the earlier run asks, in its own thread or in those that work for it."""
    spec = ModelSpec(endpoint=endpoint.url, model="m")
    store, together = AnswerStore(tmp_path / "answers.db"), threading.Barrier(2)

    def asked(batch: pa.RecordBatch) -> pa.RecordBatch:
        found = client_for(spec).ask([Request.chat(text) for text in batch["text"].to_pylist()])
        return pa.record_batch([pa.array([reply.outcome.value for reply in found])], names=["outcome"])

    def run(name: str, cap: int) -> int:
        with account(store, Caps(calls=cap), name):
            together.wait(timeout=20)
            batches = [
                pa.record_batch([pa.array([f"{name} {i} {k}" for k in range(3)])], names=["text"]) for i in (0, 1)
            ]
            found = [one for batch in side_by_side(batches, asked) for one in batch["outcome"].to_pylist()]
            found.append(client_for(spec).ask([Request.chat(f"{name} at last")])[0].outcome.value)
            together.wait(timeout=20)
            return found.count("answered")

    with ThreadPoolExecutor(2) as pool:
        answered = [run.result(timeout=60) for run in (pool.submit(run, "one", 2), pool.submit(run, "other", 5))]
    assert answered == [2, 5]
    assert (store.spent("one").calls, store.spent("other").calls) == (2, 5)
