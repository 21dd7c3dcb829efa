"""What rewriters share: the exchange of a row that is rewritten, and the row that takes its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dataflywheel.models.endpoint.request import Reply
from dataflywheel.proposing.kinds import Proposal
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Message, Row, message
from dataflywheel.rows.text import split_answer, text_of, transcript
from dataflywheel.rows.thoughts import split_thoughts
from dataflywheel.rows.trainers.kind import LABELS


@dataclass(frozen=True)
class Exchange:
    """The last question of a row with its answer, and the turns before it, rendered."""

    context: str
    instruction: str
    answer: str

    @property
    def parts(self) -> dict[str, str]:
        """For a question to a model: the turns before only where there are some."""
        earlier = {"earlier turns": self.context} if self.context else {}
        return earlier | {"instruction": self.instruction, "answer": self.answer}


def exchange_of(row: Row) -> Exchange:
    """The parts of a row; empty where it has none."""
    before, final = split_answer(row["messages"])
    place = _last_user(before)
    if place is None:
        return Exchange(transcript(before), "", text_of(final))
    rest = [turn for i, turn in enumerate(before) if i != place]
    return Exchange(transcript(rest), before[place]["content"], text_of(final))


def unfit(row: Row, max_chars: int, answered: bool = True, thoughts: bool = False) -> str:
    """Why a row cannot be rewritten, or "". `answered`: it must have an answer already; `thoughts`: those before its
    answer are written anew as well."""
    exchange = exchange_of(row)
    if not exchange.instruction.strip():
        return "not rewritten, no instruction"
    if answered and not exchange.answer.strip():
        return "not rewritten, no answer"
    if row["messages"][-1]["tool_calls"]:
        return "not rewritten, the answer calls tools"
    if not thoughts and (row["messages"][-1]["reasoning"] or split_thoughts(row["messages"][-1]["content"])[0]):
        return "not rewritten, the thoughts before the answer would not fit another one"
    if row["media"]:
        return "not rewritten, the writer cannot see its images or sounds"
    if sum(map(len, exchange.parts.values())) > max_chars:
        return "not rewritten, too long"
    return ""


def rewritten(
    row: Row,
    made_by: str,
    answer: str,
    instruction: str | None = None,
    rejected: str | None = None,
    label: str | None = None,
    reasoning: str | None = None,
    calls: str | None = None,
) -> Row:
    """`row` with another final answer, with the thoughts before it and the calls of tools that it makes, as a row holds
    them, and another last instruction where one is given.

    Everything else stays: earlier turns, label, tools, source, tags, copies, extra. `rejected` makes the row a
    preference pair; a `label` takes the place of the row's own, which is left out where it says whether the old answer
    was wanted.
    """
    before, final = split_answer(row["messages"])
    kept = None if row["label"] in LABELS and before else row["label"]
    place = _last_user(before)
    messages: list[Message] = [
        {**turn, "content": instruction} if i == place and instruction is not None else turn
        for i, turn in enumerate(before)
    ]
    learn = final[0]["learn"] if final else None
    answered = message("assistant", answer, calls, reasoning=reasoning, learn=learn)
    other = row["rejected"] if rejected is None else [message("assistant", rejected)]
    made = remade(row, made_by, [*messages, answered], other, kept if label is None else label)
    made["copies"] = row["copies"]
    return made


def remade(row: Row, made_by: str, messages: list[Message], rejected: list[Message] | None, label: str | None) -> Row:
    """A row of these turns, rejected answer and label that is made from `row`, of which everything else is kept."""
    return make_row(
        messages,
        rejected=rejected,
        tools=row["tools"],
        label=label,
        source=row["source"],
        tags=row["tags"],
        extra=orjson.loads(row["extra"] or "{}"),
        parents=[row["id"]],
        made_by=made_by,
        round=row["round"],
        media=row["media"],
        cells=row["cells"],
        weight=row["weight"],
    )


def revised(
    row: Row,
    made_by: str,
    instruction: str | None,
    answer: str,
    replies: Sequence[Reply] = (),
    shown: Sequence[str] = (),
) -> Proposal:
    """The proposal that a revision of `row` makes, or why it is none. No `instruction`: that stays as it is."""
    before = exchange_of(row)
    instruction = None if instruction == before.instruction else instruction
    if not answer.strip() or (instruction is not None and not instruction.strip()):
        return unchanged(row, "malformed: an empty revision", replies)
    if instruction is not None and row["rejected"]:
        return unchanged(row, "not rewritten, the rejected answer belongs to the old instruction", replies)
    if instruction is None and answer == before.answer:
        return unchanged(row, "nothing to revise", replies)
    return replaced(row, rewritten(row, made_by, answer, instruction), replies, shown)


def unchanged(row: Row, why: str, replies: Sequence[Reply] = (), drop: bool = False) -> Proposal:
    """A proposal without a row: `row` stays as it is, or with `drop` leaves the data set."""
    facts = {"drop": True} if drop else {}
    return Proposal((row["id"],), failure=why, before=row, facts=facts, replies=tuple(replies))


def replaced(
    row: Row,
    by: Row,
    replies: Sequence[Reply] = (),
    shown: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
    drop: bool = False,
) -> Proposal:
    """A proposal that `by` takes the place of `row`; with `drop` the row leaves the data set where a gate says no."""
    told = {**(facts or {}), **({"drop": True} if drop else {})}
    return Proposal((row["id"],), row=by, before=row, shown=tuple(shown), facts=told, replies=tuple(replies))


def _last_user(before: Sequence[Message]) -> int | None:
    return max((i for i, turn in enumerate(before) if turn["role"] == "user"), default=None)
