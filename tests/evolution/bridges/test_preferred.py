"""A judge of pairs as a gate, scripted with a planted bias for the place in which an answer stands."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from dataflywheel.contracts import FlywheelError, build
from dataflywheel.evolution.bridges.preferred import ALONE, DISAGREE, EVEN, WORSE, Preferred
from dataflywheel.evolution.judging.pairwise import Pairwise
from dataflywheel.evolution.judging.self_test import KNOWN
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.proposing.rewritten import rewritten
from dataflywheel.rows.identity import prompt_answer_row
from tests.evolution.judging.asking import MODEL, Scripted

RIGHT = {answers[place % 2] for place, (_, *answers) in enumerate(KNOWN)}


def judge(parts: dict[str, str], told: str) -> Reply | dict[str, object]:
    """Knows the known pairs; elsewhere the grade in an answer counts, and the first place as much as one and a half."""
    first, second = parts["answer_1"], parts["answer_2"]
    if first in RIGHT or second in RIGHT:
        return {"better": "1" if first in RIGHT else "2"}
    if "unreadable" in first:
        return Reply(Outcome.REFUSED)
    if "same" in first:
        return {"better": "tie"}
    one, other = (int(re.findall(r"\d+", text)[0]) for text in (first, second))
    return {"better": "1" if one + 1.5 >= other else "2"}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    made = Scripted(judge)
    monkeypatch.setattr(Pairwise, "judge", lambda self, cases: self.judge_with(made, cases))
    return made


def pair(chosen: str, rejected: str) -> Proposal:
    row = prompt_answer_row("Q", rejected)
    return Proposal((row["id"],), rewritten(row, "test", chosen, rejected=rejected))


def test_pairs_that_the_order_decides_are_turned_away_and_counted_apart(client: Scripted) -> None:
    """Of all pairs of grades from 1 to 5 those that differ by one are decided by the place alone."""
    grades = [(a, b) for a in range(1, 6) for b in range(1, 6) if a != b]
    gate = build(Preferred, {"model": MODEL})
    found = gate.check([pair(f"Grade {a}.", f"Grade {b}.") for a, b in grades], Surroundings())
    told = {grades_of: (one.passed, one.reason) for grades_of, one in zip(grades, found, strict=True)}
    for (a, b), said in told.items():
        assert said == ((True, "") if a > b + 1 else (False, DISAGREE) if abs(a - b) == 1 else (False, WORSE))
    assert Counter(why for _, why in told.values()) == {"": 6, DISAGREE: 8, WORSE: 6}
    assert all(len(one.replies) == 2 for one in found)
    assert found[0].detail == "first then second"


def test_ties_lost_verdicts_and_rows_without_another_answer_have_reasons_of_their_own(client: Scripted) -> None:
    gate = build(Preferred, {"model": MODEL})
    alone = Proposal((), prompt_answer_row("Q", "Grade 3."))
    replaced = Proposal((), prompt_answer_row("Q", "Grade 5."), before=prompt_answer_row("Q", "Grade 1."))
    row = prompt_answer_row("Q", "Grade 5.") | {"media": [{"type": "image", "ref": "a.png"}]}
    seen = Proposal((), row)  # type: ignore[arg-type]
    some = [pair("same 1", "same 2"), pair("unreadable 5", "Grade 1."), pair(" ", "Grade 1."), alone, replaced, seen]
    found = gate.check(some, Surroundings())
    assert [(one.passed, one.decided, one.reason) for one in found] == [
        (False, True, EVEN), (False, False, "the judge gave no verdict"), (False, False, "no answer in words"),
        (False, False, ALONE), (True, True, ""), (False, False, "the judge cannot see its images or sounds"),
    ]  # fmt: skip


def test_a_judge_that_misses_obvious_pairs_is_no_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    blind = Scripted(lambda parts, told: {"better": "1"})
    monkeypatch.setattr(Pairwise, "judge", lambda self, cases: self.judge_with(blind, cases))
    with pytest.raises(FlywheelError, match="got 0 of 6 obvious pairs right"):
        build(Preferred, {"model": MODEL}).check([pair("Grade 5.", "Grade 1.")], Surroundings())
