"""A judge at work: what it gives is checked before anything is counted."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

from dataflywheel.contracts import Case, FlywheelError, Judge, Judgement
from dataflywheel.plugins.place import named


def judged(judge: Judge, cases: Sequence[Case]) -> list[Judgement]:
    """One judgement a case, in order; none is asked for where there are no cases.

    Raises:
        FlywheelError: the judge gave anything else, or not one number for each answer; names the line of a user's own.
    """
    if not cases:
        return []
    given: Any = judge.judge(cases)
    who = named(judge, "judge")
    if not isinstance(given, list | tuple) or not all(isinstance(one, Judgement) for one in given):
        raise FlywheelError(f"{who} gave no list of `Judgement`; wanted is one for each case: `Judgement(id, scores)`")
    if [one.id for one in given] != [case.id for case in cases]:
        raise FlywheelError(
            f"{who} gave {len(given):,} judgements for {len(cases):,} cases, or gave them in another order; wanted is "
            "one for each, with its id"
        )
    for one, case in zip(given, cases, strict=True):
        _check_scores(one.scores, case, who)
    return list(given)


def _check_scores(scores: Any, case: Case, who: str) -> None:
    held = isinstance(scores, list | tuple) and len(scores) == len(case.answers)
    if not held or not all(isinstance(score, Real) for score in scores):
        raise FlywheelError(
            f"{who}: a case with {len(case.answers)} answers has the scores {scores!r:.60}; wanted is one number for "
            "each answer, NaN for one that could not be judged"
        )
