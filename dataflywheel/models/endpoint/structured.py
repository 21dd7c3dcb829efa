"""Answers of a given form: complete JSON that fits a pydantic model, or a stated outcome; never an invented value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from dataflywheel.models.endpoint.bare import bare_number
from dataflywheel.models.endpoint.chat_model import Asks as Asks
from dataflywheel.models.endpoint.json_text import FormError, TwoAnswersError, first_json
from dataflywheel.models.endpoint.quoting import DATA_RULE, Question, quote
from dataflywheel.models.endpoint.reading import ask_read
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.endpoint.tried import Asking

T = TypeVar("T", bound=BaseModel)

FORM = (
    "Answer with one JSON object and nothing else, its keys in the order of the schema. In a text each backslash is "
    'written twice, as in "\\\\frac". It must follow this JSON Schema:\n{schema}'
)
REPAIR = (
    "The material is an answer that was to be one JSON object but cannot be read, and the error that says why. Write "
    "the same answer again in the right form. Keep every value as it is; add no value that the answer does not hold."
)
MENDED = 3
"""Repairs that are asked for before anything else where no answer could be read."""
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


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One parsed answer. `value` is there if and only if the outcome is ANSWERED; else `error` says what was wrong."""

    outcome: Outcome
    value: T | None = None
    error: str = ""
    replies: tuple[Reply, ...] = ()
    """The reply, and the one to the repair request where there was one: what this answer cost."""

    @property
    def reasoning(self) -> str:
        """What the model thought before it answered, the first time."""
        return self.replies[0].reasoning if self.replies else ""


def ask_for(
    client: Asks,
    requests: Sequence[Request],
    schema: type[T],
    check: Callable[[int, T], str] | None = None,
    ids: Sequence[str] = (),
) -> list[Answer[T]]:
    """Ask, read the first complete JSON value of each answer, and ask once for a repair where it does not fit.

    The repair request is a new conversation that shows the error and the bad answer, quoted. A repaired answer stands
    only if every value in it was in the bad one: a repair changes the form and answers nothing.

    Args:
        schema: what the answer must be; sent as JSON Schema where the model takes one, else described in the prompt.
        check: gives what is wrong with the value for `requests[i]`, or "". An answer that fails it, with another
            question's id for instance, is not repaired: it is malformed.
        ids: the questions' ids, for a `schema` that holds a grade and nothing else beside the id: then a number alone
            is the grade, as small models give it.

    Returns:
        One answer a request, in their order.

    Raises:
        UnreadableAnswersError: none of the first twenty answers can be read or repaired; no more were asked for.
    """
    shaped = [_shaped(request, schema, client.model.capabilities.json_schema) for request in requests]
    answers: dict[int, tuple[Answer[T], bool]] = {}

    def reads(i: int, reply: Reply) -> str:
        answers[i] = _read(i, (reply,), schema, check, ids)
        return answers[i][0].error

    def mends(some: Sequence[int]) -> bool:
        broken = [i for i in some if answers[i][1]][:MENDED]
        repairs = [_repair(shaped[i], answers[i][0], schema) for i in broken]
        replies = zip(broken, client.ask(repairs) if repairs else [], strict=True)
        return any(_read(i, (*answers[i][0].replies, r), schema, check, ids)[0].value is not None for i, r in replies)

    replies = ask_read(client, shaped, _asking(schema, bool(ids)), reads, mends)
    found = [answers[i] if i in answers else _read(i, (r,), schema, check, ids) for i, r in enumerate(replies)]
    broken = [i for i, (_, repairable) in enumerate(found) if repairable]
    repairs = [_repair(shaped[i], found[i][0], schema) for i in broken]
    for i, reply in zip(broken, client.ask(repairs) if repairs else [], strict=True):
        found[i] = _read(i, (*found[i][0].replies, reply), schema, check, ids)
    return [answer for answer, _ in found]


def _asking(schema: type[BaseModel], alone: bool) -> Asking:
    """Who asks for this form, and the form in words."""
    keys = ", ".join(f"`{name}`" for name in schema.model_fields)
    more = ", or the grade alone, as a number" if alone else ""
    return Asking(schema.__module__.rpartition(".")[2], f"one JSON object with {keys}{more}")


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


def _shaped(request: Request, schema: type[BaseModel], native: bool) -> Request:
    form = json.dumps(_untitled(schema.model_json_schema()))  # in the order of definition, in which models write
    if native:
        return replace(request, schema=form)
    described = FORM.format(schema=form)
    first, *rest = request.messages
    if first["role"] == "system":
        messages = ({**first, "content": f"{first['content']}\n\n{described}"}, *rest)
    else:
        messages = ({"role": "system", "content": described}, first, *rest)
    return replace(request, messages=messages)


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without the titles that repeat its names."""
    found = {}
    for name, part in schema.items():
        if name in ("properties", "$defs"):
            found[name] = {key: _untitled(inner) for key, inner in part.items()}
        elif name != "title":
            found[name] = _untitled(part) if isinstance(part, dict) else part
    return found


def _read(
    i: int,
    replies: tuple[Reply, ...],
    schema: type[T],
    check: Callable[[int, T], str] | None,
    ids: Sequence[str] = (),
) -> tuple[Answer[T], bool]:
    """The answer, and whether a repair may be asked for."""
    replies = tuple(reply.spoken() for reply in replies)
    first, last = replies[0], replies[-1]
    if not last.answered:
        if len(replies) == 1 or last.outcome is Outcome.OVER_BUDGET:
            return Answer(last.outcome, error=last.detail or last.outcome.value, replies=replies), False
        return Answer(Outcome.MALFORMED, error=f"the repair was {last.outcome.value}", replies=replies), False
    if ids and len(replies) == 1 and (alone := bare_number(last.text, schema)) is not None:
        return Answer(Outcome.ANSWERED, schema.model_validate({"id": ids[i], **alone}), replies=replies), False
    try:
        value = parse(last.text, schema)
        if len(replies) > 1:
            _refuse_additions(value, first.text)
    except FormError as error:
        repairable = len(replies) == 1 and not isinstance(error, TwoAnswersError)
        return Answer(Outcome.MALFORMED, error=str(error), replies=replies), repairable
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
    words = _plain(re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), source))
    for leaf in _leaves(value.model_dump(mode="json", exclude_unset=True)):
        if isinstance(leaf, bool) or leaf is None:
            known = json.dumps(leaf) in words
        elif isinstance(leaf, int | float):
            known = float(leaf) in numbers
        else:
            known = any(_plain(form) in words for form in (leaf, leaf.replace("\n", "n").replace("\t", "t")))
        if not known:
            raise FormError(f"the repair added {str(leaf)[:40]!r}, which the answer does not hold")


def _plain(text: str) -> str:
    """A text without what a repair of its form may change: blanks, backslashes, capitals. A line end may have been
    written as one, or as a backslash and an n."""
    return " ".join(text.replace("\\", "").casefold().split())


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    return [leaf for item in value for leaf in _leaves(item)] if isinstance(value, list) else [value]
