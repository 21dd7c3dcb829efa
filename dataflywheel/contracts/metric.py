"""What an evaluation says of an answer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from dataflywheel.contracts.method import Method


@dataclass(frozen=True)
class Mark:
    """The score of one answer; None where there is nothing to score by. `note`, of a closed list: why it is None, or
    why an answer that could not be read got nothing."""

    value: float | None
    note: str = ""
    replies: tuple[Any, ...] = ()
    """What was asked of a model for it: its bill."""


class Metric(Method):
    """Scores answers, which the model in training writes, against what their rows hold."""

    better: ClassVar[Literal["lower", "higher"]] = "higher"
    share: ClassVar[bool] = True
    """Whether scores are shares of right answers, from 0 to 1."""
    tokens: ClassVar[int] = 512
    """Tokens of an answer where the evaluation names no number."""
    waits: ClassVar[bool] = False
    """Whether scoring waits for processes of its own, so that several answers are scored at a time."""
    alone: ClassVar[bool] = True
    """Whether `mark` can score one answer by itself: as a gate and as a reward too."""
    reads_extra: ClassVar[bool] = True
    """Whether scores depend on more of a row than its turns."""

    @abstractmethod
    def mark(self, answer: str, row: Mapping[str, Any]) -> Mark:
        """The score of an answer to a row of the row schema, with the reason where it has none."""

    def score(self, answer: str, row: Mapping[str, Any]) -> float | None:
        """The score of an answer; None: it could not be scored, which is no 0."""
        return self.mark(answer, row).value

    def lacks(self, row: Mapping[str, Any]) -> str:
        """What a row does not hold and must, in a few words of a closed list; "" where its answers can be scored."""
        return ""

    def contents(self) -> str:
        """Identity of what scores depend on beside parameters and rows, such as a file of the user's."""
        return ""
