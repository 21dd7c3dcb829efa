"""Turns of a chat in their two usual spellings: `role`/`content` (OpenAI) and `from`/`value` (ShareGPT)."""

from __future__ import annotations

from typing import Any

import orjson

from dataflywheel.rows.formats.beside_turn import beside_blocks, nothing_beside
from dataflywheel.rows.formats.blocks import bedrock_parts, gemini_parts, has_blocks, read_blocks
from dataflywheel.rows.formats.content import read_content
from dataflywheel.rows.formats.draft import ReadError, Record, kind
from dataflywheel.rows.formats.langchain import opened
from dataflywheel.rows.formats.marks import read_learn
from dataflywheel.rows.formats.media import with_media
from dataflywheel.rows.formats.serialized import in_rows, in_text
from dataflywheel.rows.formats.tool_calls import CALLS, calls_in_text, canonical_calls, read_id, spaced
from dataflywheel.rows.formats.turn_thoughts import read_thoughts
from dataflywheel.rows.schema import Medium, Message, message

ROLES = {
    **{name: "system" for name in ("system", "developer")},
    **{name: "user" for name in ("user", "human", "prompter")},
    **{name: "assistant" for name in ("assistant", "gpt", "chatgpt", "bot", "model", "function_call", "tool_call")},
    **{name: "assistant" for name in ("ai", "chatbot", "bing", "bard", "claude", "llm", "gpt4")},
    **{name: "tool" for name in ("tool", "observation", "function", "tool_response", "ipython", "environment")},
    **{name: "tool" for name in ("function_response", "tool_result", "function-response", "tool-response")},
}
CANONICAL = frozenset({"system", "user", "assistant", "tool"})
CALLED = ("function_call", "tool_call")
THINKERS = frozenset({"think", "thinking", "thought", "thoughts", "reasoning", "analysis"})
CHANNELS = ("analysis", "commentary", "final")
ROLE_KEYS = ("role", "from", "speaker", "sender", "author")
CONTENT_KEYS = ("content", "value", "text", "message", "parts")


def read_turns(value: Any, field: str, media: list[Medium] | None = None) -> tuple[list[Message], bool]:
    """Turns in any spelling, and whether each of them is exactly `{role, content}` with a canonical role.

    Images and sounds within the turns are added to `media`, and refused where there is none.

    Raises:
        ReadError: not a list of turns; names the turn and its field.
    """
    if type(value) is str and value.lstrip()[:1] in ("[", "a"):
        value = in_text(value)
    value = in_one(in_rows(value), field)
    if type(value) is not list:
        raise ReadError(field, f"expected a list of turns {{role, content}}, got {kind(value)}")
    if not value:
        raise ReadError(field, "expected at least one turn, got an empty list")
    turns: list[Message] = []
    exact = True
    channels = False
    for position, turn in enumerate(value):
        if type(turn) is dict:
            if len(turn) == 2:
                role, content = turn.get("role"), turn.get("content")
                if type(content) is str and role in CANONICAL:
                    turns.append(message(role, content))
                    continue
            channels = channels or turn.get("channel") in CHANNELS or thought_aloud(turn)
        exact = False
        if not channels:
            turns += read_turn(turn, f"{field}[{position}]", media)
            if position and is_call_turn(turn):
                join_calls(turns)
    if channels:
        return read_channels(value, field, media), False
    return turns, exact


def is_call_turn(turn: Any) -> bool:
    """Whether the role of a turn says that it is nothing but a call."""
    said = turn.get("role", turn.get("from")) if isinstance(turn, dict) else None
    return isinstance(said, str) and said.strip().lower() in CALLED


def join_calls(turns: list[Message]) -> None:
    """Put a call that stands in a turn of its own into the assistant's turn before it: they are of one answer."""
    before, call = turns[-2:]
    bare = call["content"] == "" and call["reasoning"] is None and call["tool_calls"] is not None
    if before["role"] != "assistant" or not bare or before["learn"] != call["learn"]:
        return
    calls = [one for turn in (before, call) for one in orjson.loads(turn["tool_calls"] or "[]")]
    before["tool_calls"] = orjson.dumps(calls, option=orjson.OPT_SORT_KEYS).decode()
    del turns[-1]


def in_one(value: Any, field: str) -> Any:
    """The turns of a list of lists of turns (a batch of one, or what the user says in turn); else the value itself.

    Raises:
        ReadError: several conversations.
    """
    if type(value) is not list or not value or not all(isinstance(one, list) and one for one in value):
        return value
    if not all(isinstance(turn, dict) for one in value for turn in one):
        return value
    if len(value) > 1 and any(speaker(turn) == "assistant" for one in value for turn in one):
        raise ReadError(field, f"{len(value)} conversations in one record; write each as a record of its own")
    return [turn for one in value for turn in one]


def speaker(turn: Record) -> str | None:
    """The role of a turn that is not read yet."""
    said = next((turn[key] for key in ROLE_KEYS if isinstance(turn.get(key), str)), "")
    return ROLES.get(said.strip().lower())


