"""Turns made of blocks (Anthropic, Gemini): thoughts, texts, calls of tools and their results, as turns of ours."""

from __future__ import annotations

from typing import Any, TypeGuard

from dataflywheel.rows.formats.content import read_content
from dataflywheel.rows.formats.draft import ReadError, Record, present
from dataflywheel.rows.formats.tool_calls import canonical_calls, spaced
from dataflywheel.rows.formats.turn_thoughts import UNREADABLE, is_sealed, thoughts_in
from dataflywheel.rows.schema import Medium, Message, message

BLOCKS = frozenset({"thinking", "reasoning", "redacted_thinking", "tool_use", "tool_result"})


THOUGHT_IN = ("thinking", "reasoning", "text", "content", "summary")
"""Where a block holds its thoughts."""


def has_blocks(content: Any) -> TypeGuard[list[Any]]:
    """Whether a turn's content is more than text and media."""
    return isinstance(content, list) and any(isinstance(part, dict) and part.get("type") in BLOCKS for part in content)


def read_blocks(role: str, parts: list[Any], field: str, media: list[Medium] | None) -> list[Message]:
    """The turns of one turn made of blocks: results of tools are turns of their own, before what the user says.

    Raises:
        ReadError: a block that is not known, or one in a place where its order would be lost.
    """
    thoughts: list[str] = []
    said: list[Any] = []
    calls: list[Record] = []
    results: list[Message] = []
    for position, part in enumerate(parts):
        where = f"{field}[{position}]"
        part = present(part) if isinstance(part, dict) else {"type": "text", "text": part}
        type = part.get("type")
        if type in ("thinking", "reasoning"):
            if said or calls:
                raise ReadError(where, "thoughts after the answer began; only thoughts before it keep their place")
            thoughts.append(thoughts_in(next((part[key] for key in THOUGHT_IN if part.get(key)), "")))
            if not thoughts[-1] and is_sealed("", part):
                raise ReadError(where, UNREADABLE)
        elif type == "redacted_thinking":
            raise ReadError(where, UNREADABLE)
        elif type == "tool_use":
            calls.append(call_of(part))
        elif type == "tool_result":
            if said:
                raise ReadError(where, "a tool's result after a text; its place would be lost")
            results.append(result_of(part, where, media))
        elif calls:
            raise ReadError(where, f"a part of type {type!r} after a call; its place would be lost")
        else:
            said.append(part)
    content = read_content(said, field, media=media)
    if role != "assistant" and (thoughts or calls):
        raise ReadError(field, f"thoughts or calls in a turn of the {role}")
    if results and not content:
        return results
    written = canonical_calls(calls, field) if calls else None
    return [*results, message(role, content, written, reasoning="\n\n".join(thoughts) or None)]


def call_of(part: Record) -> Record:
    call: Record = {"function": {"name": part.get("name"), "arguments": part.get("input", {})}}
    return {**call, "id": part["id"]} if isinstance(part.get("id"), str) else call


def result_of(part: Record, field: str, media: list[Medium] | None) -> Message:
    content, name, id = part.get("content"), part.get("name"), part.get("tool_use_id")
    said = read_content(content, f"{field}.content", missing_allowed=True, media=media)
    return message("tool", said, None, name, tool_call_id=id if isinstance(id, str) else None)


STEP = "step-start"
"""A part that says nothing but that a request began (Vercel's SDK)."""


def gemini_parts(parts: Any) -> Any:
    """The parts of a Gemini turn in the words of Anthropic's blocks."""
    return (
        [gemini_part(present(part)) for part in parts if isinstance(part, dict) and part.get("type") != STEP]
        if isinstance(parts, list)
        else parts
    )


def gemini_part(part: Record) -> Record:
    call = part.get("functionCall", part.get("function_call"))
    result = part.get("functionResponse", part.get("function_response"))
    blob = part.get("inlineData", part.get("inline_data", part.get("fileData", part.get("file_data"))))
    if isinstance(call, dict):
        return {"type": "tool_use", "id": call.get("id"), "name": call.get("name"), "input": call.get("args", {})}
    if isinstance(result, dict):
        import orjson

        answer = orjson.dumps(result.get("response", {})).decode()
        return {"type": "tool_result", "tool_use_id": result.get("id"), "name": result.get("name"), "content": answer}
    if isinstance(blob, dict):
        sort = str(blob.get("mimeType", blob.get("mime_type", ""))).split("/")[0]
        return {"type": sort or "file", "source": blob.get("fileUri", blob.get("file_uri")) or blob}
    if part.get("thought") is True:
        return {"type": "thinking", "thinking": part.get("text", "")}
    return traced_part(part)


def traced_part(part: Record) -> Record:
    """A part as OpenTelemetry writes it, in the words of Anthropic's blocks; any other as it stands."""
    type = part.get("type")
    if type == "text" and "text" not in part:
        return {"type": "text", "text": part.get("content")}
    if type == "tool_call":
        return {"type": "tool_use", "id": part.get("id"), "name": part.get("name"), "input": part.get("arguments", {})}
    if type == "tool_call_response":
        answer = part.get("response", part.get("result", ""))
        said = answer if isinstance(answer, str) else spaced(answer)
        return {"type": "tool_result", "tool_use_id": part.get("id"), "content": said}
    if type == "uri" and isinstance(part.get("modality"), str):
        return {"type": part["modality"], "url": part.get("uri")}
    return part


BEDROCK = ("toolUse", "toolResult", "reasoningContent", "image")


def bedrock_parts(parts: Any) -> Any:
    """The parts of a turn of Bedrock's Converse in the words of Anthropic's blocks; anything else as it stands."""
    if not isinstance(parts, list) or not any(is_bedrock(part) for part in parts):
        return parts
    return [bedrock_part(part) if is_bedrock(part) else part for part in parts]


def is_bedrock(part: Any) -> bool:
    named = isinstance(part, dict) and part.get("type") is None
    return named and any(isinstance(part.get(key), dict) for key in BEDROCK)


def bedrock_part(part: Record) -> Record:
    part = present(part)
    call, result, image = part.get("toolUse"), part.get("toolResult"), part.get("image")
    if call is not None:
        return {
            "type": "tool_use",
            "id": call.get("toolUseId"),
            "name": call.get("name"),
            "input": call.get("input", {}),
        }
    if result is not None:
        said = [spaced_json(one) if isinstance(one, dict) else one for one in result.get("content") or ()]
        return {"type": "tool_result", "tool_use_id": result.get("toolUseId"), "content": said}
    if image is not None:
        return {"type": "image", "image": image.get("source", image)}
    held = part["reasoningContent"].get("reasoningText", part["reasoningContent"])
    if not isinstance(held, dict):
        return {"type": "thinking", "thinking": held}
    return {
        "type": "redacted_thinking" if held.get("redactedContent") else "thinking",
        "thinking": held.get("text", ""),
        "signature": held.get("signature"),
    }


def spaced_json(part: Record) -> Record:
    """A part of a tool's result, its JSON as text."""
    return {"type": "text", "text": spaced(part["json"])} if "json" in part else part
