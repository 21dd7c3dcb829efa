"""Reads the body of a reply in OpenAI's dialect, chat or completion, strictly."""

from __future__ import annotations

import codecs
import json
import math
from typing import Any

import orjson

from dataflywheel.models.endpoint.chat_model import UnavailableError, UnreadableError
from dataflywheel.models.endpoint.openai_error import error_in, error_of
from dataflywheel.models.endpoint.openai_part import Part, read_part
from dataflywheel.models.endpoint.openai_usage import tokens_used, told_twice
from dataflywheel.models.endpoint.request import WITHIN_THOUGHTS, Outcome, Reply, Request, TokenLogprob
from dataflywheel.rows.endings import Ending, ending_of

ENDS = {
    Ending.WHOLE: Outcome.ANSWERED,
    Ending.CUT: Outcome.TRUNCATED,
    Ending.WITHHELD: Outcome.FILTERED,
    Ending.DECLINED: Outcome.REFUSED,
    None: None,
}
WHY = {
    Outcome.FILTERED: "the provider's content filter stopped the answer",
    Outcome.TRUNCATED: "the answer reached the token limit",
}


def read_reply(content: bytes, request: Request, where: str = "the endpoint") -> Reply:
    """The first choice as a reply, thoughts and answer as they came. Usage that cannot be is left at 0.

    An answer may consist of calls of tools where the request offers some. A reply without content is MALFORMED, one
    with thoughts alone TRUNCATED.

    Raises:
        RateLimitedError, RejectedError, FlywheelError: the body holds an error, and its code says that.
        UnavailableError: it holds another error, is no whole reply (half a body, an error page), or ended for a reason
            that is not known as good. The work may have been paid for.
    """
    try:
        body, whole = _parsed(content)
        if isinstance(body, dict) and told_twice(content):
            body["usage"] = None
        if said := error_in(body):
            began = isinstance(body, dict) and bool(body.get("choices"))
            raise error_of(said, where, began=began, used=tokens_used(body.get("usage")) if began else None)
        choice = body["choices"][0]
        finish = _finish(choice)
        part = read_part(_part(choice, finish, request), request)
        logprobs = _logprobs(choice.get("logprobs"), request.prompt is not None)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        start = content[:80].decode("utf-8", "replace")
        message = f"not a reply of this interface ({type(error).__name__}: {error}); it begins {start!r}"
        raise UnreadableError(message, maybe_paid=True) from None
    used = tokens_used(body.get("usage"), part.anything)
    outcome, detail = _outcome(part, finish, used is not None and used[1] >= request.sampling.max_tokens)
    if outcome is None:
        raise UnavailableError(f"the answer ended with {finish[:80]!r}: {part.text[:80]!r}", maybe_paid=True, used=used)
    if outcome is Outcome.ANSWERED and (wrong := _wrong(part, request, whole)):
        outcome, detail = wrong
    tokens_in, tokens_out = used or (0, 0)
    return Reply(
        outcome,
        part.text or part.refusal,
        finish,
        logprobs,
        tokens_in,
        tokens_out,
        detail=detail,
        reasoning=part.thoughts,
        calls=part.calls if request.tools else "",
    )


def _finish(choice: dict[str, Any]) -> str:
    """The word for how the answer ended; SGLang writes an object around it."""
    finish = choice.get("finish_reason")
    finish = finish.get("type") if isinstance(finish, dict) else finish
    if not isinstance(finish, str | None):
        raise TypeError("finish_reason must be text")
    return finish or ""


def _part(choice: dict[str, Any], finish: str, request: Request) -> dict[str, Any]:
    """What was said; an answer that was filtered or cut may have no message at all."""
    if request.prompt is not None:
        return choice
    if not choice.get("message") and ending_of(finish) not in (None, Ending.WHOLE):
        return {}
    message: dict[str, Any] = choice["message"]
    return message


def _wrong(part: Part, request: Request, whole: bool) -> tuple[Outcome, str] | None:
    """Why an answer that ended well is none all the same."""
    if part.calls and not request.tools:
        return Outcome.MALFORMED, "the answer calls tools where text was asked"
    if part.other:
        return Outcome.MALFORMED, f"the answer holds a part of type {part.other[:40]!r}, which is no text"
    if part.thoughts and not part.text.strip() and not part.calls:
        return Outcome.TRUNCATED, WITHIN_THOUGHTS
    return None if whole else (Outcome.MALFORMED, "the answer holds half a character")


def _parsed(content: bytes) -> tuple[Any, bool]:
    """The body, and whether all its texts are whole: half a pair of surrogates becomes a replacement character. A
    number without bounds (NaN, Infinity, 1e400), which JSON does not know and servers write, becomes none."""
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return orjson.loads(content), True
    except orjson.JSONDecodeError:
        found = json.loads(content, parse_constant=_finite, parse_float=_finite, parse_int=_finite)
        text = json.dumps(found, ensure_ascii=False).encode("utf-8", "surrogatepass")
        shown = text.decode("utf-8", "replace")
        return orjson.loads(shown), shown.encode() == text


def _finite(written: str) -> float | None:
    number = float(written)
    if not math.isfinite(number):
        return None
    return int(written) if written.lstrip("-").isdigit() else number


def _outcome(part: Part, finish: str, full: bool) -> tuple[Outcome | None, str]:
    """The outcome by the endpoint's word for how the answer ended, None for an unknown word.

    `full`: the answer is as long as was allowed, which decides where there is no word.
    """
    ended = ENDS[ending_of(finish)] if finish else Outcome.TRUNCATED if full else Outcome.ANSWERED
    if part.refusal or ended is Outcome.REFUSED:
        return Outcome.REFUSED, part.refusal or "the model declined to answer"
    if ended is Outcome.ANSWERED and not part.anything and not part.other:
        return Outcome.MALFORMED, f"the reply has no content (finish reason {finish or 'not given'})"
    return ended, WHY.get(ended, "") if ended else ""


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
    if any(value is None for _, value, _ in triples):
        return ()
    tokens = [(str(token), float(value), top or {}) for token, value, top in triples]
    return tuple(
        TokenLogprob(token, value, {name: told for name, told in top.items() if told is not None})
        for token, value, top in tokens
    )
