"""What can go wrong, and what it does to the answer's text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, get_args

import orjson

Fault = Literal[
    # Turned away before any work: a vendor charges nothing.
    "http_400", "http_429", "http_500", "http_502", "http_503", "html", "reset_before", "ok_429", "ok_502",
    # Worked on, and charged, but the answer does not arrive whole or in time.
    "reset_after", "truncated_body", "hang", "drip", "slow", "html_ok",
    # A whole reply whose content is not what was asked for.
    "length", "cut", "content_filter", "refusal", "refusal_field", "fenced", "prose", "two_values", "wrong_enum",
    "wrong_ids", "unicode", "empty", "tool_call", "no_usage", "odd_usage",
    # Thoughts, and answers that failed on their way.
    "thoughts", "unopened", "reasoning_field", "only_thoughts", "finish_error", "choice_error",
]  # fmt: skip

FREE: frozenset[str] = frozenset(get_args(Fault)[:9])
LOST: frozenset[str] = frozenset({"reset_after", "truncated_body", "hang", "html_ok"})
THOUGHT = "First I draft: no. Then I look again."
REFUSAL = "I'm sorry, but I can't help with that request."


def _json(change: Callable[[object], object]) -> Callable[[str], str]:
    """Change the JSON value of an answer; an answer that is not JSON is changed as a string."""

    def changed(text: str) -> str:
        try:
            return orjson.dumps(change(orjson.loads(text))).decode()
        except orjson.JSONDecodeError:
            return str(change(text))

    return changed


def _wrong_values(value: object) -> object:
    """Every number out of any scale, every string that names a verdict unknown; ids and structure stay."""
    if isinstance(value, dict):
        return {k: v if k in ("id", "row", "row_id") else _wrong_values(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_wrong_values(v) for v in value]
    if isinstance(value, bool | int | float):
        return 97
    return "purple"


def _wrong_ids(value: object) -> object:
    if isinstance(value, dict):
        return {k: f"{v}-x" if k in ("id", "row", "row_id") else _wrong_ids(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_wrong_ids(v) for v in value]
    return value


def _unicode(text: str) -> str:
    """The same JSON in escapes, or plain text after characters that are hard to handle."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return f"\ufeff\u202e\U0001f9ea\u0000 {text} \ud7ff\u2028e\u0301"
    return re.sub(r"[A-Za-z]", lambda letter: f"\\u{ord(letter[0]):04x}", text, count=1) if '"' in text else text


TEXT: Mapping[str, Callable[[str], str]] = {
    "cut": lambda text: text[: max(1, len(text) * 2 // 3)],
    "content_filter": lambda text: "",
    "refusal": lambda text: REFUSAL,
    "fenced": lambda text: f"```json\n{text}\n```",
    "prose": lambda text: f"{text}\n\nI hope this helps! Let me know whether {{you}} need more.",
    "two_values": lambda text: f"{text}\n{_json(_wrong_values)(text)}",
    "wrong_enum": _json(_wrong_values),
    "wrong_ids": _json(_wrong_ids),
    "unicode": _unicode,
    "empty": lambda text: "",
    "thoughts": lambda text: f"<think>\n{THOUGHT}\n</think>\n\n{text}",
    "unopened": lambda text: f"{THOUGHT}\n</think>\n\n{text}",
    "finish_error": lambda text: text[: len(text) // 2],
    "choice_error": lambda text: text[: len(text) // 2],
}

ODD_USAGE = (
    "null", "[]", '"12"', "{}", '{"prompt_tokens": 7}', '{"completion_tokens": 1}',
    '{"prompt_tokens": -7, "completion_tokens": 1}', '{"prompt_tokens": 7, "completion_tokens": -1}',
    '{"prompt_tokens": true, "completion_tokens": true}', '{"prompt_tokens": "7", "completion_tokens": "1"}',
    '{"prompt_tokens": 6.5, "completion_tokens": 0.5}',
    '{"prompt_tokens": null, "completion_tokens": 1}', '{"prompt_tokens": [7], "completion_tokens": {}}',
    '{"prompt_tokens": 4611686018427387904, "completion_tokens": 1}',
    '{"prompt_tokens": 7, "completion_tokens": 9223372036854775807}',
    '{"prompt_tokens": 18446744073709551616, "completion_tokens": 1}',
    '{"prompt_tokens": 1000000000000000000000000000000, "completion_tokens": 1e30}',
    '{"prompt_tokens": 1e400, "completion_tokens": 1}', '{"prompt_tokens": 0, "completion_tokens": 0}',
    '{"prompt_tokens": 0, "completion_tokens": 1}', '{"prompt_tokens": 7, "completion_tokens": 0}',
    '{"prompt_tokens": 7, "prompt_tokens": 1, "completion_tokens": 1}',
    '{"prompt_tokens": 7, "completion_tokens": 7}, "usage": {"prompt_tokens": 1, "completion_tokens": 1}',
)  # fmt: skip
"""Usage, as JSON, that cannot be: whoever believes one of them pays less than the vendor charges, or loses count."""
