"""An inventor: whatever texts it is asked for, it makes them of words that nobody has written before."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Literal

import orjson

from tests.support.endpoint.question import Question
from tests.support.endpoint.rules.phrasing import Answer, RuleBase

ONSETS, VOWELS = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z"], ["a", "e", "i", "o", "u"]


class Inventor(RuleBase):
    """Fills the form that is asked for: texts are sentences of new words, numbers the largest that are allowed."""

    rule: Literal["inventor"]
    words: int = 12

    def answer(self, question: Question, choice: int) -> Answer:
        draw = random.Random(f"{question.seed} {question.key} {choice}")
        if question.schema is None:
            return Answer(self._sentence(draw))
        return Answer(orjson.dumps(self._value(question.schema, draw)).decode())

    def _value(self, schema: Mapping[str, Any], draw: random.Random) -> Any:
        if "properties" in schema:
            return {name: self._value(part, draw) for name, part in schema["properties"].items()}
        if "enum" in schema:
            return draw.choice(schema["enum"])
        if schema.get("type") == "array":
            return [self._value(schema["items"], draw)]
        if schema.get("type") in ("integer", "number"):
            return schema.get("maximum", 1)
        return schema.get("type") == "boolean" or self._sentence(draw)

    def _sentence(self, draw: random.Random) -> str:
        words = ["".join(draw.choice(ONSETS) + draw.choice(VOWELS) for _ in range(3)) for _ in range(self.words)]
        return f"{' '.join(words).capitalize()}."
