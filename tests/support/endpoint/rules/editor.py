"""An editor: adds a plain sentence to answers, sees which documents an answer rests on, and prefers what says more."""

from __future__ import annotations

import re
from typing import Any, Literal

import orjson

from dataflywheel.evolution.judging.self_test import KNOWN
from tests.support.endpoint.draws import unit
from tests.support.endpoint.question import Question
from tests.support.endpoint.rules.phrasing import Answer, RuleBase

PART = re.compile(r"^<([\w ]+) ([0-9a-f]{4,})>\n(.*?)\n</\1 \2>$", re.MULTILINE | re.DOTALL)
GOOD = {answers[place % 2] for place, (_, *answers) in enumerate(KNOWN)}
"""The better answers of the pairs by which judges are tried."""


class Editor(RuleBase):
    """Rewrites by adding a sentence, names documents that share no long word with the answer, and judges by length.

    With probability `errors` a rewriting holds a number that stands nowhere, which gates and judges are to find.
    """

    rule: Literal["editor"]
    errors: float = 0.0

    def answer(self, question: Question, choice: int) -> Answer:
        parts = {name: text for name, _, text in PART.findall(question.text)}
        if not parts:
            return Answer("hello")
        fields = (question.schema or {}).get("properties", {})
        wrong = unit(question.seed, question.key, choice, "error") < self.errors
        return Answer(orjson.dumps(self._said(parts, fields, wrong)).decode())

    def _said(self, parts: dict[str, str], fields: dict[str, Any], wrong: bool) -> dict[str, Any]:
        said: dict[str, Any] = {"analysis": "It was looked at.", "faults": "It could say more."}
        if "irrelevant" in fields:
            said["irrelevant"] = _foreign(parts)
        elif "better" in fields:
            one, other = (parts.get(f"answer_{n}", parts.get(f"answer {n}", "")) for n in (1, 2))
            both = {one, other} & GOOD
            said["better"] = "1" if (one in both if both else _worth(one) > _worth(other)) else "2"
        else:
            more = "It happened 4711 times." if wrong else "Try it once on something small."
            said |= {"instruction": parts.get("instruction", ""), "answer": f"{parts['answer'].rstrip()} {more}"}
        return {name: said[name] for name in fields}


def _worth(answer: str) -> int:
    return -1 if "4711" in answer else len(answer)


def _foreign(parts: dict[str, str]) -> list[int]:
    """The numbers of the documents that hold no word of six letters or more of the answer."""
    said = set(re.findall(r"\w{6,}", parts["answer"].casefold()))
    documents = {int(name.split()[1]): text for name, text in parts.items() if name.startswith("document ")}
    return [n for n, text in documents.items() if not said & set(re.findall(r"\w{6,}", text.casefold()))]
