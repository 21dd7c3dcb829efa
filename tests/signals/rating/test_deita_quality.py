"""DEITA's quality: what it is by hand, and what it needs."""

from __future__ import annotations

import pytest

from dataflywheel.contracts import Status, UsageError
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.signals.rating.deita_complexity import DeitaComplexity
from dataflywheel.signals.rating.deita_quality import DeitaQuality
from tests.models.endpoint.fake import FakeClient, first_token, user_text
from tests.signals.rating.support import MODEL, chats, plain


def test_deita_needs_logprobs_and_one_failed_turn_fails_the_row() -> None:
    chat = chats([("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")], [("user", "e")])
    with pytest.raises(UsageError, match="deita_quality needs logprobs"):
        DeitaQuality(model=MODEL).measure_with(FakeClient(lambda request: "5"), chat)
    client = FakeClient(
        lambda r: Reply(Outcome.REFUSED) if "\nd\n" in user_text(r) else first_token({"3": 1.0}), logprobs=True
    )
    found = plain(DeitaQuality(model=MODEL).measure_with(client, chat))
    assert found["score"] == [None, None]
    assert found["status"] == [Status.FAILED, Status.EMPTY]
    assert found["error"] == ["refused", None]
    assert plain(DeitaComplexity(model=MODEL).measure_with(client, chat))["score"][1] == pytest.approx(3.0)


def test_deita_quality_by_hand() -> None:
    digits = {"good": {"5": 0.2, "6": 0.8}, "poor": {"2": 0.5, " 2": 0.25, "3": 0.25}}
    client = FakeClient(
        lambda r: first_token(next(given for text, given in digits.items() if f"\n{text}\n" in user_text(r))),
        logprobs=True,
    )
    chat = chats(
        [("user", "a"), ("assistant", "good"), ("user", "b"), ("assistant", "poor")],
        [("user", "a"), ("assistant", "poor")],
    )
    found = plain(DeitaQuality(model=MODEL).measure_with(client, chat))
    poor = 2 * 0.75 + 3 * 0.25
    assert found["score"] == pytest.approx([5.8 + poor, poor])
    assert found["calls"] == [2, 1]
