"""A metric as a gate: what scores too little is turned away."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Self

import orjson
from pydantic import PrivateAttr, model_validator

from dataflywheel.contracts import REGISTRY, Card, Metric, Named, UsageError, build, nearest
from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.proposing.metrics import final_answer, tool_call, unit_tests, user_function
from dataflywheel.rows.text import part_of

NOTHING = "nothing to score by"
TOO_LITTLE = "scores too little"
OWN = (final_answer.FinalAnswer, unit_tests.UnitTests, tool_call.ToolCall, user_function.Python)


class Scored(Gate):
    """Passes answers that a metric gives at least `least`: `final_answer`, `unit_tests`, `tool_call`, or a function of
    the user's.

    A rewritten row is scored against the row that it replaces; a new one against what it holds beside its turns, and
    the facts that came with it (`gold`, `tests`). Where there is nothing to score by, a row is turned away.
    """

    card: ClassVar[Card] = Card(
        title="A metric as a gate",
        authors="",
        year=2026,
        paper="",
        category="proposing",
        subcategory="gates",
        summary="Rejects answers that a metric scores below a bound.",
        checked="rewrites with right, wrong and no final answers, and a user's function",
    )

    by: Named = {"final_answer": {}}
    """The metric, with its parameters."""
    least: float = 1.0
    """The lowest score that passes."""
    _metric: Metric = PrivateAttr()

    @model_validator(mode="after")
    def _known(self) -> Self:
        ((name, given),) = self.by.items()
        kind = REGISTRY.get(name)
        if kind is None or not issubclass(kind, Metric):
            known = [method.name for method in OWN]
            raise ValueError(f"there is no metric {name!r} that scores answers{nearest(name, known)}")
        try:
            made = build(kind, given)
        except UsageError as error:
            raise ValueError(str(error)) from None
        assert isinstance(made, Metric)
        self._metric = made
        return self

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        if not self._metric.waits:
            return [self.check_one(proposal) for proposal in proposals]
        with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as threads:
            return list(threads.map(self.check_one, proposals))

    def check_one(self, proposal: Proposal) -> Check:
        assert proposal.row is not None
        mark = self._metric.mark(part_of(proposal.row["messages"], "answer"), _reference(proposal))
        if mark.value is None:
            return Check(False, NOTHING, mark.note)
        if mark.value < self.least:
            return Check(False, TOO_LITTLE, mark.note or f"{mark.value:g}", {"score": mark.value})
        return Check(True, facts={"score": mark.value})


def _reference(proposal: Proposal) -> Mapping[str, Any]:
    """The row that an answer is scored against: never the answer itself."""
    if proposal.before is not None:
        return proposal.before
    assert proposal.row is not None
    facts = {name: proposal.facts[name] for name in ("gold", "tests") if proposal.facts.get(name) is not None}
    turns = proposal.row["messages"]
    asked = turns[:-1] if turns and turns[-1]["role"] == "assistant" else turns
    extra = {**orjson.loads(proposal.row["extra"] or "{}"), **facts}
    return {**proposal.row, "messages": asked, "extra": orjson.dumps(extra).decode()}
