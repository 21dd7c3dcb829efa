"""Questions with calls of tools: the forms in which they are written and checked, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.request import Reply
from dataflywheel.models.endpoint.structured import Form
from dataflywheel.proposing.metrics.tool_calls import written_calls
from dataflywheel.rows.schema import Row
from dataflywheel.synthesis.instruction.tool_schemas import UNKNOWN_TOOL, Tool, misfit

NAMES_TOOL = "the question names a tool"
NUMBER = "another number of calls than was asked for"
TWICE = "the same call twice"
Kind = Literal["one", "several", "none"]


class OneCall(BaseModel):
    """A call as it is written: arguments are JSON in a text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    arguments: str


class Asked(Form):
    """A question, and the calls or the reply to it."""

    question: str = Field(min_length=1)
    calls: list[OneCall] = Field(json_schema_extra={"maxItems": 4})
    reply: str


class Verdict(Form):
    """Whether the calls are right, and why."""

    limit: ClassVar[int] = 256

    reason: str = words(500)
    fits: bool


@dataclass
class Draft:
    """One question on its way through the three layers."""

    seed: Row
    kind: Kind
    tools: Sequence[Tool]
    why: str = ""
    layer: str = ""
    prompt: str = ""
    reply: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    replies: tuple[Reply, ...] = ()

    def fails(self, why: str, layer: str) -> None:
        self.why, self.layer = why, layer

    @property
    def shown(self) -> str:
        """The tools as the model sees them."""
        return orjson.dumps([tool.spec for tool in self.tools], option=orjson.OPT_SORT_KEYS).decode()


def arguments_of(call: OneCall) -> dict[str, Any] | None:
    """The arguments of a call as it is written; None where they are no JSON object."""
    try:
        given = orjson.loads(call.arguments)
    except orjson.JSONDecodeError:
        return None
    return given if isinstance(given, dict) else None


def fault(one: Draft) -> str:
    """Why what was written is no question with calls that fit the tools, or ""."""
    if not one.prompt or (one.kind == "none" and not one.reply):
        return f"malformed: an empty {'reply' if one.prompt else 'question'}"
    told = next((t.name for t in one.tools if ("_" in t.name or "." in t.name) and t.name in one.prompt), "")
    if told:
        return f"{NAMES_TOOL}: {told}"
    many = len(one.calls) + (len(written_calls(one.reply)) if one.kind == "none" else 0)
    if not {"one": many == 1, "several": many > 1, "none": not many}[one.kind]:
        return f"{NUMBER}: {many} for {one.kind}"
    schemas = {tool.name: tool.schema for tool in one.tools}
    for call in one.calls:
        if call["name"] not in schemas:
            return f"{UNKNOWN_TOOL}: {call['name'][:60]}"
        why = misfit(schemas[call["name"]], call["arguments"])
        if why:
            return why
    keys = [orjson.dumps(call, option=orjson.OPT_SORT_KEYS) for call in one.calls]
    return TWICE if len(set(keys)) < len(keys) else ""


def material(one: Draft) -> dict[str, str]:
    """What is shown of a draft to compare its calls with its question."""
    shown = {"tools": one.shown, "question": one.prompt}
    if not one.calls:
        return {**shown, "reply": one.reply}
    shown["calls"] = "\n".join(orjson.dumps(call).decode() for call in one.calls)
    return {**shown, "results": "\n".join(one.results)} if one.results else shown
