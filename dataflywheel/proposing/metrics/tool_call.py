"""Whether an answer calls the right tools with the right arguments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

from dataflywheel.contracts import Card, Mark, Metric
from dataflywheel.proposing.metrics.tool_calls import expected_calls, written_calls

NO_CALLS = "no reference of calls"
NONE_WRITTEN = "no call in the answer"


class ToolCall(Metric):
    """1 where the calls of the answer are the reference's, else 0: names, and arguments as JSON values.

    Calls of one turn are parallel: their order does not count, their number does. The reference is the calls of the
    row's last turn, or its field `answers`, `tool_calls` or `ground_truth`; an empty list there says that no tool is to
    be called. The answer's calls are read in the forms that chat templates write.
    """

    card: ClassVar[Card] = Card(
        title="Gorilla: Large Language Model Connected with Massive APIs",
        authors="Patil et al.",
        year=2023,
        paper="2305.15334",
        category="evolution",
        subcategory="metrics",
        summary="Share of answers that call the right tools with the right arguments.",
        needs=("target",),
        checked="calls planted in the forms of eight chat templates, with values, names and numbers changed",
        pays="Tool use with known calls, in any of the chat templates' forms, without running a tool.",
        fails="Another call that would do as well counts as wrong, as does one argument written otherwise: where "
        "tools can run, score by a function of your own.",
    )
    tokens: ClassVar[int] = 256

    def mark(self, answer: str, row: Mapping[str, Any]) -> Mark:
        expected = expected_calls(row)
        if expected is None:
            return Mark(None, NO_CALLS)
        written = written_calls(answer)
        if expected and not written:
            return Mark(0.0, NONE_WRITTEN)
        return Mark(float(Counter(call.key() for call in written) == Counter(call.key() for call in expected)))

    def lacks(self, row: Mapping[str, Any]) -> str:
        return NO_CALLS if expected_calls(row) is None else ""
