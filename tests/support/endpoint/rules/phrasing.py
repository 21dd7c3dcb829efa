"""From what a rule believes to the text of an answer: a filled template or a filled JSON schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Template
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from tests.support.endpoint.question import Question

REASON = "The answer follows the instruction."
NAMES = {
    "first": ("first", "a", "1", "answer_a", "answer 1", "response 1"),
    "second": ("second", "b", "2", "answer_b", "answer 2", "response 2"),
    "tie": ("tie", "0", "c", "both", "equal", "same"),
}
VERDICTS = tuple(NAMES)


class RuleBase(BaseModel):
    """Which requests a rule answers: those whose text holds `match`, to `model`; empty fits all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: str = ""
    model: str = ""

    def fits(self, question: Question) -> bool:
        return (not self.model or self.model == question.model) and self.match in question.text


@dataclass(frozen=True)
class Belief:
    """What a rule found about one row."""

    id: str = ""
    score: float | int | None = None
    verdict: str = ""
    """first, second or tie."""
    tags: Sequence[str] = ()
    truth: float | None = None
    reason: str = REASON


@dataclass(frozen=True)
class Answer:
    """`alternatives`: probabilities of the texts that could stand where `decisive` stands."""

    text: str
    decisive: str = ""
    alternatives: Mapping[str, float] = field(default_factory=dict)
    logprobs: Sequence[tuple[str, float, Mapping[str, float]]] | None = None
    """Tokens with log-probabilities and alternatives, where a true model gave them."""
    finish: str = ""


def phrase(question: Question, beliefs: Sequence[Belief], template: str, labels: Sequence[str]) -> str:
    """The answer about one or several rows; `labels` are the texts for first, second and tie."""
    if question.schema is not None:
        return orjson.dumps(fill(question.schema, beliefs, labels)).decode()
    lines = []
    for belief in beliefs:
        verdict = labels[VERDICTS.index(belief.verdict)] if belief.verdict else ""
        tags = orjson.dumps(list(belief.tags)).decode()
        values = {"score": _number(belief.score), "id": belief.id, "verdict": verdict, "tags": tags}
        values |= {"reason": belief.reason, "truth": _number(belief.truth)}
        lines.append(Template(template).safe_substitute(values))
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def fill(schema: Mapping[str, Any], beliefs: Sequence[Belief], labels: Sequence[str]) -> Any:
    """A value that follows `schema` and says what is believed."""
    return _Filler(schema, labels).value(schema, beliefs, "")


class _Filler:
    def __init__(self, root: Mapping[str, Any], labels: Sequence[str]) -> None:
        self.definitions = {**root.get("$defs", {}), **root.get("definitions", {})}
        self.labels = labels

    def value(self, schema: Mapping[str, Any], beliefs: Sequence[Belief], name: str) -> Any:
        schema, belief = self._resolved(schema), beliefs[0]
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._enum(schema["enum"], belief)
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if kind == "object":
            return {key: self.value(part, beliefs, key) for key, part in schema.get("properties", {}).items()}
        if kind == "array":
            return self._list(schema.get("items", {}), beliefs, name)
        if kind in ("integer", "number"):
            return self._bounded(schema, belief, kind)
        if kind == "boolean":
            return bool(belief.score) if belief.score is not None else belief.verdict == "first"
        if name in ("id", "row", "row_id"):
            return belief.id
        return belief.tags[0] if name == "tag" and belief.tags else belief.reason

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema or "anyOf" in schema or "allOf" in schema:
            if "$ref" in schema:
                schema = self.definitions[schema["$ref"].rpartition("/")[2]]
            else:
                options = schema.get("anyOf") or schema["allOf"]
                schema = next(option for option in options if option.get("type") != "null")
        return schema

    def _list(self, items: Mapping[str, Any], beliefs: Sequence[Belief], name: str) -> list[Any]:
        properties = self._resolved(items).get("properties", {}) if items else {}
        if "id" in properties or "row" in properties or "row_id" in properties:
            return [self.value(items, [belief], name) for belief in beliefs]
        if "tag" in properties:
            one = beliefs[0]
            return [self.value(items, [Belief(one.id, one.score, one.verdict, [tag])], name) for tag in one.tags]
        return list(beliefs[0].tags) if beliefs[0].tags else [self.value(items, beliefs, name)]

    def _enum(self, options: Sequence[Any], belief: Belief) -> Any:
        if belief.score is not None and all(type(option) in (int, float) for option in options):
            return min(options, key=lambda option: abs(option - belief.score))
        if not belief.verdict:
            return next((o for o in options if _number(belief.score) == str(o)), options[0])
        names = (self.labels[VERDICTS.index(belief.verdict)].lower(), *NAMES[belief.verdict])
        matching = [option for option in options if str(option).lower() in names]
        return matching[0] if matching else options[min(VERDICTS.index(belief.verdict), len(options) - 1)]

    def _bounded(self, schema: Mapping[str, Any], belief: Belief, kind: str) -> float:
        value: float = belief.score if belief.score is not None else VERDICTS.index(belief.verdict or "tie")
        value = max(schema.get("minimum", value), min(schema.get("maximum", value), value))
        return round(value) if kind == "integer" else value
