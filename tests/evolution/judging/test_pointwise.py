"""Marks for one answer at a time."""

from __future__ import annotations

import math

from dataflywheel.contracts import Case, Verdict
from dataflywheel.evolution.judging.pointwise import Pointwise
from tests.evolution.judging.asking import MODEL, Scripted


def test_pointwise_marks_each_answer_by_itself() -> None:
    marks = {"good": 9, "fair": 5, "bad": "x", "high": 11}
    client = Scripted(lambda parts, _: {"score": marks[parts["answer"]]})
    cases = [Case("a", "p", ("good", "fair", "fair")), Case("b", "p", ("good", "bad")), Case("c", "p", ("high",))]
    found = Pointwise(model=MODEL).judge_with(client, cases)
    assert found[0].scores == (9, 5, 5)
    assert found[1].scores[0] == 9
    assert math.isnan(found[1].scores[1])
    assert found[1].verdict == Verdict.INVALID
    assert "malformed" in found[1].reason
    assert math.isnan(found[2].scores[0])
