"""Proposals of plain prompts and answers."""

from __future__ import annotations

from typing import Any

from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row


def new(prompt: str, answer: str, **facts: Any) -> Proposal:
    return Proposal((), prompt_answer_row(prompt, answer), **facts)


def rewrite(before: tuple[str, str], after: tuple[str, str], **facts: Any) -> Proposal:
    old = prompt_answer_row(*before)
    return Proposal((old["id"],), prompt_answer_row(*after), before=old, **facts)


def check(gate: Gate, proposal: Proposal) -> Check:
    (found,) = gate.check([proposal], Surroundings())
    return found
