"""A gate of the user's own: a function in a file that the recipe names."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import ClassVar

from dataflywheel.contracts import Card
from dataflywheel.plugins.functions import FAILED, Function, takes, verdict
from dataflywheel.plugins.of_function import OfFunction
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings


class PythonGate(OfFunction, Gate):
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
        pays="A rule that only your team knows, such as product names, house style or a schema, and that code can "
        "test.",
        fails="An error of the function turns the proposal away, and it runs unconfined on untrusted text: try it on "
        "the pool first, and for code in answers take `executable_truth`.",
    )
    what: ClassVar[str] = "gate"
    given: ClassVar[tuple[str, ...]] = ("row",)

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        function = self.loaded()
        with_before = takes(function, "before")
        return [self._checked(function, proposal, with_before) for proposal in proposals]

    def _checked(self, function: Function, proposal: Proposal, with_before: bool) -> Check:
        assert proposal.row is not None
        more = {"before": deepcopy(proposal.before)} if with_before else {}
        reason, failed = verdict(function, self.function, deepcopy(dict(proposal.row)), **more)
        if failed:
            return Check(False, FAILED, failed, decided=False)
        return Check(False, reason) if reason else PASSED
