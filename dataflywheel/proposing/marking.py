"""Metrics and rewards at work: what they give is checked before anything is made of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dataflywheel.contracts import FlywheelError, Mark, Metric, Reward
from dataflywheel.plugins.place import named

NOT_FINITE = "the score is no finite number"


def mark_of(metric: Metric, answer: str, row: Mapping[str, Any]) -> Mark:
    """The mark of one answer; none where the score is not finite.

    Raises:
        FlywheelError: the metric gave anything but a `Mark`; names the line of a user's own.
    """
    return _checked(metric.mark(answer, row), metric, "mark")


def marks_of(reward: Reward, answers: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Mark]:
    """The mark of each answer to the row beside it; none where a score is not finite.

    Raises:
        FlywheelError: the reward gave anything but one mark or number for each; names the line of a user's own.
    """
    verb = "score" if type(reward).marks is Reward.marks else "marks"
    given: Any = reward.marks(answers, rows)
    if not isinstance(given, list | tuple) or len(given) != len(answers):
        what = f"{len(given):,} scores" if isinstance(given, list | tuple) else type(given).__name__
        raise FlywheelError(
            f"{named(reward, verb)} gave {what} for {len(answers):,} answers; wanted is a list with one for each"
        )
    return [_checked(mark, reward, verb) for mark in given]


def _checked(mark: Any, method: Metric | Reward, verb: str) -> Mark:
    if not isinstance(mark, Mark) or not isinstance(mark.value, int | float | None):
        gave = type(mark.value if isinstance(mark, Mark) else mark).__name__
        wanted = "a number, or None where it cannot" if verb == "score" else "`Mark(number)`, or `Mark(None, why)`"
        raise FlywheelError(f"{named(method, verb)} gave {gave}; wanted is {wanted}")
    return mark if mark.value is None or math.isfinite(mark.value) else replace(mark, value=None, note=NOT_FINITE)
