"""A librarian: asks about passages and tables, answers from them, and finds all of it good."""

from __future__ import annotations

import random
import re
from typing import Any, Literal

import orjson

from tests.support.endpoint.question import Question
from tests.support.endpoint.rules.phrasing import Answer, RuleBase

_PART = re.compile(r"^<([^<>\n]+) ([0-9a-f]{4,})>\n(.*?)\n</\1 \2>$", re.DOTALL | re.MULTILINE)
_CONDITION = re.compile(r"(\w+) in (\w+) has (\w+) above (-?\d+)")


class Librarian(RuleBase):
    """Pairs are sentences of the passage with the question for them; queries are what their question says."""

    rule: Literal["librarian"]

    def answer(self, question: Question, choice: int) -> Answer:
        parts = {name: text for name, _, text in _PART.findall(question.text)}
        fields = (question.schema or {}).get("properties", {})
        draw = random.Random(f"{question.seed} {question.key} {choice}")
        return Answer(orjson.dumps(self._said(parts, fields, draw)).decode())

    def _said(self, parts: dict[str, str], fields: dict[str, Any], draw: random.Random) -> dict[str, Any]:
        if "verdict" in fields:
            word = fields["verdict"]
            return {"reason": "It is so.", "verdict": word.get("enum", [word.get("const")])[0]}
        if "fact" in fields:
            table, column = parts["columns"].split("\n")[0].split(".")
            asked = (
                f"Which {draw.choice(['name', 'thing', 'body'])} in {table} has {column} above {draw.randint(0, 99)}?"
            )
            return {"fact": "Some are above.", "question": asked, "query": _query(asked)}
        if "plan" in fields:
            return {"plan": "Read it.", "query": _query(parts["question"])}
        sentences = [text for text in re.split(r"(?<=[.!?])\s+", parts.get("passage", "")) if len(text.split()) > 4]
        some = draw.sample(sentences, min(2, len(sentences))) or ["Nothing is said."]
        return {"pairs": [{"question": f"What is to be known of {text.split()[0]} {draw.random():.6f}?", "answer": text}
                          for text in some]}  # fmt: skip


def _query(asked: str) -> str:
    found = _CONDITION.search(asked)
    assert found is not None, asked
    _, table, column, number = found.groups()
    return f'SELECT count(*), min("{column}") FROM "{table}" WHERE "{column}" > {number} OR "{column}" = {number}'
