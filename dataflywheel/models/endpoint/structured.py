"""Answers of a given form: complete JSON that fits a pydantic model, or a stated outcome; never an invented value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from dataflywheel.models.endpoint.bare import bare_number
from dataflywheel.models.endpoint.chat_model import Asks as Asks
from dataflywheel.models.endpoint.form import Form as Form
from dataflywheel.models.endpoint.form import example, schema_of
from dataflywheel.models.endpoint.json_text import FormError, QuotedError, TwoAnswersError, first_json
from dataflywheel.models.endpoint.probe import closed, found_of
from dataflywheel.models.endpoint.quoting import codes, question
from dataflywheel.models.endpoint.reading import ask_read
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.endpoint.tried import Asking

T = TypeVar("T", bound=BaseModel)

FORM = "Reply with one JSON object of this form and nothing else{doubled}: {example}"
DOUBLED = ", each backslash in a text doubled"
REPAIR = (
    "The material is an answer that was to be one JSON object but cannot be read, and the error that says why. Write "
    "the same answer again in the right form. Keep every value as it is; add no value that the answer does not hold."
)
ECHO = "an answer that is the code of a fence and nothing else"
MEND = "Write this answer again in the right form."
LABEL = 80
"""Characters of an `id`, at most."""
MENDED = 3
"""Repairs that are asked for before anything else where no answer could be read."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


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
    alone: bool = False,
) -> list[Answer[T]]:
    """Ask, read the first complete JSON value of each answer, and ask once for a repair where it does not fit.

    The repair request is a new conversation that shows the error and the bad answer, quoted. A repaired answer stands
    only if every value in it was in the bad one: a repair changes the form and answers nothing. An answer that stands
    letter for letter in the material, or beside another one, is malformed.

    Args:
        schema: what the answer must be; sent as JSON Schema where the model takes one, else shown by an example at the
            end of the prompt.
        check: gives what is wrong with the value for `requests[i]`, or "". An answer that fails it is not repaired: it
            is malformed.
        alone: for a `schema` that holds a grade and nothing else: then a number alone is the grade, as small models
            give it.

    Returns:
        One answer a request, in their order.

    Raises:
        UnreadableAnswersError: none of the first twenty answers can be read or repaired; no more were asked for.
    """
    if not requests:
        return []
    can, limit = found_of(client), getattr(schema, "limit", 0)
    shaped = [_shaped(closed(one, limit, can.thinks), schema, can.schema) for one in requests]
    answers: dict[int, tuple[Answer[T], bool]] = {}

    def read(i: int, *replies: Reply) -> tuple[Answer[T], bool]:
        return _read(replies, schema, _material(shaped[i]), (lambda value: check(i, value)) if check else None, alone)

    def reads(i: int, reply: Reply) -> str:
        answers[i] = read(i, reply)
        return answers[i][0].error

    def mends(some: Sequence[int]) -> bool:
        broken = [i for i in some if answers[i][1]][:MENDED]
        repairs = [_repair(shaped[i], answers[i][0], schema) for i in broken]
        replies = zip(broken, client.ask(repairs) if repairs else [], strict=True)
        return any(read(i, *answers[i][0].replies, reply)[0].value is not None for i, reply in replies)

    replies = ask_read(client, shaped, _asking(schema, alone), reads, mends)
    found = [answers[i] if i in answers else read(i, reply) for i, reply in enumerate(replies)]
    broken = [i for i, (_, repairable) in enumerate(found) if repairable]
    repairs = [_repair(shaped[i], found[i][0], schema) for i in broken]
    for i, reply in zip(broken, client.ask(repairs) if repairs else [], strict=True):
        found[i] = read(i, *found[i][0].replies, reply)
    return [answer for answer, _ in found]


def _asking(schema: type[BaseModel], alone: bool) -> Asking:
    """Who asks for this form, and the form in words."""
    keys = ", ".join(f"`{name}`" for name in schema.model_fields)
    more = ", or the grade alone, as a number" if alone else ""
    return Asking(schema.__module__.rpartition(".")[2], f"one JSON object with {keys}{more}")


def parse(text: str, schema: type[T], material: str = "") -> T:
    """The first complete JSON value in the text as the model; see `first_json`.

    An `id` that the form does not have is passed over where it is a short word or a number: no question has one, and
    models that were asked for one before, or like to number their answers, write it all the same.

    Raises:
        FormError: there is none, it is cut off, it repeats a key, or it does not fit.
    """
    value = first_json(text, material)
    if isinstance(value, dict) and "id" not in schema.model_fields and _is_label(value.get("id")):
        value = {name: item for name, item in value.items() if name != "id"}
    try:
        return schema.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, p['loc'])) or 'the value'}: {p['msg']}" for p in error.errors()[:5]]
        raise FormError("; ".join(problems)) from None


def _is_label(id: Any) -> bool:
    return (isinstance(id, str) and len(id) <= LABEL) or (isinstance(id, int) and not isinstance(id, bool))


def _shaped(request: Request, schema: type[BaseModel], native: bool) -> Request:
    """The request with the form: as a schema where the model takes one, else as an example behind its last line."""
    if native:
        return replace(request, schema=schema_of(schema))
    *before, last = request.messages
    shown = example(schema)
    doubled = DOUBLED if '"..."' in shown and not getattr(schema, "limit", 0) else ""
    asked = f"{last['content']} {FORM.format(example=shown, doubled=doubled)}"
    return replace(request, messages=(*before, {**last, "content": asked}))


def _material(asked: Request) -> str:
    return "\n".join(str(turn["content"]) for turn in asked.messages if turn["role"] == "user")


def _read(
    replies: tuple[Reply, ...],
    schema: type[T],
    material: str,
    check: Callable[[T], str] | None,
    alone: bool,
) -> tuple[Answer[T], bool]:
    """The answer, and whether a repair may be asked for."""
    replies = tuple(reply.spoken() for reply in replies)
    first, last = replies[0], replies[-1]
    if not last.answered:
        if len(replies) == 1 or last.outcome is Outcome.OVER_BUDGET:
            return Answer(last.outcome, error=last.detail or last.outcome.value, replies=replies), False
        return Answer(Outcome.MALFORMED, error=f"the repair was {last.outcome.value}", replies=replies), False
    number = bare_number(last.text, schema) if alone and len(replies) == 1 else None
    try:
        value = schema.model_validate(number) if number else parse(last.text, schema, material)
        if len(replies) > 1:
            _refuse_additions(value, first.text)
    except FormError as error:
        repairable = len(replies) == 1 and not isinstance(error, TwoAnswersError | QuotedError)
        return Answer(Outcome.MALFORMED, error=str(error), replies=replies), repairable
    wrong = _echo(value, material) or (check(value) if check else "")
    if wrong:
        return Answer(Outcome.MALFORMED, error=wrong, replies=replies), False
    return Answer(Outcome.ANSWERED, value, replies=replies), False


def _echo(value: BaseModel, material: str) -> str:
    """That a text of the answer is nothing but a code of the question's fences, or ""."""
    marks = codes(material)
    leaves = _leaves(value.model_dump(mode="json", exclude_unset=True))
    return ECHO if marks and any(isinstance(leaf, str) and leaf.strip() in marks for leaf in leaves) else ""


def _repair(asked: Request, answer: Answer[T], schema: type[T]) -> Request:
    material = {"error": answer.error, "answer": answer.replies[0].text}
    sampling = replace(asked.sampling, temperature=0.0, top_logprobs=0)
    return _shaped(question(REPAIR, material, MEND, sampling), schema, asked.schema is not None)


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
