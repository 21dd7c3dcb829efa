"""Published procedures that are a sequence of steps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataflywheel.contracts.method import Method


@dataclass(frozen=True)
class Around:
    """What the recipe around a procedure has, as plain values."""

    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What stands under `models`, by role: `student`, `scorer`, `embedder`, `teacher`; a role that is not there is not
    named."""
    targets: int = 0
    """Entries under `target`."""
    rounds: int = 1
    rows: int | None = None
    """The recipe's budget in rows."""


class Composite(Method):
    """A procedure that stands for several steps of a recipe: `- mods: {keep: 1000}`.

    It is written out when the recipe is read. From then on there are its steps and nothing else, as if the user had
    written them.
    """

    @abstractmethod
    def steps(self, around: Around) -> Sequence[str | Mapping[str, Any]]:
        """The steps as a recipe would have them: `[{"filter": {"bounds": {...}}}, {"select": {"by": "ifd"}}]`. Equal
        parameters and surroundings give equal steps.

        Raises:
            UsageError: it has no place in such a recipe; says why, and the way out.
        """

    def signals(self, around: Around) -> Mapping[str, Mapping[str, Any]]:
        """What its steps need under `signals`, by names that no other procedure uses: `{"mods_prompts": {"embedding":
        {"part": "prompt"}}}`."""
        return {}
