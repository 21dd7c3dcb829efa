"""Proposals of plain prompts and answers, and pools that they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import Row, table


def new(prompt: str, answer: str, **facts: Any) -> Proposal:
    return Proposal((), prompt_answer_row(prompt, answer), **facts)


def rewrite(before: tuple[str, str], after: tuple[str, str], **facts: Any) -> Proposal:
    old = prompt_answer_row(*before)
    return Proposal((old["id"],), prompt_answer_row(*after), before=old, **facts)


def pool_of(folder: Path, rows: Sequence[Row]) -> Path:
    """The folder, with these rows in it."""
    folder.mkdir(exist_ok=True)
    with PartWriter(folder) as writer:
        writer.write(table(rows))
    return folder


def check(gate: Gate, proposal: Proposal) -> Check:
    (found,) = gate.check([proposal], Surroundings())
    return found
