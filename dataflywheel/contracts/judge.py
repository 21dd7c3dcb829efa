"""The kind of method that scores answers."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from dataflywheel.contracts.method import Method


class Verdict(StrEnum):
    """What was said of a pair of answers."""

    FIRST = "first"
    SECOND = "second"
    TIE = "tie"
    INVALID = "invalid"
    """Nothing readable was said, or nothing at all; never a tie."""


@dataclass(frozen=True)
class Case:
    """What a judge is shown: answers to one prompt, and a reference answer where there is one."""

    id: str
    prompt: str
    answers: tuple[str, ...]
    reference: str = ""


@dataclass(frozen=True)
class Judgement:
    """What a judge made of one case: its id and scores, no text of the answers.

    `scores` holds one number an answer on the judge's scale, NaN where nothing readable was said.
    """

    id: str
    scores: tuple[float, ...]
    orders: tuple[Verdict, ...] = ()
    """Of a pair: the verdict each time the two were shown, the first answer first, then last; by answer, not place."""
    reason: str = ""
    """Why there is no score."""
    criteria: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """The scores that `scores` are means of, by criterion, where a judge marks several."""
    replies: tuple[Any, ...] = ()
    """What was asked of models for it: its bill."""

    @property
    def verdict(self) -> Verdict:
        """Of two answers, the one that scored higher; INVALID where either has no score.

        >>> Judgement("a", (7.0, 4.0)).verdict, Judgement("b", (7.0, float("nan"))).verdict.value
        (<Verdict.FIRST: 'first'>, 'invalid')
        """
        first, second = self.scores
        if math.isnan(first) or math.isnan(second):
            return Verdict.INVALID
        return Verdict.TIE if first == second else Verdict.FIRST if first > second else Verdict.SECOND


class Judge(Method):
    """Scores answers. Gives ids and scores only: it never writes or changes an answer."""

    answers: ClassVar[int | None] = None
    """How many answers a case must have; None: any number."""
    scale: ClassVar[tuple[float, float]] = (0.0, 1.0)
    """The lowest and the highest score of an answer."""

    @abstractmethod
    def judge(self, cases: Sequence[Case]) -> list[Judgement]:
        """One judgement a case, in order; what could not be judged is invalid with its reason."""
