"""Reads the body of a reply in OpenAI's dialect, chat or completion, strictly."""

from __future__ import annotations

import json
from typing import Any

import orjson

from dataflywheel.models.endpoint.chat_model import UnavailableError, UnreadableError
from dataflywheel.models.endpoint.finish import outcome_of
from dataflywheel.models.endpoint.openai_error import error_in, error_of
from dataflywheel.models.endpoint.request import WITHIN_THOUGHTS, Outcome, Reply, Request, TokenLogprob

WHY = {
    Outcome.FILTERED: "the provider's content filter stopped the answer",
    Outcome.TRUNCATED: "the answer reached the token limit",
}
MOST_TOKENS = 10**8
"""A usage above it is a mistake: no model reads or writes so much."""


def read_reply(content: bytes, request: Request, where: str = "the endpoint") -> Reply:
    """The first choice as a reply, thoughts and answer as they came. Usage that cannot be is left at 0.

    An answer that consists of tool calls has them as JSON text. A reply without content is MALFORMED, one with thoughts
    alone TRUNCATED.

    Raises:
        RateLimitedError, RejectedError, FlywheelError: the body holds an error, and its code says that.
        UnavailableError: it holds another error, is no whole reply (half a body, an error page), or ended for a reason
            that is not known as good. The work may have been paid for.
    """
    try:
        body, whole = _parsed(content)
        if said := error_in(body):
            began = isinstance(body, dict) and bool(body.get("choices"))
            raise error_of(said, where, began=began, used=_usage(body.get("usage")) if began else None)
        choice = body["choices"][0]
        finish = "" if choice.get("finish_reason") is None else choice["finish_reason"]
        part = choice if request.prompt is not None else choice["message"]
        text, thoughts = _text(part, request)
        refusal = part.get("refusal") or ""
        logprobs = _logprobs(choice.get("logprobs"), request.prompt is not None)
        if not isinstance(finish, str) or not isinstance(refusal, str):
            raise TypeError("finish_reason and refusal must be text")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        start = content[:80].decode("utf-8", "replace")
        message = f"not a reply of this interface ({type(error).__name__}: {error}); it begins {start!r}"
        raise UnreadableError(message, maybe_paid=True) from None
    used = _usage(body.get("usage"), bool(text or thoughts))
    outcome, detail = _outcome(
        text or thoughts, finish, refusal, used is not None and used[1] >= request.sampling.max_tokens
    )
    if outcome is None:
        raise UnavailableError(f"the answer ended with {finish[:80]!r}: {text[:80]!r}", maybe_paid=True, used=used)
    calls = part.get("tool_calls") or part.get("function_call")
    if calls and outcome is Outcome.ANSWERED and not (request.tools and _consists_of(calls, text)):
        outcome, detail = Outcome.MALFORMED, "the answer calls tools where text was asked, or beside its text"
    if thoughts and not text.strip() and outcome is Outcome.ANSWERED:
        outcome, detail = Outcome.TRUNCATED, WITHIN_THOUGHTS
    if not whole and outcome is Outcome.ANSWERED:
        outcome, detail = Outcome.MALFORMED, "the answer holds half a character"
    tokens_in, tokens_out = used or (0, 0)
    return Reply(outcome, text or refusal, finish, logprobs, tokens_in, tokens_out, detail=detail, reasoning=thoughts)


def _parsed(content: bytes) -> tuple[Any, bool]:
    """The body, and whether all its texts are whole: half a pair of surrogates becomes a replacement character."""
    try:
        return orjson.loads(content), True
    except orjson.JSONDecodeError:
        if b"\\u" not in content:
            raise
        text = json.dumps(json.loads(content), ensure_ascii=False).encode("utf-8", "surrogatepass")
        return orjson.loads(text.decode("utf-8", "replace")), False


def _outcome(said: str, finish: str, refusal: str, full: bool) -> tuple[Outcome | None, str]:
    """The outcome by the endpoint's word for how the answer ended, None for an unknown word.

    `full`: the answer is as long as was allowed, which decides where there is no word.
    """
    ended = outcome_of(finish) if finish else Outcome.TRUNCATED if full else Outcome.ANSWERED
    if refusal or ended is Outcome.REFUSED:
        return Outcome.REFUSED, refusal or "the model declined to answer"
    if ended is Outcome.ANSWERED and not said.strip():
        return Outcome.MALFORMED, f"the reply has no content (finish reason {finish or 'not given'})"
    return ended, WHY.get(ended, "") if ended else ""


def _text(part: dict[str, Any], request: Request) -> tuple[str, str]:
    """Content and thoughts. Both may come in parts; tool calls as JSON where there is none and tools were offered."""
    content = part.get("text") if request.prompt is not None else part.get("content")
    thoughts = next((words for name in THOUGHTS if (words := _words(part.get(name)))), "")
    if isinstance(content, list):
        pieces = [{"type": "text", "text": piece} if isinstance(piece, str) else piece for piece in content]
        kinds = [(piece.get("type", "text"), piece) for piece in pieces]
        thoughts = thoughts or "\n\n".join(_words(piece) for kind, piece in kinds if kind in THINKS)
        content = "".join(_said(piece["text"]) for kind, piece in kinds if kind in ("text", "output_text"))
    if not isinstance(content, str | None):
        raise TypeError("the content must be text")
    if not content and request.tools and part.get("tool_calls"):
        return orjson.dumps(part["tool_calls"]).decode(), thoughts
    return content or "", thoughts


def _said(text: Any) -> str:
    """The text of a part of the content, in the form of messages or that of assistants' threads."""
    text = text.get("value") if isinstance(text, dict) else text
    if not isinstance(text, str):
        raise TypeError("the text of a part of the content must be text")
    return text


def _consists_of(calls: Any, text: str) -> bool:
    return text == orjson.dumps(calls).decode()


THOUGHTS = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
"""Where thoughts stand beside the content: vLLM and DeepSeek, OpenRouter and newer vLLM, Ollama."""
THINKS = ("thinking", "reasoning", "reasoning_text")
"""Types of parts of the content that are thoughts."""


def _words(value: Any) -> str:
    """The text of thoughts, which may be given in parts."""
    if isinstance(value, list):
        return "\n\n".join(filter(None, map(_words, value)))
    if isinstance(value, dict):
        names = ("text", "thinking", "content", "summary")
        return next((words for name in names if (words := _words(value.get(name)))), "")
    return value if isinstance(value, str) else ""


def _logprobs(given: Any, completion: bool) -> tuple[TokenLogprob, ...]:
    if not given:
        return ()
    if completion:
        tokens, values = given["tokens"], given["token_logprobs"]
        tops = given.get("top_logprobs") or [{}] * len(tokens)
        triples = list(zip(tokens, values, tops, strict=True))
    else:
        triples = [
            (one["token"], one["logprob"], {top["token"]: top["logprob"] for top in one.get("top_logprobs") or ()})
            for one in given.get("content") or ()
        ]
    return tuple(TokenLogprob(str(token), float(value), dict(top or {})) for token, value, top in triples)


def _usage(usage: Any, wrote: bool = False) -> tuple[int, int] | None:
    """Tokens in and out; None where they are not told, or cannot be: negative, without bounds, no number, no prompt,
    or nothing written where there is an answer."""
    if not isinstance(usage, dict):
        return None
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    for count, least in ((read, 1), (written, int(wrote))):
        if not isinstance(count, int) or isinstance(count, bool) or not least <= count <= MOST_TOKENS:
            return None
    return read, written  # type: ignore[return-value]
