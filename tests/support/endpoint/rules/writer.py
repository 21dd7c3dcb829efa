"""A writer: revises answers and asks about documents by rule, in the form that it is asked for."""

from __future__ import annotations

import re
from typing import Literal

import orjson

from tests.support.endpoint.draws import unit
from tests.support.endpoint.question import Question
from tests.support.endpoint.rules.phrasing import Answer, RuleBase

PART = re.compile(r"^<([\w ]+) ([0-9a-f]{4,})>\n(.*?)\n</\1 \2>$", re.MULTILINE | re.DOTALL)
SENTENCE = re.compile(r"\S.*?[.!?](?=\s|$)", re.DOTALL)


class Writer(RuleBase):
    """To an instruction with its answer it adds a sentence; of a document's part it quotes one.

    With probability `errors` it goes on with a number that stands nowhere and breaks off, for gates to find.
    """

    rule: Literal["writer"]
    errors: float = 0.0

    def answer(self, question: Question, choice: int) -> Answer:
        parts = {name: text for name, _, text in PART.findall(question.text)}
        if not parts:
            return Answer("hello")
        # Not by the attempt: asked again by another run, it says the same.
        draw = unit(question.seed, question.key, choice, "error")
        wrong = " It happened 4711 times, and the" if draw < self.errors else ""
        if "answer" in parts:
            said: dict[str, object] = {
                "instruction": parts["instruction"],
                "answer": f"{parts['answer']}\n\nThis is the whole of it.{wrong}",
            }
        else:
            sentence = (SENTENCE.search(parts["part"]) or [parts["part"]])[0]
            about = " ".join(sentence.split()[:6])
            pair = {
                "question": f"What does {parts.get('subject', 'it')} say of {about}?",
                "evidence": sentence,
                "answer": sentence + wrong,
            }
            said = {"pairs": [pair]}
        return Answer(orjson.dumps(said).decode())
