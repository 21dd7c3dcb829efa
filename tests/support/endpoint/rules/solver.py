"""A model that adds: it answers, compares, checks and rewords sums, and is wrong as often as it is told to be."""

from __future__ import annotations

import re
from typing import Literal

import orjson

from tests.support.endpoint.draws import unit
from tests.support.endpoint.question import Question
from tests.support.endpoint.rules.phrasing import Answer, RuleBase
from tests.support.endpoint.rules.writer import PART

SUM = re.compile(r"(\d+) (?:\+|and) (\d+)")
NUMBER = re.compile(r"\d+")


class Solver(RuleBase):
    """Knows the sum of the first `3 + 4` or `3 and 4` of a question.

    A plain question is answered by `It is 7.`; of quoted material it says whether answers agree, are right, or which is
    better, in the form that it is asked for. A `question` alone is reworded with its numbers; with probability `slips`
    one of them is another.
    """

    rule: Literal["solver"]
    slips: float = 0.0

    def answer(self, question: Question, choice: int) -> Answer:
        parts = {name: text for name, _, text in PART.findall(question.text)}
        asked = parts.get("question") or parts.get("instruction")
        if asked is None:
            return Answer(
                f"#### {truth(question.text)}" if "####" in question.text else f"It is {truth(question.text)}."
            )
        said: dict[str, object] = {}
        right = truth(asked)
        if "other wording" in parts:
            said |= {"analysis": "so", "same": "yes" if truth(parts["other wording"]) == right else "no"}
        elif "reference" in parts:
            said["agree"] = [
                "yes" if number(text) == number(parts["reference"]) else "no"
                for name, text in parts.items()
                if name.startswith("other")
            ]
        elif "answer 1" in parts:
            good = [number(parts[f"answer {n}"]) == right for n in (1, 2)]
            said |= {"analysis": "so", "better": "equal" if good[0] == good[1] else "1" if good[0] else "2"}
        elif "answer" in parts:
            said |= {"analysis": "so", "verdict": "correct" if number(parts["answer"]) == right else "incorrect"}
        else:
            said["text"] = self.reworded(asked, unit(question.seed, question.key, choice, "slip"))
        return Answer(orjson.dumps(said).decode())

    def reworded(self, asked: str, draw: float) -> str:
        new = SUM.sub(r"\1 and \2 together", asked, count=1)
        return NUMBER.sub(lambda found: str(int(found[0]) + 1), new, count=1) if draw < self.slips else new


def truth(text: str) -> int | None:
    found = SUM.search(text)
    return int(found[1]) + int(found[2]) if found else None


def number(text: str) -> int | None:
    found = NUMBER.findall(text)
    return int(found[-1]) if found else None
