"""A gate as a reward: 1 for an answer that passes, 0 for one that does not, none where nothing could be checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SerializeAsAny

from dataflywheel.contracts import Cost, Mark, PoolStatistics, Reward
from dataflywheel.proposing.checking import checks_of
from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.proposing.metrics.final_answer import references
from dataflywheel.proposing.metrics.unit_tests import tests_of
from dataflywheel.rows.schema import message
from dataflywheel.rows.text import fields_of, split_answer


class OfGate(Reward):
    """What a gate makes of answers.

    An answer stands in its row in place of the row's own, which it is compared with where the gate compares. Gates that
    check by facts get those of the row: `tests`, `program`, and as `gold` its right final answer.
    """

    gate: SerializeAsAny[Gate]

    def digest(self) -> str:
        return f"gate-{self.gate.digest()}"

    def contents(self) -> str:
        return self.gate.leans_on()

    def estimate(self, pool: PoolStatistics) -> Cost:
        return self.gate.estimate(pool)

    def lacks(self, row: Mapping[str, Any]) -> str:
        return self.gate.lacks(facts_of(row))

    def score(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
        return [mark.value for mark in self.marks(completions, rows)]

    def marks(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Mark]:
        proposals = [proposed(text, row) for text, row in zip(completions, rows, strict=True)]
        return [_mark(check) for check in checks_of(self.gate, proposals, Surroundings())] if proposals else []


def _mark(check: Check) -> Mark:
    value = float(check.passed) if check.passed or check.decided else None
    return Mark(value, check.reason, check.replies)


def proposed(text: str, row: Mapping[str, Any]) -> Proposal:
    """The proposal to answer a row with this text."""
    whole: Any = dict(row)
    before, said = split_answer(whole["messages"])
    made: Any = {**whole, "messages": [*before, message("assistant", text)], "rejected": None}
    return Proposal((row["id"],), row=made, before=whole if said else None, facts=facts_of(whole))


def facts_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a row holds to check its answers by. Tests stand alone: what they check is the answer's own program."""
    tests, _ = tests_of(row)
    if tests:
        return {"tests": tests}
    program, golds = fields_of(row).get("program"), references(row)
    found = {"program": program if isinstance(program, str) else "", "gold": golds[0] if golds else ""}
    return {name: value for name, value in found.items() if value.strip()}
