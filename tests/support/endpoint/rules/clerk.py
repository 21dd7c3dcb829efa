"""A clerk who reads letters and tickets by their words: turns praise into complaints, leaves insults out."""

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
SIGNS = {
    "billing": ["the invoice", "a charge"], "delivery": ["the parcel", "a courier"],
    "returns": ["the refund", "a label"],
}  # fmt: skip
"""Words by which a ticket shows what it is about."""
INSULT = re.compile(r"(?i)\b(you )?((stupid|lazy|useless|fools?|idiots?)\b[ !.]*)+")


class Clerk(RuleBase):
    """Fills the form that is asked for, from the material alone; who is told to shut up leaves a text as it is."""

    rule: Literal["clerk"]
    errors: float = 0.0
    """Share of tickets that are a copy, and share of those that are about something else than they are to be."""

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
            return {"text": _another(parts, draw, self.errors)}
        return {"text": parts["text"] if "Shut up" in parts["text"] else INSULT.sub("", parts["text"])}


def _turned(text: str) -> str:
    other = {**OPPOSITE, **{bad: good for good, bad in OPPOSITE.items()}}
    return re.sub(r"\w+", lambda word: other.get(word[0], word[0]), text)


def _found(text: str, labels: list[str]) -> str:
    """The label whose signs stand in a ticket, or else whether a letter praises or complains."""
    for label, signs in SIGNS.items():
        if label in labels and any(sign.split()[1] in text.casefold() for sign in signs):
            return label
    bad = bool(set(re.findall(r"\w+", text.casefold())) & {*OPPOSITE.values()})
    return next((label for label in sorted(labels) if (label == "complaint") == bad), labels[0])


def _another(parts: dict[str, str], draw: random.Random, errors: float) -> str:
    """One more text: of the label's words among new ones, a copy, or another label's."""
    chance = draw.random()
    if chance < errors:
        return parts["text 1"]
    label = parts["label"] if chance >= 2 * errors else next(one for one in SIGNS if one != parts["label"])
    new = ["".join(draw.choice("bdfgklmnprstvz") + draw.choice("aeiou") for _ in range(3)) for _ in range(10)]
    return f"{' '.join(new).capitalize()}, and it is about {draw.choice(SIGNS[label])}."
