"""What an endpoint's error means, wherever it stands: in a status, in the body of a good status, or in one choice."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from dataflywheel.contracts import FlywheelError
from dataflywheel.models.endpoint.chat_model import (
    AttemptError,
    DroppedError,
    RateLimitedError,
    RejectedError,
    TooSlowError,
    UnavailableError,
)
from dataflywheel.models.endpoint.retry_after import Headers, retry_after

SHOWN = 300
WORDS = ("message", "msg", "error_msg", "error_message")
UNKNOWN = 500
"""An error that does not say what it is: the endpoint's own, so it is asked again."""
_WORDS = (
    (402, re.compile(r"insufficient_(?:quota|balance|credit|funds)|billing|payment_required")),
    (429, re.compile(r"rate_?limit|too_many_requests|resource_exhausted|throttl|quota")),
    (401, re.compile(r"authentication|unauthori[sz]ed|unauthenticated|invalid_api_key")),
    (403, re.compile(r"permission|forbidden")),
    (404, re.compile(r"not_found|no_such_model")),
    (504, re.compile(r"timeout|timed_out|deadline")),
    (400, re.compile(r"invalid|bad_request|context_length|unsupported|too_long|content_(?:filter|policy)")),
)
"""Words of `code`, `type` or `status` where no number says what happened, the first that fits."""
_FLAGGED = re.compile(
    r"moderation|flagged|content[ _-]?(?:filter|(?:management )?policy)|content exists risk|safety system|"
    r"responsible_?ai|inappropriate content|sensitive_?content|data_?inspection_?failed|considered high risk|"
    r"prohibited_content",
    re.IGNORECASE,
)
"""Words of a refusal that is about what the text says: OpenAI, Azure, OpenRouter, DeepSeek, DashScope, Volcengine."""
_PLAINER = (
    (402, re.compile(r"arrearage|account is in good standing|account[^.]{0,60}suspended|insufficient[ _]balance")),
    (401, re.compile(r"api[ _-]?key[ _](?:is )?(?:not valid|invalid|expired)|(?:invalid|incorrect)[ _]api[ _-]?key")),
    (404, re.compile(r"not a valid model|model[ _]not[ _](?:found|exist)|model [^ ]{1,80} (?:does not|doesn't) exist")),
)
"""Words of a refused request (400, 403, 422) that every other would meet as well: Gemini, DashScope, OpenRouter."""
_TOO_LARGE = re.compile(
    r"request too large|(?:message|prompt|request) (?:is )?too (?:large|long)|must be reduced", re.I
)
"""A 429 to a request that is larger than what a whole minute allows: it will never be let through."""
_OF_THE_REQUEST = (400, 403, 412, 413, 414, 417, 422, 451)
"""What one request may meet and another not. Any other status says nothing of the question: it is the way there, a
gateway or a page in between (300 to 399, 405, 407, 410, 426), so it is asked again, and no row is given up for it."""
_HANDS_OFF = (408, 504, 524)
"""A gateway that gave up waiting leaves the work behind it going on."""
_OUT = (502, 503, 521, 522, 523, 530)
"""The server is not there: a gateway says so in its place (52x, 530: Cloudflare), or it is starting."""
_STARTING = re.compile(r"(?:loading|model is not (?:loaded|ready)|starting|warming) ?(?:the )?(?:model|up)?", re.I)
"""What a server says that is not ready to answer anything: llama.cpp, text-generation-inference, Ollama."""


@dataclass(frozen=True, slots=True)
class Said:
    """An error in the endpoint's own words. `status` is that of HTTP; `wait` the seconds that it asks for."""

    status: int
    words: str
    wait: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def error_in(body: Any) -> Said | None:
    """The error that the parsed body of a reply holds in place of an answer, or that its first choice holds, itself or
    in its message."""
    body = body[0] if isinstance(body, list) and body else body
    if not isinstance(body, dict):
        return None
    choices = body.get("choices")
    if body.get("error"):
        return read_error(body)
    if isinstance(choices, list) and choices:
        first = choices[0] if isinstance(choices[0], dict) else {}
        places = [one for one in (first, first.get("message")) if isinstance(one, dict) and one.get("error")]
        return read_error(places[0]) if places else None
    base = body.get("base_resp")
    if isinstance(base, dict) and base.get("status_code"):
        words = _shown(base.get("status_msg") or base)
        return Said(429 if base["status_code"] in (1002, 1039) else _status({}, words), words)
    if body.get("object") == "error" or _numbered(body) or any(body.get(name) for name in ("errors", "detail", *WORDS)):
        return read_error(body)
    return None


