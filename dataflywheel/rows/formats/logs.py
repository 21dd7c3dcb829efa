"""Logs of requests and replies: chat completions, Responses, Anthropic, Gemini, batches, pairs for fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflywheel.rows.formats.draft import Draft, ReadError, Record, present
from dataflywheel.rows.formats.ends import whole
from dataflywheel.rows.formats.replies import ASKED, asked, body, is_reply, replied
from dataflywheel.rows.formats.responses import are_items
from dataflywheel.rows.formats.serialized import in_text
from dataflywheel.rows.formats.turns import read_turn
from dataflywheel.rows.formats.whole import Whole
from dataflywheel.rows.schema import Medium, message

BOTH = (
    ("request", "response"), ("request_body", "response_body"), ("requestBody", "responseBody"), ("req", "res"),
    ("body", "response"), ("params", "result"), ("inputs", "outputs"), ("input", "output"), ("prompt", "response"),
    ("inputs", "output"), ("inputs", "reference_outputs"), ("input", "expected_output"), ("input", "expectedOutput"),
    ("input", "expected"), ("input", "choices"), ("prompt", "choices"), ("prompt", "outputs"),
    ("prompt", "output"), ("text", "output"), ("prompt_input", "completion"), ("input", "response"),
)  # fmt: skip
"""Keys of a request and its reply."""
WRITTEN = frozenset(name for pair in BOTH[:5] for name in pair)
"""Keys under which either may be JSON in text; under the others a text is a text."""
SYSTEM_OF_GEMINI = ("systemInstruction", "system_instruction")
PREFERRED = ("preferred_output", "non_preferred_output")


class Logs(Whole):
    """What was asked is the prompt, what was replied the answer."""

    name = "log"

    def matches(self, keys: frozenset[str]) -> bool:
        pair = any(one in keys and other in keys for one, other in BOTH)
        return pair or not keys.isdisjoint(("body", "contents", "response", "request")) or {"input", *PREFERRED} <= keys

    def accepts(self, record: Mapping[str, Any]) -> bool:
        return isinstance(record.get(PREFERRED[0]), list) or keys_of(record) is not None

    def content(self, record: Record) -> tuple[Draft, tuple[str, ...]]:
        media: list[Medium] = []
        if isinstance(record.get(PREFERRED[0]), list):
            turns, tools = asked(record["input"], "input", media)
            good, bad = (replied_list(record, key, media) for key in PREFERRED)
            return Draft([*turns, *good], bad, tools, prompt_turns=len(turns), media=media), ("input", *PREFERRED)
        keys = keys_of(record)
        if keys is None:
            raise ReadError("", "expected a request, with its reply")
        one, other = keys
        if one is None:
            raise ReadError(other or "", "a reply without its request; join both files by id, as request and response")
        turns, tools = asked(record if one == "contents" else opened(record, one), one, media)
        if record.get("error"):
            raise ReadError("error", f"the request failed: {str(record['error'])[:80]}")
        whole({key: record[key] for key in ("status", "incomplete_details") if key in record}, "")
        told = record.get("instructions")  # of a reply as the Responses API keeps it, its request beside it
        if isinstance(told, str) and told.strip() and turns[0]["role"] != "system":
            turns = [message("system", told), *turns]
        draft = Draft(turns, tools=tools, media=media)
        if one == "contents" and other is None and (graded := record.get("completions")):
            return compared(draft, graded), ("contents", "completions", *SYSTEM_OF_GEMINI)
        if other is not None:
            answer = replied(opened(record, other), other, media)
            draft.messages, draft.prompt_turns = [*turns, *answer], len(turns)
        held = SYSTEM_OF_GEMINI if one == "contents" else ()
        return draft, tuple(key for key in (one, other, *held) if key is not None)


def compared(draft: Draft, graded: Any) -> Draft:
    """The draft of a prompt with its best and its worst answer, of those with a score (Gemini's preference tuning).

    Raises:
        ReadError: not two answers with different scores.
    """
    held = [one for one in graded if isinstance(one, dict)] if isinstance(graded, list) else []
    scores = {at: one["score"] for at, one in enumerate(held) if isinstance(one.get("score"), int | float)}
    if len(scores) < 2 or len(scores) < len(held) or len(set(scores.values())) < 2:
        raise ReadError("completions", "expected at least two answers {score, completion}, of different scores")
    best, worst = max(scores, key=lambda at: scores[at]), min(scores, key=lambda at: scores[at])
    good, bad = (
        read_turn({"role": "model", **present(held[at].get("completion") or {})}, f"completions[{at}]", draft.media)
        for at in (best, worst)
    )
    draft.prompt_turns = len(draft.messages)
    draft.messages, draft.rejected = [*draft.messages, *good], bad
    return draft


def opened(record: Mapping[str, Any], key: str) -> Any:
    """A request or a reply, out of its text where it may be written so."""
    value = record.get(key)
    return in_text(value) if key in WRITTEN and isinstance(value, str) and value.lstrip()[:1] == "{" else value


def replied_list(record: Record, key: str, media: list[Medium]) -> Any:
    return asked(record[key], key, media)[0]


def keys_of(record: Mapping[str, Any]) -> tuple[str | None, str | None] | None:
    """The keys of the request and of the reply, where the record has the form of a log."""
    for one, other in BOTH:
        if one in record and other in record:
            question, answer = opened(record, one), opened(record, other)
            if request(question) or ((reply(answer) or is_reply(answer)) and isinstance(question, str | list)):
                return one, other
    if request(record.get("body")):
        return "body", None
    if isinstance(record.get("contents"), list):
        return "contents", None
    answer = record.get("response")
    return (None, "response") if isinstance(answer, dict) and "body" in answer else None


def request(value: Any) -> bool:
    """Whether a value is the body of a request."""
    value = body(value)
    if not isinstance(value, dict):
        return False
    alone = len(value) == 1 and all(isinstance(held, str) for held in value.values())
    return alone or any(isinstance(value.get(key), str | list) and value[key] for key in ASKED)


def reply(value: Any) -> bool:
    """Whether a value is the body of a reply."""
    value = body(value)
    if are_items(value):
        return True
    return isinstance(value, dict) and bool(value.keys() & {"choices", "candidates", "content", "message", "output"})
