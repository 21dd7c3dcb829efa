"""SelectIT by hand, and what a sharper distribution does to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.signals.rating.select_it import WORDINGS, SelectIt, token_score
from dataflywheel.signals.rating.token_shares import Shares
from tests.models.endpoint.fake import FakeClient, asked_of, first_token, user_text
from tests.signals.rating.support import MODEL, plain, rows


def test_select_it_by_hand_and_no_row_shifts_another() -> None:
    peaks = [{"4": 0.8, "5": 0.2}, {"4": 1.0}, {"5": 0.6, "4": 0.4}, {"4": 0.5, "3": 0.5}, {"1": 1.0}]

    def answer(request: Request) -> Reply:
        wording = next(i for i, text in enumerate(WORDINGS) if text == asked_of(request))
        if "row 17" in user_text(request) and wording == 2:
            return Reply(Outcome.SERVER_ERROR, detail="gone")
        return first_token(peaks[wording])

    batch = rows(*((f"row {i} .", "answer") for i in range(30)))
    found = plain(SelectIt(model=MODEL, alpha=0.2).measure_with(FakeClient(answer, logprobs=True), batch))
    tokens = [4 * 0.75, 4.0, 5 * 0.5, 3 * 0.375, 1.0]
    expected = np.mean(tokens) / (1 + 0.2 * np.std(tokens))
    assert [i for i, score in enumerate(found["score"]) if score is None] == [17]
    assert found["error"][17] == "server error: gone"
    others = [score for score in found["score"] if score is not None]
    assert others == pytest.approx([expected] * 29)
    assert found["calls"] == [5] * 30


@given(st.lists(st.floats(0.01, 1), min_size=5, max_size=5), st.floats(1, 4))
def test_a_sharper_distribution_never_scores_lower(weights: list[float], power: float) -> None:
    flat, sharp = np.array(weights) / sum(weights), np.array(weights) ** power
    sharp /= sharp.sum()
    score = [token_score(Shares(dict(zip("12345", p.tolist(), strict=True)), 1.0)) for p in (flat, sharp)]
    assert flat.argmax() == sharp.argmax()
    assert score[1] >= score[0] - 1e-9
