"""What reinforcement learning optimises, and what the best of several answers is chosen by."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from dataflywheel.contracts.method import Method
from dataflywheel.contracts.metric import Mark

GAVE_NOTHING = "the reward gave no number"


class Reward(Method):
    """Scores answers that a model wrote to rows; the higher, the better.

    What a gate, a metric or a judge is as a reward: `reward_of` in `evolution/bridges`.
    """

    @abstractmethod
    def score(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
        """One number for each completion, the text that a model wrote to the row beside it; None where it cannot be
        judged, which is no 0."""

    def marks(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Mark]:
        """The same with the reason of what is None, in words of a closed list."""
        found = self.score(completions, rows)
        return [Mark(value, GAVE_NOTHING if value is None else "") for value in found]

    def lacks(self, row: Mapping[str, Any]) -> str:
        """What a row does not hold and must, in a few words of a closed list; "" where its answers can be scored."""
        return ""

    def contents(self) -> str:
        """Identity of what scores depend on beside parameters and rows, such as a file of the user's."""
        return ""
