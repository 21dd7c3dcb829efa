"""What the message of a reply holds: text, thoughts, calls of tools, a refusal, and what is none of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from dataflywheel.models.endpoint.request import Request

THOUGHTS = ("reasoning_content", "reasoning", "thinking", "reasoning_details", "thinking_blocks")
"""Where thoughts stand beside the content: vLLM and DeepSeek, OpenRouter and newer vLLM, Ollama, LiteLLM."""
THINKS = ("thinking", "reasoning", "reasoning_text", "redacted_thinking")
"""Types of parts of the content that are thoughts."""
TEXTS = ("text", "output_text")
BESIDE = ("reference", "refusal")
"""Types of parts without which the text is whole: where it quotes from, and a refusal, which is read by itself."""


@dataclass(frozen=True, slots=True)
class Part:
    """A message as it came. `other` is the type of a part of it that is none of the rest."""

    text: str
    thoughts: str = ""
    calls: str = ""
    refusal: str = ""
    other: str = ""

    @property
    def anything(self) -> bool:
        return bool(self.text.strip() or self.thoughts or self.calls)


def read_part(part: dict[str, Any], request: Request) -> Part:
    """The message of a chat, or the choice of a raw completion.

    Raises:
        TypeError, KeyError, AttributeError: it is none.
    """
    content = part.get("text") if request.prompt is not None else part.get("content")
    thoughts = next((words for name in THOUGHTS if (words := _words(part.get(name)))), "")
    refusal, other = part.get("refusal") or "", ""
    if isinstance(content, list):
        pieces = [{"type": "text", "text": piece} if isinstance(piece, str) else piece for piece in content]
        kinds = [(piece.get("type") or "text", piece) for piece in pieces]
        thoughts = thoughts or "\n\n".join(filter(None, (_words(piece) for kind, piece in kinds if kind in THINKS)))
        refusal = refusal or "".join(_said(piece["refusal"]) for kind, piece in kinds if kind == "refusal")
        other = next((str(kind) for kind, _ in kinds if kind not in (*TEXTS, *THINKS, *BESIDE)), "")
        content = "".join(_said(piece["text"]) for kind, piece in kinds if kind in TEXTS)
    if not isinstance(content, str | None) or not isinstance(refusal, str):
        raise TypeError("content and refusal must be text")
    return Part(content or "", thoughts, _calls(part), refusal, other)


def _calls(part: dict[str, Any]) -> str:
    """The calls of a message, in the newer spelling and the older, as JSON."""
    calls, older = part.get("tool_calls"), part.get("function_call")
    if not calls and older:
        calls = [{"type": "function", "function": older}]
    return orjson.dumps(calls).decode() if calls else ""


def _said(text: Any) -> str:
    """The text of a part of the content, in the form of messages or that of assistants' threads."""
    text = text.get("value") if isinstance(text, dict) else text
    if not isinstance(text, str):
        raise TypeError("the text of a part of the content must be text")
    return text


def _words(value: Any) -> str:
    """The text of thoughts, which may be given in parts."""
    if isinstance(value, list):
        return "\n\n".join(filter(None, map(_words, value)))
    if isinstance(value, dict):
        names = ("text", "thinking", "content", "summary")
        return next((words for name in names if (words := _words(value.get(name)))), "")
    return value if isinstance(value, str) else ""
