"""Answers of a given form: complete JSON that fits a pydantic model, or a stated outcome; never an invented value."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from dataflywheel.models.endpoint.chat_model import ChatModel
from dataflywheel.models.endpoint.quoting import DATA_RULE, Question, quote
from dataflywheel.models.endpoint.request import Outcome, Reply, Request

T = TypeVar("T", bound=BaseModel)

FORM = "Answer with one JSON object and nothing else. It must follow this JSON Schema:\n{schema}"
REPAIR = (
    "The material is an answer that was to be one JSON object but cannot be read, and the error that says why. Write "
    "the same answer again in the right form. Keep every value as it is; add no value that the answer does not hold."
)
_OPENING = re.compile(r'\{(?=\s*["}])|\[(?=\s*(?:[\[\]{"\d-]|true|false|null))')
"""Where a JSON object or array begins, told from brackets in prose by what follows."""
_REASONING = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


class Form(BaseModel):
    """Base of the models that describe an answer: no unknown key, no conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Numbered(Form):
    """An answer that returns the id of its question."""

    id: str


def same_id(questions: Sequence[Question]) -> Callable[[int, Numbered], str]:
    """The check of `ask_for` that no answer lands on another question."""
    return lambda i, value: "" if value.id == questions[i].id else f"the answer is not to {questions[i].id}"


class Asks(Protocol):
    """What is needed of a client."""

    @property
    def model(self) -> ChatModel: ...

    def ask(self, requests: Sequence[Request]) -> list[Reply]: ...


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One parsed answer. `value` is there if and only if the outcome is ANSWERED; else `error` says what was wrong."""

    outcome: Outcome
    value: T | None = None
    error: str = ""
    replies: tuple[Reply, ...] = ()
    """The reply, and the one to the repair request where there was one: what this answer cost."""


class FormError(ValueError):
    """Text without the JSON value that was asked for."""


def ask_for(
    client: Asks,
    requests: Sequence[Request],
    schema: type[T],
    check: Callable[[int, T], str] | None = None,
) -> list[Answer[T]]:
    """Ask, read the first complete JSON value of each answer, and ask once for a repair where it does not fit.

    The repair request is a new conversation that shows the error and the bad answer, quoted. A repaired answer stands
    only if every value in it was in the bad one: a repair changes the form and answers nothing.

    Args:
        schema: what the answer must be; sent as JSON Schema where the model takes one, else described in the prompt.
        check: gives what is wrong with the value for `requests[i]`, or "". An answer that fails it, with another
            question's id for instance, is not repaired: it is malformed.

    Returns:
        One answer a request, in their order.
    """
    shaped = [_shaped(request, schema, client.model.capabilities.json_schema) for request in requests]
    answers = [_read(i, (reply,), schema, check) for i, reply in enumerate(client.ask(shaped))]
    broken = [i for i, (_, repairable) in enumerate(answers) if repairable]
    repairs = [_repair(shaped[i], answers[i][0], schema) for i in broken]
    for i, reply in zip(broken, client.ask(repairs) if repairs else [], strict=True):
        first = answers[i][0]
        answers[i] = _read(i, (*first.replies, reply), schema, check)
    return [answer for answer, _ in answers]


def parse(text: str, schema: type[T]) -> T:
    """The first complete JSON value in the text as the model.

    Raises:
        FormError: there is none, it is cut off, it repeats a key, or it does not fit.
    """
    value = first_json(text)
    try:
        return schema.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, p['loc'])) or 'the value'}: {p['msg']}" for p in error.errors()[:5]]
        raise FormError("; ".join(problems)) from None


def first_json(text: str) -> Any:
    """The first JSON object or array in the text; what stands before and behind it is passed over.

    Nothing is completed: where the first one does not end, there is none, whatever lies inside it.

    >>> first_json('Sure! ```json\\n{"score": 4}\\n``` I hope {"score": 5} helps.')
    {'score': 4}

    Raises:
        FormError: there is none, it is cut off or wrong, or it holds a key twice or a number that is not finite.
    """
    text = _REASONING.sub("", text, count=1)
    if text.lstrip().startswith("<think>"):
        raise FormError("the answer ends within its reasoning")
    opening = _OPENING.search(text)
    if opening is None:
        raise FormError("there is no JSON object in the answer")
    try:
        value, _ = _DECODER.raw_decode(text, opening.start())
    except FormError:
        raise
    except (ValueError, RecursionError) as error:
        raise FormError(f"the JSON cannot be read: {error}") from None
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise FormError("a key of the JSON object occurs twice")
    return found


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise FormError("a number of the JSON is not finite")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=_float, parse_constant=_float, strict=False)


def _shaped(request: Request, schema: type[BaseModel], native: bool) -> Request:
    form = json.dumps(schema.model_json_schema(), sort_keys=True)
    if native:
        return replace(request, schema=form)
    described = FORM.format(schema=form)
    first, *rest = request.messages
    if first["role"] == "system":
        messages = ({**first, "content": f"{first['content']}\n\n{described}"}, *rest)
    else:
        messages = ({"role": "system", "content": described}, first, *rest)
    return replace(request, messages=messages)


def _read(
    i: int, replies: tuple[Reply, ...], schema: type[T], check: Callable[[int, T], str] | None
) -> tuple[Answer[T], bool]:
    """The answer, and whether a repair may be asked for."""
    first, last = replies[0], replies[-1]
    if not last.answered:
        if len(replies) == 1 or last.outcome is Outcome.OVER_BUDGET:
            return Answer(last.outcome, error=last.detail or last.outcome.value, replies=replies), False
        return Answer(Outcome.MALFORMED, error=f"the repair was {last.outcome.value}", replies=replies), False
    try:
        value = parse(last.text, schema)
        if len(replies) > 1:
            _refuse_additions(value, first.text)
    except FormError as error:
        return Answer(Outcome.MALFORMED, error=str(error), replies=replies), len(replies) == 1
    wrong = check(i, value) if check else ""
    if wrong:
        return Answer(Outcome.MALFORMED, error=wrong, replies=replies), False
    return Answer(Outcome.ANSWERED, value, replies=replies), False


def _repair(asked: Request, answer: Answer[T], schema: type[T]) -> Request:
    material = {"error": answer.error, "answer": answer.replies[0].text}
    sampling = replace(asked.sampling, temperature=0.0, top_logprobs=0)
    request = Request.chat(quote(material), f"{REPAIR}\n\n{DATA_RULE}", sampling)
    return _shaped(request, schema, asked.schema is not None)


def _refuse_additions(value: BaseModel, source: str) -> None:
    """Raises FormError where a number, text or truth value was not in the answer that was repaired."""
    numbers = {float(match) for match in _NUMBER.findall(source)}
    words = " ".join(source.casefold().split())
    for leaf in _leaves(value.model_dump(mode="json", exclude_unset=True)):
        if isinstance(leaf, bool) or leaf is None:
            known = json.dumps(leaf) in words
        elif isinstance(leaf, int | float):
            known = float(leaf) in numbers
        else:
            known = " ".join(str(leaf).casefold().split()) in words
        if not known:
            raise FormError(f"the repair added {str(leaf)[:40]!r}, which the answer does not hold")


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    return [leaf for item in value for leaf in _leaves(item)] if isinstance(value, list) else [value]
