"""Ask-LLM: the exact ratio of yes and no, and the share of votes."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import pytest

from dataflywheel.contracts import Status, UsageError
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.signals.rating.ask_llm import AskLLM
from tests.models.endpoint.fake import FakeClient, first_token
from tests.signals.rating.support import MODEL, asking, plain, rows
from tests.support.endpoint import Endpoint


def test_ask_llm_is_the_exact_ratio_over_spellings() -> None:
    words = {"Yes": 0.4, " yes": 0.1, "YES": 0.05, "No": 0.2, '"no': 0.05, "Maybe": 0.2}
    client = FakeClient(lambda request: first_token(words), logprobs=True)
    found = plain(AskLLM(model=MODEL).measure_with(client, rows(("a", "b"))))
    assert found["score"] == pytest.approx([0.55 / 0.8])
    assert found["mass"] == pytest.approx([0.8])
    assert found["votes"] == [None]


def test_ask_llm_votes_agree_with_the_ratio(endpoint: Endpoint, tmp_path: Path) -> None:
    rater = {"rule": "rater", "low": 0, "high": 1, "yes_no": True}
    endpoint.configure(rules=[rater])
    truths = [0.05, 0.3, 0.5, 0.8, 0.95]
    batch = rows(*((f"Question {i}", f"answer [[truth:{t}]]") for i, t in enumerate(truths)))
    with asking(endpoint, tmp_path, capabilities={"logprobs": True}) as spec:
        exact = plain(AskLLM(model=spec).measure(batch))
    n = 100
    with asking(endpoint, tmp_path) as spec:
        voted = plain(AskLLM(model=spec, draws=n).measure(batch))
    assert exact["score"] == pytest.approx(truths, abs=2e-3)
    assert voted["votes"] == [n] * 5
    assert voted["mass"] == [None] * 5
    for truth, share in zip(truths, voted["score"], strict=True):
        assert abs(share - truth) <= 3 * sqrt(truth * (1 - truth) / n)


def test_ask_llm_counts_only_votes_that_can_be_read() -> None:
    said = iter(["Yes.", "no", "**yes**", "perhaps", "", "I say no", "Yes, surely", "NO!"])
    found = plain(AskLLM(model=MODEL).measure_with(FakeClient(lambda r: next(said)), rows(("a", "b"))))
    assert (found["score"], found["votes"]) == ([pytest.approx(3 / 5)], [5])
    late = iter([Reply(Outcome.OVER_BUDGET), *["yes"] * 7])  # not a value from the seven others: the next run asks
    waiting = plain(AskLLM(model=MODEL).measure_with(FakeClient(lambda r: next(late)), rows(("a", "b"))))
    assert (waiting["score"], waiting["error"], waiting["calls"]) == ([None], ["over budget"], [7])
    lost = plain(AskLLM(model=MODEL).measure_with(FakeClient(lambda r: "well"), rows(("a", "b"))))
    assert (lost["score"], lost["status"]) == ([None], [Status.FAILED])
    with pytest.raises(UsageError, match="ask_llm needs samples"):
        AskLLM(model=MODEL).measure_with(FakeClient(lambda r: "yes", samples=False), rows(("a", "b")))
