"""On whose account models are asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.models.endpoint.account import account, check_price, client_for
from dataflywheel.models.endpoint.progress import Progress
from dataflywheel.models.endpoint.request import Outcome, Request
from dataflywheel.models.spec import ModelSpec
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
