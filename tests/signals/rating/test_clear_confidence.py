"""Confidence tells right answers from planted wrong ones."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from dataflywheel.contracts import Status
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.signals.rating.clear_confidence import ClearConfidence
from tests.models.endpoint.fake import FakeClient, system_text, user_text
from tests.signals.rating.support import MODEL, plain, rows


def adder(accuracy: float):  # type: ignore[no-untyped-def]
    """A model that adds two numbers, right with the given probability, and compares answers by their last number."""

    def answer(request: Request) -> str:
        asked, system = user_text(request), system_text(request)
        rng = np.random.default_rng(list(request.key("adder").encode()))
        if not system:
            a, b = map(int, re.findall(r"\d+", asked))
            return f"It is {a + b if rng.random() < accuracy else a + b + rng.integers(1, 9)}."
        if "agree" in system:
            reference, *others = re.findall(r"It is (\d+)", asked)
            said = ["yes" if other == reference else "no" for other in others]
            return json.dumps({"agree": said})
        a, b, given = map(int, re.findall(r"(\d+) plus (\d+).*It is (\d+)", asked, re.DOTALL)[0])
        right = (a + b == given) == (rng.random() < accuracy)
        return json.dumps({"analysis": "Added up.", "verdict": "correct" if right else "incorrect"})

    return answer


def test_planted_wrong_answers_have_less_confidence() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(10, 99, (200, 2))
    wrong = rng.random(200) < 0.3
    pairs = [(f"What is {a} plus {b}?", f"It is {a + b + (3 if w else 0)}") for (a, b), w in zip(numbers, wrong)]  # noqa: B905
    found = plain(ClearConfidence(model=MODEL).measure_with(FakeClient(adder(0.6)), rows(*pairs)))
    confidence = np.array(found["confidence"])
    above = (confidence[~wrong][:, None] > confidence[wrong][None]).mean()
    ties = (confidence[~wrong][:, None] == confidence[wrong][None]).mean()
    area = above + ties / 2
    print(f"\narea under the curve of confidence for planted wrong answers: {area:.3f}")
    assert area > 0.9
    assert found["calls"] == [8] * 200
    np.testing.assert_allclose(
        confidence, 0.7 * np.array(found["self_consistency"]) + 0.3 * np.array(found["self_reflection"]), rtol=1e-6
    )
    assert np.mean(np.array(found["self_consistency"])[~wrong]) == pytest.approx(0.6, abs=0.05)


def test_lost_samples_are_counted_and_lost_rows_fail() -> None:
    model = adder(1.0)

    def answer(request: Request) -> str | Reply:
        asked = user_text(request)
        if not system_text(request) and ("20 plus" in asked or ("30 plus" in asked and request.sample < 3)):
            return Reply(Outcome.FILTERED, detail="no")
        if "40 plus" in asked and "agree" in system_text(request):
            return json.dumps({"agree": ["yes"]})  # for five answers
        return model(request)

    batch = rows(*((f"What is {a} plus 1?", f"It is {a + 1}") for a in (10, 20, 30, 40)))
    found = plain(ClearConfidence(model=MODEL).measure_with(FakeClient(answer), batch))
    assert found["confidence"] == [1.0, None, 1.0, None]
    assert found["answers"] == [5, None, 2, None]
    assert found["status"] == [Status.OK, Status.FAILED, Status.OK, Status.FAILED]
    assert found["error"][1] == "filtered: no (no answer of the model's own)"
    assert found["error"][3] == "malformed: not one word for each answer"
