"""Marks and grades: pointwise, rubric, personas, panels, the self-test."""

from __future__ import annotations

import math

import pytest

from dataflywheel.contracts import Case, FlywheelError, Judgement, Verdict
from dataflywheel.evolution.judging.crowd_score import CrowdScore, tally
from dataflywheel.evolution.judging.pairwise import Pairwise, judgement
from dataflywheel.evolution.judging.panel import Panel
from dataflywheel.evolution.judging.pointwise import Pointwise
from dataflywheel.evolution.judging.rubric import Criterion, Rubric
from dataflywheel.evolution.judging.self_test import KNOWN, RIGHT, known_cases, self_test
from tests.evolution.judging.asking import MODEL, Scripted, by_length

F, S, T, X = Verdict.FIRST, Verdict.SECOND, Verdict.TIE, Verdict.INVALID
NAN = math.nan


def test_pointwise_marks_each_answer_by_itself() -> None:
    marks = {"good": 9, "fair": 5, "bad": "x", "high": 11}
    client = Scripted(lambda parts, _: {"score": marks[parts["answer"]]})
    cases = [Case("a", "p", ("good", "fair", "fair")), Case("b", "p", ("good", "bad")), Case("c", "p", ("high",))]
    found = Pointwise(model=MODEL).judge_with(client, cases)
    assert found[0].scores == (9, 5, 5)
    assert found[1].scores[0] == 9
    assert math.isnan(found[1].scores[1])
    assert found[1].verdict == X
    assert "malformed" in found[1].reason
    assert math.isnan(found[2].scores[0])


def test_a_fluent_wrong_answer_shows_by_its_criteria() -> None:
    def rule(parts: dict[str, str], instructions: str) -> dict[str, object]:
        about_style = "well written" in instructions
        fluent, right = parts["answer"] == "fluent but wrong", parts["answer"] == "right but clumsy"
        return {"score": 5 if (fluent if about_style else right) else 1}

    client = Scripted(rule)
    (found,) = Rubric(model=MODEL).judge_with(client, [Case("a", "p", ("fluent but wrong", "right but clumsy"))])
    assert found.criteria == {"substance": (1, 5), "style": (5, 1)}
    assert found.scores == (3, 3)
    assert len(client.asked) == 4


def test_an_unreadable_grade_leaves_its_answer_without_a_score() -> None:
    criteria = tuple(Criterion(name=n, asks=f"{n}?", levels=("1", "2", "3", "4", "5")) for n in ("x", "y"))
    grades = iter([4, 6, 2, 3])
    client = Scripted(lambda parts, _: {"score": next(grades)})
    (found,) = Rubric(model=MODEL, criteria=criteria).judge_with(client, [Case("a", "p", ("one", "two"))])
    assert found.criteria["x"] == (4, 2)
    assert math.isnan(found.criteria["y"][0])
    assert math.isnan(found.scores[0])
    assert found.scores[1] == 2.5
    assert found.verdict == X


def test_tally_counts_readable_votes() -> None:
    votes = [judgement("a", *orders) for orders in ((F, F), (S, S), (F, S), (X, F))]
    assert tally(votes).scores == (0.5, 0.5)
    assert tally(votes[:1] + votes[2:]).scores == (0.75, 0.25)
    assert tally(votes[3:]).verdict == X


def test_personas_vote(monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(parts: dict[str, str], instructions: str) -> dict[str, object]:
        """The engineer wants it short, the others long."""
        exchanged = {"1": "2", "2": "1"} if "engineer" in instructions else {"1": "1", "2": "2"}
        return {"better": exchanged[str(by_length(parts)["better"])]}

    client = Scripted(rule)
    monkeypatch.setattr("dataflywheel.models.endpoint.account.client_for", lambda spec: client)
    (found,) = CrowdScore(model=MODEL).judge([Case("a", "p", ("long answer", "short"))])
    assert found.scores == (0.75, 0.25)
    assert len(client.asked) == 8


def test_a_panel_gathers_and_leaves_invalid_what_nobody_judged() -> None:
    def said(*verdicts: Verdict) -> list[Judgement]:
        return [judgement(f"c{i}", v, v, "refused: no") for i, v in enumerate(verdicts)]

    panel = Panel(models=(MODEL, MODEL, MODEL))
    found = panel.gather([said(F, S, T, X), said(F, S, X, X), said(S, S, T, X)])
    assert [j.verdict for j in found] == [F, S, T, X]
    assert found[3].reason == "refused: no"
    assert [j.id for j in found] == ["c0", "c1", "c2", "c3"]


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
