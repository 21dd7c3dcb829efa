"""A metric or a reward as a gate: what scores too little is turned away."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ClassVar, Self

import orjson
from pydantic import PrivateAttr, model_validator

from dataflywheel.catalog import known
from dataflywheel.contracts import Card, Mark, Metric, Named, Reward, UsageError, build, method_spec, nearest
from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.proposing.marking import mark_of, marks_of
from dataflywheel.proposing.metrics import final_answer, tool_call, unit_tests, user_function
from dataflywheel.rows.text import part_of

NOTHING = "nothing to score by"
TOO_LITTLE = "scores too little"
OWN = (final_answer.FinalAnswer, unit_tests.UnitTests, tool_call.ToolCall, user_function.Python)


class Scored(Gate):
    """Passes answers that a metric gives at least `least`: `final_answer`, `unit_tests`, `tool_call`, a function of the
    user's, or a reward.

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
        pays="Rows with a reference, tests or a reward, where a rewriter may turn a right answer into a wrong one.",
        fails="Rows without anything to score by are all turned away, and what the metric does not see passes: "
        "`final_answer` knows nothing of the steps.",
    )

    by: Named = {"final_answer": {}}
    """The metric or reward, with its parameters."""
    least: float = 1.0
    """The lowest score that passes."""
    _by: Metric | Reward = PrivateAttr()

    @model_validator(mode="after")
    def _known(self) -> Self:
        name, given = method_spec(self.by)
        kind = known(name)
        if kind is None or not issubclass(kind, Metric | Reward):
            own = [method.name for method in OWN]
            raise ValueError(f"there is no metric {name!r} that scores answers{nearest(name, own)}")
        if issubclass(kind, Metric) and not kind.alone:
            raise ValueError(f"{name} scores no answer by itself, as a gate must")
        try:
            made = build(kind, given)
        except UsageError as error:
            raise ValueError(str(error)) from None
        assert isinstance(made, Metric | Reward)
        self._by = made
        return self

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        answers, rows = [_answer(proposal) for proposal in proposals], [_reference(proposal) for proposal in proposals]
        if isinstance(self._by, Reward):
            marks = marks_of(self._by, answers, rows)
        elif not self._by.waits:
            marks = list(map(partial(mark_of, self._by), answers, rows))
        else:
            with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as threads:
                marks = list(threads.map(partial(mark_of, self._by), answers, rows))
        return [self._check(mark) for mark in marks]

    def _check(self, mark: Mark) -> Check:
        if mark.value is None:
            return Check(False, NOTHING, mark.note, decided=False)
        if mark.value < self.least:
            return Check(False, TOO_LITTLE, mark.note or f"{mark.value:g}", {"score": mark.value})
        return Check(True, facts={"score": mark.value})


def _answer(proposal: Proposal) -> str:
    assert proposal.row is not None
    return part_of(proposal.row["messages"], "answer")


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
