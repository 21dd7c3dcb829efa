"""A gate of the user's own: a function in a file that the recipe names."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import model_validator

from dataflywheel.contracts import Card
from dataflywheel.plugins.functions import failure, load, reason_of, takes
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings

FAILED = "the function failed"


class PythonGate(Gate):
    """Passes what a function of the user's passes.

    Written `gates: [{python: ./checks.py:ok}]`. The function takes the proposed row as a dictionary in the row schema
    and gives True, False, a reason against it (a text), or `(False, reason)`. Where it has a parameter `before`, it
    gets the row that is to be replaced as well, None for a new one. Where it fails, or gives anything else, the
    proposal is turned away with the error. The file is the user's own, named in their recipe, and runs as they do.
    """

    card: ClassVar[Card] = Card(
        title="The user's own function",
        authors="",
        year=2026,
        paper="",
        category="proposing",
        subcategory="gates",
        summary="Passes or rejects proposals by a Python function of the user's.",
        checked="functions that give verdicts, reasons, nothing, other things and errors",
    )
    of_function: ClassVar[bool] = True

    function: str
    """File and function, as `./checks.py:ok`; from the working directory or, with `~`, from the user's home."""

    @model_validator(mode="after")
    def _there(self) -> Self:
        load(self.function, "gate")
        return self

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        function = load(self.function, "gate")
        with_before = takes(function, "before")
        otherwise = f"turned away by {Path(self.function).name}"
        return [_checked(function, proposal, with_before, otherwise) for proposal in proposals]


def _checked(function: Any, proposal: Proposal, with_before: bool, otherwise: str) -> Check:
    assert proposal.row is not None
    more = {"before": deepcopy(proposal.before)} if with_before else {}
    try:
        reason = reason_of(function(deepcopy(dict(proposal.row)), **more), otherwise)
    except (Exception, SystemExit) as error:
        return Check(False, FAILED, failure(error), decided=False)
    return Check(False, reason) if reason else PASSED