def read_error(body: Any) -> Said:
    """The error that a body tells, in any of the forms that gateways write."""
    body = body[0] if isinstance(body, list) and body else body
    error = body.get("error") or body if isinstance(body, dict) else body
    error = error[0] if isinstance(error, list) and error else error
    if isinstance(error, dict) and isinstance(error.get("errors"), list) and error["errors"]:
        error = error["errors"][0]
    if not isinstance(error, dict):
        return Said(_status({}, str(error)), _shown(error))
    words = _shown(next((error[name] for name in (*WORDS, "detail") if error.get(name)), error))
    more = error.get("metadata")
    more = more if isinstance(more, dict) else {}
    raw = more.get("raw")
    if raw and _shown(raw) not in words:
        words = f"{words}: {_shown(raw)}"[:SHOWN]
    status = _status(error, words)
    if status == 403 and (more.get("reasons") or filters(words)):
        status = 400  # the text was flagged; the key may do what it likes
        words = words if filters(words) else f"flagged: {words}"
    elif not filters(words) and filters(named := _named(error)):
        words = f"{words} ({named})"[:SHOWN]
    headers = more.get("headers")
    told = {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
    return Said(status, words, retry_after({**told, "retry-after": _wait(error, more, told)}, time.time()))


def _numbered(body: Mapping[str, Any]) -> bool:
    """Whether a body without choices names a status of HTTP that is an error."""
    return any(re.fullmatch(r"[45]\d\d", str(body.get(name))) is not None for name in ("status", "statusCode", "code"))


def _wait(*places: Mapping[str, Any]) -> str:
    named = (place.get(name) for place in places for name in ("retry_after", "retry-after", "retry_after_seconds"))
    return next((str(value) for value in named if value), "")


def _status(error: Mapping[str, Any], words: str) -> int:
    for name in ("code", "status", "status_code", "http_code", "error_code"):
        value = error.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and re.fullmatch(r"[45]\d\d", str(value)):
            return int(value)
    named = _named(error).lower()
    telling = re.search(r"[a-z]{4}", named)
    for text in (named, "" if telling else words[:SHOWN].lower().replace(" ", "_")):
        for status, pattern in _WORDS:
            if pattern.search(text):
                return status
    return UNKNOWN


def _named(error: Mapping[str, Any]) -> str:
    inner = error.get("innererror")
    names = [error.get(name) for name in ("code", "type", "status")]
    return " ".join(str(name) for name in (*names, inner.get("code") if isinstance(inner, dict) else None) if name)


def error_of(
    said: Said, where: str, headers: Headers | None = None, began: bool = False, used: tuple[int, int] | None = None
) -> FlywheelError:
    """The error to raise: to be asked again, final for this request, or the end of the run.

    `began`: the work was under way, and may have to be paid for; `used`: the tokens that the endpoint says it took.
    """
    status, words = said.status, f"{said.status}: {said.words}"
    if status in (400, 403, 422):
        status = next((plainer for plainer, found in _PLAINER if found.search(words.lower())), status)
    if status == 429 and _TOO_LARGE.search(words):
        return RejectedError(words, used)
    if status == 402 or (status == 429 and "insufficient_quota" in words):
        return FlywheelError(f"{where}: the account has no credit left; top it up and run again. {words}")
    if status in (429, 498):  # 498: Groq has no capacity
        wait = retry_after(headers, time.time()) if headers is not None else None
        return RateLimitedError(words, said.wait if wait is None else wait)
    if status in _HANDS_OFF:
        return TooSlowError(words, maybe_paid=True, used=used)
    if status in _OUT or (status >= 500 and _STARTING.match(said.words)):
        return DroppedError(words, maybe_paid=began, used=used)
    if status in (409, 424, 425, 499) or status >= 500:
        return UnavailableError(words, maybe_paid=began, used=used)
    if status == 401:
        return FlywheelError(f"{where} does not accept the key; set `api_key: ${{NAME}}` in the recipe. {words}")
    if status == 403:
        return FlywheelError(f"{where} gives no permission; check what the key is allowed to use. {words}")
    if status == 404:
        return FlywheelError(f"{where} is not there; check `endpoint` (most end in /v1) and `model`. {words}")
    if status not in _OF_THE_REQUEST:
        return UnavailableError(words, used=used)
    return RejectedError(words, used, filters(words))


def filters(words: str) -> bool:
    """Whether an endpoint's words say that its filter stopped the text."""
    return _FLAGGED.search(words) is not None


def refusal(status: int, content: bytes, headers: Headers, where: str) -> FlywheelError:
    """The error that a status other than 200 stands for."""
    try:
        told = read_error(orjson.loads(content))
    except orjson.JSONDecodeError:
        told = Said(status, _shown(content.decode("utf-8", "replace")))
    if status == 429 and told.status == 402:
        status = 402
    if status == 403 and told.status == 400:
        status = 400
    return error_of(Said(status, told.words, told.wait), where, headers)


def again(error: FlywheelError) -> bool:
    """Whether the same request may be sent once more."""
    return isinstance(error, AttemptError) and not isinstance(error, RejectedError)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return " ".join(text.split())[:SHOWN]
