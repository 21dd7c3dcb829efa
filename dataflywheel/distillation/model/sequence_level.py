"""Sequence-level distillation: the teacher's own answers become the rows that a student is trained on."""

from __future__ import annotations

from typing import ClassVar

from dataflywheel.contracts import Card
from dataflywheel.distillation.answered_anew import AnsweredAnew
from dataflywheel.models.endpoint.request import Reply, Request, Sampling
from dataflywheel.proposing.metrics.tool_calls import written_calls
from dataflywheel.rows.formats.written_turns import asked_turns
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import split_answer


class SequenceLevel(AnsweredAnew):
    """Each row's prompt, answered by the teacher, in place of the row's answer; rows without one are answered too.

    `model` is the teacher. Its likeliest answer, at temperature 0, is what the published method takes for its whole
    distribution. It may call the tools that the row offers. An answer that was cut, declined or empty leaves the row as
    it is, and says why.
    """

    card: ClassVar[Card] = Card(
        title="Sequence-Level Knowledge Distillation",
        authors="Kim and Rush",
        year=2016,
        paper="1606.07947",
        category="distillation",
        subcategory="model",
        summary="The teacher answers every prompt, and its answers replace those of the rows.",
        needs=("endpoint",),
        cost="$",
        checked="a scripted teacher that truncates, refuses and repeats itself; a local folder, token by token",
        pays="A teacher of which one has the text alone, behind an endpoint or of another tokenizer, that answers "
        "better than the rows do.",
        fails="Its mistakes become the rows' answers, since nothing checks them: name gates, or take "
        "`generate_verify_keep` where results are known.",
    )
    from_answers: ClassVar[bool] = False
    question_tokens: ClassVar[int] = 0

    def _question(self, row: Row, sampling: Sampling, turn: int) -> Request:
        """The prompt as any user would send it: the answer is to follow it, and nothing else is read from it."""
        turns = asked_turns(split_answer(row["messages"])[0])
        return Request(turns, tools=row["tools"], sampling=sampling, sample=turn)

    def _read(self, row: Row, reply: Reply) -> tuple[str, str]:
        answer = reply.text.strip()
        if row["tools"] and not reply.calls and written_calls(answer):
            return "", "malformed: the answer calls tools within its text, in the spelling of its own template"
        return answer, "" if answer or reply.calls else "malformed: an empty answer"
