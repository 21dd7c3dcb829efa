"""The self-test of judges: who passes it, and that length and place do not."""

from __future__ import annotations

import pytest

from dataflywheel.contracts import FlywheelError, Verdict
from dataflywheel.evolution.judging.pairwise import Pairwise
from dataflywheel.evolution.judging.self_test import KNOWN, RIGHT, known_cases, self_test
from tests.evolution.judging.asking import MODEL, Scripted, by_length

F, S = Verdict.FIRST, Verdict.SECOND


def test_the_self_test_takes_a_good_judge_and_refuses_others() -> None:
    good = {answers[i % 2] for i, (_, *answers) in enumerate(KNOWN)}

    def wise(parts: dict[str, str], instructions: str) -> dict[str, object]:
        return {"better": "1" if parts["answer_1"] in good else "2"}

    judge = Pairwise(model=MODEL)
    passed = self_test(lambda cases: judge.judge_with(Scripted(wise), cases))
    assert (passed.right, passed.of, passed.passed) == (6, 6, True)
    passed.require("wise")
    for rule in (lambda parts, _: {"better": "1"}, by_length, lambda parts, _: "no idea"):
        failed = self_test(lambda cases, rule=rule: judge.judge_with(Scripted(rule), cases))
        assert not failed.passed
        with pytest.raises(FlywheelError, match=rf"scripted got {failed.right} of 6 obvious pairs right"):
            failed.require("scripted")


def test_neither_length_nor_place_solves_the_self_test() -> None:
    longer = [F if len(a) > len(b) else S for a, b in (case.answers for case in known_cases())]
    assert sum(a == b for a, b in zip(longer, RIGHT, strict=True)) <= 3
    assert RIGHT.count(F) == RIGHT.count(S)
