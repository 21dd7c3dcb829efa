"""An answer marked in four aspects, who gave it, and what is told of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.models.endpoint.failure import failure
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.structured import Answer, Form

ASPECTS = ("instruction_following", "truthfulness", "honesty", "helpfulness")


class Marks(Form):
    """Of each aspect why, and then how good."""

    limit: ClassVar[int] = 640

    instruction_following_reason: str = words(300)
    instruction_following: int = Field(ge=1, le=5)
    truthfulness_reason: str = words(300)
    truthfulness: int = Field(ge=1, le=5)
    honesty_reason: str = words(300)
    honesty: int = Field(ge=1, le=5)
    helpfulness_reason: str = words(300)
    helpfulness: int = Field(ge=1, le=5)

    @property
    def mean(self) -> float:
        return (self.instruction_following + self.truthfulness + self.honesty + self.helpfulness) / len(ASPECTS)


@dataclass
class Draw:
    """One answer to a prompt: who wrote it, under which principle, and what became of it."""

    by: str
    principle: str
    text: str = ""
    why: str = ""
    """Why it takes no part."""
    marks: Marks | None = None

    @property
    def facts(self) -> dict[str, Any]:
        told = {name: getattr(self.marks, name) for name in ASPECTS} | {"mean": self.marks.mean} if self.marks else {}
        return {"model": self.by, "principle": self.principle, **told, **({"lost": self.why} if self.why else {})}


def lost_marks(answer: Answer[Marks]) -> str:
    """Why an answer has no marks, "" where it has."""
    return "" if answer.value is not None else f"no readable marks, {failure(answer)}"


def summary(means: Sequence[float | None]) -> Mapping[str, float | int | None]:
    """How many answers were marked, their mean, and how many were lost.

    >>> summary([4.0, None, 3.0])
    {'marked': 2, 'mean': 3.5, 'lost': 1}
    """
    known = np.array([mean for mean in means if mean is not None])
    mean = round(float(known.mean()), 3) if len(known) else None
    return {"marked": len(known), "mean": mean, "lost": len(means) - len(known)}
