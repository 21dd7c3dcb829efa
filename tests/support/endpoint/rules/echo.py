"""The plainest rule: a fixed text, or the question itself."""

from __future__ import annotations

from typing import Literal

from tests.support.endpoint.draws import unit
from tests.support.endpoint.question import Question, text_of
from tests.support.endpoint.rules.phrasing import Answer, RuleBase


class Echo(RuleBase):
    """Answers with `text`, or with the last message; at a temperature above 0 each sample names its draw."""

    rule: Literal["echo"]
    text: str | None = None
    vary: bool = False
    """Add a hash of the draw, so that samples differ."""

    def answer(self, question: Question, choice: int) -> Answer:
        turns = question.body.get("messages")
        said = text_of(turns[-1].get("content")) if turns else question.text
        text = said if self.text is None else self.text
        if self.vary:
            text = f"{text} {int(unit(*question.salt(choice)) * 0xFFFF):04x}"
        return Answer(text)
