"""Reads the body of a reply in OpenAI's dialect, chat or completion, strictly."""

from __future__ import annotations

from typing import Any

import orjson

from dataflywheel.models.endpoint.chat_model import UnavailableError
from dataflywheel.models.endpoint.request import Outcome, Reply, Request, TokenLogprob


def read_reply(content: bytes, request: Request) -> Reply:
    """The first choice as a reply. Usage that is missing or incomplete is left at 0.

    An answer that consists of tool calls has them as JSON text. A reply without content is MALFORMED.

    Raises:
        UnavailableError: not a whole reply: half a body, an error page. The work may have been paid for.
    """
    try:
        body = orjson.loads(content)
        choice = body["choices"][0]
        finish = choice.get("finish_reason") or ""
        part = choice if request.prompt is not None else choice["message"]
        text = _text(part, request)
        refusal = part.get("refusal") or ""
        logprobs = _logprobs(choice.get("logprobs"), request.prompt is not None)
        if not isinstance(finish, str) or not isinstance(refusal, str):
            raise TypeError("finish_reason and refusal must be text")
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        start = content[:80].decode("utf-8", "replace")
        message = f"not a reply of this interface ({type(error).__name__}: {error}); it begins {start!r}"
        raise UnavailableError(message, maybe_paid=True) from None
    outcome, detail = _outcome(text, finish, refusal)
    tokens_in, tokens_out = _usage(body.get("usage"))
    return Reply(outcome, text or refusal, finish, logprobs, tokens_in, tokens_out, detail=detail)


def _outcome(text: str, finish: str, refusal: str) -> tuple[Outcome, str]:
    if refusal:
        return Outcome.REFUSED, refusal
    if finish == "content_filter":
        return Outcome.FILTERED, "the provider's content filter stopped the answer"
    if finish == "length":
        return Outcome.TRUNCATED, "the answer reached the token limit"
    if not text.strip():
        return Outcome.MALFORMED, f"the reply has no content (finish reason {finish or 'not given'})"
    return Outcome.ANSWERED, ""


def _text(part: dict[str, Any], request: Request) -> str:
    """Content, which may come in parts; tool calls as JSON where there is none and tools were offered."""
    content = part.get("text") if request.prompt is not None else part.get("content")
    if isinstance(content, list):
        content = "".join(str(piece["text"]) for piece in content if piece.get("type") == "text")
    if not isinstance(content, str | None):
        raise TypeError("the content must be text")
    if not content and request.tools and part.get("tool_calls"):
        return orjson.dumps(part["tool_calls"]).decode()
    return content or ""


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


def _usage(usage: Any) -> tuple[int, int]:
    """Tokens in and out, both 0 where one of them is not told."""
    if not isinstance(usage, dict):
        return 0, 0
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not (isinstance(read, int) and isinstance(written, int) and read >= 0 and written >= 0):
        return 0, 0
    return read, written