def read_turn(turn: Any, field: str, media: list[Medium] | None = None) -> list[Message]:
    """One turn in any spelling, with all that a turn may hold; null is absent. Results of tools are turns of their own.

    Raises:
        ReadError: names the field and what was expected.
    """
    if not isinstance(turn, dict):
        raise ReadError(field, f"expected a turn {{role, content}}, got {kind(turn)}")
    turn = opened(turn)
    if turn.keys().isdisjoint(ROLE_KEYS):
        turn = {key.strip().lower(): held for key, held in turn.items()}
    role_key, content_key = ("from", "value") if turn.get("role") is None and "from" in turn else ("role", "content")
    if turn.get(role_key) is None:
        role_key = next((key for key in ROLE_KEYS if turn.get(key) is not None), role_key)
    if turn.get(content_key) is None:
        content_key = next((key for key in CONTENT_KEYS if turn.get(key) is not None), content_key)
    given = turn.get(role_key)
    if isinstance(given, dict) and isinstance(given.get("role"), str):  # the author of a message (Harmony)
        turn = {"name": given.get("name"), **turn} if turn.get("name") is None else turn
        given = given["role"]
    said_by = given.strip().lower() if isinstance(given, str) else None
    role = _canonical(given, f"{field}.{role_key}")
    where, content = f"{field}.{content_key}", turn.get(content_key)
    if content_key == "parts":
        content = gemini_parts(content)
    content = bedrock_parts(content)
    content = with_media(turn, content, where, media)
    learn = read_learn(turn, role, field)
    if has_blocks(content):
        return beside_blocks(read_blocks(role, content, where, media), turn, role, field, learn)
    calls = next((turn[key] for key in CALLS if turn.get(key)), None)
    thoughts = read_thoughts(turn, field, content if isinstance(content, str) else "")
    if not content and isinstance(turn.get("refusal"), str):
        content = turn["refusal"]
    if role == "tool":
        content = result_of(turn) if content is None else content
        content = spaced(content) if isinstance(content, dict | int | float) or is_result(content) else content
    content = read_content(content, where, bool(calls) or thoughts is not None or role == "tool", media)
    if len(turn) > 2:
        nothing_beside(turn, content, role, field)
    if said_by in CALLED:
        thoughts, content, calls = calls_in_text(content, thoughts)
    name = turn.get("name")
    return [
        message(
            role,
            content,
            canonical_calls(calls, field, said_by in CALLED) if calls else None,
            name if isinstance(name, str) else None,
            reasoning=thoughts,
            tool_call_id=read_id(turn.get("tool_call_id")),
            learn=learn,
        )
    ]


def _canonical(given: Any, where: str) -> str:
    """The role that is meant; raises ReadError where none is."""
    role = ROLES.get(given.strip().lower()) if isinstance(given, str) else None
    if role is None:
        found = "nothing" if given is None else repr(given)
        expected = ", ".join(sorted(CANONICAL))
        hint = f"; another name needs a mapping, such as roles: {{{given}: user}}" if isinstance(given, str) else ""
        raise ReadError(where, f"expected one of {expected}, got {found}{hint}")
    return role


RESULTS = ("output", "outputs", "result", "results", "response", "tool_results", "observation", "data", "error")
"""Where a turn of a tool holds what it gave, if not as its content (Cohere's `tool_results`)."""


def result_of(turn: Record) -> Any:
    """What a tool gave where its turn has no content."""
    return next((turn[key] for key in RESULTS if turn.get(key) not in (None, "", [])), None)


def is_result(content: Any) -> bool:
    """Whether a list is what a tool gave, and not the parts of a turn."""
    return isinstance(content, list) and not any(isinstance(part, dict) and "type" in part for part in content)


def thought_aloud(turn: Record) -> bool:
    """Whether a turn is the thoughts before the assistant's next one, under a role of their own."""
    role = turn.get("role", turn.get("from"))
    return isinstance(role, str) and role.strip().lower() in THINKERS


def read_channels(value: list[Any], field: str, media: list[Medium] | None) -> list[Message]:
    """Turns with the channels of gpt-oss: `analysis` is the thought before the assistant's next turn, and `commentary`
    for a recipient a call of it.

    Raises:
        ReadError: a thought that nothing follows, or a channel that is not known.
    """
    turns: list[Message] = []
    thoughts: list[str] = []
    for position, turn in enumerate(value):
        where = f"{field}[{position}]"
        if isinstance(turn, dict) and thought_aloud(turn):
            turn = {
                **{key: held for key, held in turn.items() if key != "from"},
                "role": "assistant",
                "channel": "analysis",
            }
        channel = turn.get("channel") if isinstance(turn, dict) else None
        found = read_turn(turn, where, media)
        if channel is not None and channel not in CHANNELS:
            raise ReadError(f"{where}.channel", f"expected analysis, commentary or final, got {channel!r}")
        own, recipient = found[0], turn.get("recipient")
        if channel == "analysis" and own["role"] == "assistant":
            thoughts.append(own["content"])
            continue
        if own["role"] != "assistant" and thoughts:
            break
        if own["role"] == "tool" and own["name"] is not None:
            own["name"] = own["name"].removeprefix("functions.")
        if isinstance(recipient, str) and own["role"] == "assistant" and recipient not in ("all", "user"):
            call = {"name": recipient.removeprefix("functions."), "arguments": own["content"]}
            own["content"], own["tool_calls"] = "", canonical_calls([call], where)
        if thoughts:
            if own["reasoning"] is not None:
                raise ReadError(where, "thoughts of its own after a turn of thoughts; keep one of them")
            own["reasoning"], thoughts = "\n\n".join(thoughts), []
        turns += found
    if thoughts:
        raise ReadError(field, "a turn of the channel analysis that no turn of the assistant follows")
    return turns
