"""Questions on tape: who would be asked, without anybody who answers, but with made-up answers that lead on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataflywheel.models.endpoint.chat_model import Capabilities
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, TokenLogprob
from dataflywheel.models.spec import Price


@dataclass
class Tape:
    """What a method asked, in order, and what it was told. `pick` varies the answers: the first or the last of several
    choices, a higher or a lower number."""

    pick: int = 0
    takes_schema: bool = True
    """Whether forms go as a JSON schema; else as an example in the prompt."""
    told: Sequence[Reply] = ()
    """Answers to give, in order, before any is made up: those of an earlier tape."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Texts of fields of forms that not every text can be."""
    asked: list[tuple[str, Request]] = field(default_factory=list)
    """The model's name, and the question."""
    replies: list[Reply] = field(default_factory=list)

    def take(self, to: str, request: Request) -> Reply:
        number = len(self.asked)
        self.asked.append((to, request))
        reply = self.told[number] if number < len(self.told) else made_up(request, self.pick, number, self.fields)
        self.replies.append(reply)
        return reply


class Recorder:
    """A client that has every question of one model on a tape."""

    def __init__(self, name: str, tape: Tape) -> None:
        self.name, self.tape = name, tape
        self.model = RecordedModel(name, tape.takes_schema)

    def ask(self, requests: Sequence[Request]) -> list[Reply]:
        return [self.tape.take(self.name, request) for request in requests]


class RecordedModel:
    """A model that can do all that a method may need, and says nothing."""

    def __init__(self, name: str, takes_schema: bool) -> None:
        self.identity = name
        self.price = Price()
        self.capabilities = Capabilities(
            completion=True, logprobs=True, seed=True, json_schema=takes_schema, thinks=False
        )

    async def send(self, request: Request) -> Reply:
        return Reply(Outcome.ANSWERED)

    def tokens(self, request: Request) -> int:
        return 0

    async def close(self) -> None:
        """Nothing is open."""


def made_up(request: Request, pick: int, number: int, fields: Mapping[str, str] | None = None) -> Reply:
    """An answer of the asked form that says nothing; texts of equal requests differ by their number.

    >>> made_up(Request(schema='{"type": "object", "properties": {"same": {"type": "boolean"}}}'), 0, 1).text
    '{"same": true}'
    """
    if request.schema is not None:
        schema = json.loads(request.schema)
        return Reply(Outcome.ANSWERED, json.dumps(_value(schema, schema.get("$defs", {}), pick, number, fields or {})))
    text = f"{_text(pick, number)}\nAnswer: {number}" if not pick else _text(pick, number)
    return Reply(Outcome.ANSWERED, text, logprobs=(TokenLogprob(text, -0.1),) if request.sampling.top_logprobs else ())


def _text(pick: int, number: int) -> str:
    said = f"Text number {number} stands here in place of an answer"
    return f"{said}." if pick != 1 else f"{said}.\n#### {number}"


def _value(part: Mapping[str, Any], known: Mapping[str, Any], pick: int, number: int, fields: Mapping[str, str]) -> Any:
    if "$ref" in part:
        return _value(known[part["$ref"].rpartition("/")[2]], known, pick, number, fields)
    if "anyOf" in part:
        return _value(part["anyOf"][0], known, pick, number, fields)
    options = part.get("enum", [part["const"]] if "const" in part else [])
    if options:
        return options[-pick % len(options)]
    kind = part.get("type")
    if kind == "object":
        return {
            name: fields.get(name) or _value(one, known, pick, number, fields)
            for name, one in part["properties"].items()
        }
    if kind == "array":
        return [_value(part["items"], known, pick, number, fields) for _ in range(max(1, part.get("minItems", 1)))]
    if kind in ("integer", "number"):
        low, high = part.get("minimum", 0), part.get("maximum", 1)
        return low if (number + pick) % 2 else high
    return {"boolean": pick == 0, "null": None}.get(str(kind), _text(pick, number))
