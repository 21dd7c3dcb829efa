"""DEITA's product of complexity and quality, turn by turn."""

from __future__ import annotations

import pytest

from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.signals.rating.deita import Deita
from dataflywheel.signals.rating.deita_complexity import DeitaComplexity
from dataflywheel.signals.rating.deita_quality import DeitaQuality
from tests.models.endpoint.fake import FakeClient, first_token, system_text, user_text
from tests.signals.rating.support import MODEL, chats, plain


def test_deita_multiplies_by_turn_and_sums() -> None:
    chat = chats(
        [("system", "s"), ("user", "easy"), ("assistant", "good"), ("user", "hard"), ("assistant", "poor")],
        [("user", "hard"), ("assistant", "good")],
    )
    complexity = {"easy": {"1": 0.5, "2": 0.5}, "hard": {"6": 1.0}}
    quality = {"good": {"5": 0.2, "6": 0.8}, "poor": {"2": 1.0}}

    def answer(request: Request) -> Reply:
        table = quality if "how good" in system_text(request) else complexity
        asked = user_text(request)
        return first_token(next(v for k, v in reversed(table.items()) if f"\n{k}\n" in asked or f": {k}\n" in asked))

    client = FakeClient(answer, logprobs=True)
    both = plain(Deita(model=MODEL).measure_with(client, chat))
    assert both["score"] == pytest.approx([1.5 * 5.8 + 6 * 2, 6 * 5.8])
    assert both["complexity"] == pytest.approx([7.5, 6.0])
    assert both["quality"] == pytest.approx([7.8, 5.8])
    assert both["turns"] == [2, 1]
    assert both["calls"] == [4, 2]
    asked = {r.key("m") for r in client.requests}
    for signal, column in ((DeitaComplexity(model=MODEL), "complexity"), (DeitaQuality(model=MODEL), "quality")):
        again = FakeClient(answer, logprobs=True)
        assert plain(signal.measure_with(again, chat))["score"] == both[column]
        assert {r.key("m") for r in again.requests} < asked  # they share their answers with the product
