"""Grades by criterion."""

from __future__ import annotations

import math

from dataflywheel.contracts import Case, Verdict
from dataflywheel.evolution.judging.rubric import Criterion, Rubric
from tests.evolution.judging.asking import MODEL, Scripted


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
    assert found.verdict == Verdict.INVALID
