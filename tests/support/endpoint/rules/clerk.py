"""A clerk who reads letters by their words: turns praise into complaints and back, says which it is, leaves
insults out."""

from __future__ import annotations

import random
import re
from typing import Any, Literal

import orjson

from tests.support.endpoint.question import Question
from tests.support.endpoint.rules.editor import PART
from tests.support.endpoint.rules.phrasing import Answer, RuleBase

OPPOSITE = {
    "lovely": "dreary", "bright": "dark", "tidy": "dirty", "quick": "slow", "easy": "hard", "warm": "cold",
    "friendly": "unfriendly",
}  # fmt: skip
"""Words of praise, each with the one of complaint."""
INSULT = re.compile(r"(?i)\b(you )?((stupid|lazy|useless|fools?|idiots?)\b[ !.]*)+")


class Clerk(RuleBase):
    """Fills the form that is asked for, from the material alone; who is told to shut up leaves a text as it is."""

    rule: Literal["clerk"]

    def answer(self, question: Question, choice: int) -> Answer:
        parts = {name: text for name, _, text in PART.findall(question.text)}
        if not parts:
            return Answer("hello")
        fields = (question.schema or {}).get("properties", {})
        draw = random.Random(f"{question.seed} {question.key} {choice}")
        return Answer(orjson.dumps(self._said(parts, fields, draw)).decode())

    def _said(self, parts: dict[str, str], fields: dict[str, Any], draw: random.Random) -> dict[str, Any]:
        if "label" in fields:
            return {"analysis": "The words say it.", "label": _found(parts["text"], parts["labels"].split("\n"))}
        if "changes" in fields:
            return {"changes": "The words of praise or complaint.", "text": _turned(parts["text"])}
        if "label" in parts:
            return {"text": _another(parts, draw)}
        return {"text": parts["text"] if "Shut up" in parts["text"] else INSULT.sub("", parts["text"])}


def _turned(text: str) -> str:
    other = {**OPPOSITE, **{bad: good for good, bad in OPPOSITE.items()}}
    return re.sub(r"\w+", lambda word: other.get(word[0], word[0]), text)


def _found(text: str, labels: list[str]) -> str:
    """The label whose first word stands in the text, or else whether it is praise."""
    words = set(re.findall(r"\w+", text.casefold()))
    named = [label for label in labels if label.casefold() in words]
    bad = bool(words & {*OPPOSITE.values()})
    return named[0] if named else next(label for label in sorted(labels) if (label == "complaint") == bad)


def _another(parts: dict[str, str], draw: random.Random) -> str:
    return ""
