"""What was asked of an endpoint and what it replied, in the bodies of the usual APIs."""

from __future__ import annotations

from typing import Any

from dataflywheel.rows.formats.content import read_content
from dataflywheel.rows.formats.draft import ReadError, Record, kind, present
from dataflywheel.rows.formats.ends import whole
from dataflywheel.rows.formats.langchain import opened as unpacked
from dataflywheel.rows.formats.responses import are_items, read_items
from dataflywheel.rows.formats.serialized import in_text
from dataflywheel.rows.formats.tool_specs import take_tools
from dataflywheel.rows.formats.turn_thoughts import read_thoughts
from dataflywheel.rows.formats.turns import read_turn, read_turns
from dataflywheel.rows.schema import Medium, Message, message

ASKED = ("messages", "input", "contents", "prompt", "inputs")
REPLIED = ("choices", "output", "candidates", "message", "messages", "content", "generations")
LONE = ("completion", "text", "generated_text", "response", "output_text", "answer", "output")
SYSTEM = ("system", "instructions", "systemInstruction", "system_instruction")


def body(value: Any) -> Any:
    """A body, which may lie under `body`, and be written as text there."""
    held = value.get("body") if isinstance(value, dict) else None
    if isinstance(held, str) and held.lstrip()[:1] == "{":
        held = in_text(held)
    return held if isinstance(held, dict) else value


def asked(value: Any, field: str, media: list[Medium]) -> tuple[list[Message], str | None]:
    """The turns of a request, and its tools.

    Raises:
        ReadError: it holds no turns.
    """
    value = body(value)
    if isinstance(value, str):
        return [message("user", value)], None
    if isinstance(value, list):
        return (read_items if are_items(value) else turns_in)(value, field, media), None
    if not isinstance(value, dict):
        raise ReadError(field, f"expected a request, got {kind(value)}")
    value = present(value)
    key = next((key for key in ASKED if value.get(key)), None)
    if key is None:
        lone = lone_text(value)
        if lone is None:
            raise ReadError(field, f"expected a request with one of {', '.join(ASKED)}")
        return [message("user", lone)], None
    turns, _ = asked(value[key], f"{field}.{key}", media)
    for name in SYSTEM:
        said = value.get(name)
        if said:
            parts = said.get("parts") if isinstance(said, dict) else said
            turns = [message("system", read_content(parts, f"{field}.{name}")), *turns]
    return turns, take_tools(dict(value))


def turns_in(value: list[Any], field: str, media: list[Medium]) -> list[Message]:
    return read_turns(value, field, media)[0]


def replied(value: Any, field: str, media: list[Medium]) -> list[Message]:
    """The turns of a reply.

    Raises:
        ReadError: it is an error, has several choices, or holds no turn.
    """
    if isinstance(value, dict) and value.get("error"):
        raise ReadError(f"{field}.error", f"the request failed: {str(value['error'])[:80]}")
    if isinstance(value, dict) and isinstance(status := value.get("status_code"), int) and status >= 400:
        raise ReadError(f"{field}.status_code", f"the request failed with {status}")
    value = body(value)
    if isinstance(value, str) and value.startswith("data: {"):
        raise ReadError(field, "a stream of events; put its pieces together, and log the whole answer")
    if isinstance(value, str):
        return [message("assistant", value)]
    if isinstance(value, list) and len(value) == 1 and not are_items(value):
        return replied(value[0], field, media)
    if are_items(value):
        return read_items(value, field, media)
    if not isinstance(value, dict):
        raise ReadError(field, f"expected a reply, got {kind(value)}")
    value = present(value)
    if value.get("error"):
        raise ReadError(f"{field}.error", f"the request failed: {str(value['error'])[:80]}")
    whole(value, field)
    value = unpacked(value)
    if isinstance(value.get("role"), str):
        return read_turn(value, field, media)
    key = next((key for key in REPLIED if value.get(key)), None)
    if key in ("choices", "candidates", "generations") and isinstance(value[key], list) and len(value[key]) > 1:
        raise ReadError(
            f"{field}.{key}",
            f"{len(value[key])} answers; name one: columns: {{prompt: ..., answer: '{field}.{key}[0]'}}",
        )
    if key == "content" and isinstance(value[key], dict) and "parts" in value[key]:
        return read_turn({"role": "model", **value[key]}, f"{field}.content", media)
    if key == "content":
        return read_turn({"role": "assistant", "content": value[key]}, field, media)
    if key == "messages":
        return turns_in(value[key], f"{field}.messages", media)
    if key is not None:
        return replied(value[key], f"{field}.{key}", media)
    lone = next((value[name] for name in LONE if isinstance(value.get(name), str)), None) or lone_text(value)
    if lone is None:
        raise ReadError(field, f"expected a reply with one of {', '.join((*REPLIED, *LONE))}")
    return [message("assistant", lone, reasoning=read_thoughts(value, field, lone))]


def opened(value: Any) -> Any:
    """A request or a reply, out of its text where it is written so."""
    return in_text(value) if isinstance(value, str) and value.lstrip()[:2] in ("{", '{"', "{'", "[{") else value


def is_reply(value: Any) -> bool:
    """Whether a value is the body of a reply, and no text or answer of another kind."""
    value = body(value)
    if are_items(value):
        return True
    if isinstance(value, list):
        held = (isinstance(one, dict) and (said_by_model(one) or "finish_reason" in one) for one in value)
        return bool(value) and all(held)
    return isinstance(value, dict) and (said_by_model(value) or any(isinstance(value.get(k), list) for k in BODIES))


BODIES = ("choices", "candidates", "generations")


def said_by_model(value: Record) -> bool:
    """Whether an object is a turn of the assistant, or holds one."""
    held = value.get("message", value)
    if not isinstance(held, dict):
        return False
    role = held.get("role", held.get("type"))
    says = not held.keys().isdisjoint(("content", "parts", "tool_calls", "data"))
    return says and isinstance(role, str) and role.lower() in ("assistant", "model", "ai")


def lone_text(value: Record) -> str | None:
    """The text of an object that has only one."""
    texts = [held for held in value.values() if isinstance(held, str)]
    return texts[0] if len(texts) == 1 and len(value) == 1 else None
