"""A tagger that writes the true tags as a model does: sometimes in other spelling, sometimes not at all."""

from __future__ import annotations

from typing import Literal

import orjson

from tests.support.endpoint.draws import pick, unit
from tests.support.endpoint.question import Question
from tests.support.endpoint.rules.phrasing import Answer, Belief, RuleBase, phrase

SPELLINGS = (str.upper, str.title, lambda tag: f"{tag}s", lambda tag: f"#{tag}", lambda tag: f" {tag}. ")


class Tagger(RuleBase):
    """Each true tag is forgotten with probability `drop`, and spelt another way with probability `variants`."""

    rule: Literal["tagger"]
    drop: float = 0.0
    variants: float = 0.0
    invent: float = 0.0
    """Probability of one tag that is not true."""
    tags: dict[str, list[str]] = {}
    """Tags by row id, for rows without a mark."""
    template: str = ""
    """Empty: a JSON list of {"tag", "explanation"}."""

    def answer(self, question: Question, choice: int) -> Answer:
        salt = question.salt(choice)
        marked = question.marked("tags")
        rows = [[tag for tag in value.split(",") if tag] for value in marked]
        rows = rows or [self.tags[name] for name in question.ids if name in self.tags] or [[]]
        beliefs = []
        for i, tags in enumerate(rows):
            said = [self._spelt(tag, (*salt, i)) for tag in tags if unit(*salt, i, tag, "drop") > self.drop]
            if unit(*salt, i, "invent") < self.invent:
                said.append(f"invented {pick([1.0] * 50, *salt, i)}")
            beliefs.append(Belief(question.ids[i] if i < len(question.ids) else "", tags=said))
        if question.schema is None and not self.template:
            listed = [{"tag": tag, "explanation": f"It is about {tag}."} for tag in beliefs[0].tags]
            return Answer(orjson.dumps(listed).decode())
        return Answer(phrase(question, beliefs, self.template, ("first", "second", "tie")))

    def _spelt(self, tag: str, salt: tuple[object, ...]) -> str:
        if unit(*salt, tag, "variant") > self.variants:
            return tag
        return SPELLINGS[pick([1.0] * len(SPELLINGS), *salt, tag, "spelling")](tag)
