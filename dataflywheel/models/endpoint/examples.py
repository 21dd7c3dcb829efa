"""Examples of one's own in a question: rows or fields that show what is wanted, apart from what is asked about."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import orjson
from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from dataflywheel.contracts import Cost, FlywheelError, Method, PoolStatistics
from dataflywheel.models.endpoint.form import Form, misfit
from dataflywheel.models.endpoint.instructions import Told
from dataflywheel.rows.reading import Input, iter_parsed
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import split_answer, text_of, transcript

SHOWN, MOST = 3, 50
"""Rows of a file that are shown where nothing else is said, and at most."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_ -]{0,40}")
CHARS_PER_TOKEN = 4
OF_ROWS = ("prompt", "answer", "label")
"""Names of the parts of a row, as a file of examples shows them."""
USUAL = (
    "instruction", "question", "input", "output", "response", "completion", "text", "document", "context", "system",
    "source", "tags", "task", "reason",
)  # fmt: skip
"""Other names that parts of rows have: no slip, however close to one of the answer's."""
VALUE_SHOWN = 60
ALIKE = 0.8
"""From here on a name is a slip of the pen: a letter too many, too few or in a wrong place, in five or more."""
EXPECTED = (
    "expected a path of rows, `{path: rows.jsonl, most: 3}`, or a list of examples with texts by name, such as "
    "`[{prompt: ..., answer: ..., score: 4}]`"
)


def examples_of(given: Any) -> list[dict[str, str]]:
    """What a recipe says under `examples`, as texts by name.

    >>> examples_of([{"prompt": "2 + 2?", "answer": "4", "score": 5}])
    [{'prompt': '2 + 2?', 'answer': '4', 'score': '5'}]

    Raises:
        ValueError: it is nothing of that kind, there are too many, or its file cannot be read.
    """
    if given is None:
        return []
    if isinstance(given, str | Path):
        given = {"path": str(given)}
    if isinstance(given, Mapping):
        most = given.get("most", SHOWN)
        if not given.keys() <= {"path", "most"} or not isinstance(given.get("path"), str):
            raise ValueError(f"examples: {EXPECTED}, not {dict(given)!r}")
        if type(most) is not int or not 1 <= most <= MOST:
            raise ValueError(f"examples: `most` is a number from 1 to {MOST}, not {most!r}")
        return _read(given["path"], most)
    if not isinstance(given, list | tuple):
        raise ValueError(f"examples: {EXPECTED}, not {given!r}")
    if len(given) > MOST:
        raise ValueError(f"examples: {len(given)} are too many for a question; {MOST} at most")
    return [_named(place, one) for place, one in enumerate(given, 1)]


def _named(place: int, one: Any) -> dict[str, str]:
    if not isinstance(one, Mapping) or not one:
        raise ValueError(f"example {place}: texts by name, such as `{{prompt: ..., answer: ...}}`, not {one!r}")
    for name in one:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError(f"example {place}: {name!r} is no name: letters, digits, blanks, - and _ after a letter")
    found = {name: as_text(value) for name, value in one.items()}
    blank = next((name for name, text in found.items() if not text.strip()), "")
    if blank:
        raise ValueError(f"example {place}: {blank} is empty; leave it out")
    return found


def as_text(value: Any) -> str:
    """A value as it is shown: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()


def _read(path: str, most: int) -> list[dict[str, str]]:
    """The first rows of a file: prompt, answer, and their further fields that are texts, numbers or truth values."""
    found: list[dict[str, str]] = []
    try:
        for parsed in iter_parsed(Input(path)):
            for row in parsed.rows:
                found.append(_of_row(row))
                if len(found) == most:
                    return found
    except FlywheelError as error:
        raise ValueError(f"examples: {error}") from None
    if not found:
        raise ValueError(f"examples: {path} holds no row")
    return found


def _of_row(row: Row) -> dict[str, str]:
    before, answer = split_answer(row["messages"])
    extra = {name: value for name, value in orjson.loads(row["extra"]).items() if isinstance(value, str | int | float)}
    held = {"prompt": transcript(before), "answer": text_of(answer), "label": row["label"], **extra}
    texts = {name: as_text(value) for name, value in held.items() if NAME.fullmatch(name)}
    return {name: text for name, text in texts.items() if text.strip()}


def check_examples(examples: Sequence[Mapping[str, str]], form: type[Form] | None) -> None:
    """Look at examples before they are paid for: a field of the answer has a value that an answer can have, and no name
    is a slip for one of the row's or the answer's. Other names are the user's own: `answer_1`, `context`.

    >>> from pydantic import Field, create_model
    >>> Mark = create_model("Mark", __base__=Form, score=(int, Field(ge=1, le=5)))
    >>> check_examples([{"answer": "4", "score": "99"}], Mark)
    Traceback (most recent call last):
    ValueError: example 1: score: 99 is nothing that this method's answer can hold; expected 1-5

    Raises:
        ValueError: one of them is not so; names the example, the field, the value and what is expected.
    """
    fields = list(form.model_fields) if form else []
    known = {name.casefold(): name for name in (*OF_ROWS, *fields)}
    for place, one in enumerate(examples, 1):
        held = {name.casefold() for name in one}
        for name, text in one.items():
            field = known.get(name.casefold())
            wanted = misfit(form, field, text.strip()) if form and field else ""
            if wanted:
                shown = text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}..."
                raise ValueError(
                    f"example {place}: {name}: {shown} is nothing that this method's answer can hold; expected {wanted}"
                )
            close = difflib.get_close_matches(name.casefold(), known.keys() - held, n=1, cutoff=ALIKE)
            if close and field is None and name.isalpha() and name.casefold() not in USUAL:
                raise ValueError(
                    f"example {place}: {name!r} is no part of a row and no field of the answer; did you mean "
                    f"{known[close[0]]!r}? Another name may be anything that is not so close to one of these"
                )


_FORMS = [
    {"type": "string"},
    {
        "type": "object",
        "properties": {"path": {"type": "string"}, "most": {"type": "integer", "minimum": 1, "maximum": MOST}},
        "required": ["path"],
        "additionalProperties": False,
    },
    {"type": "array", "items": {"type": "object", "minProperties": 1}, "maxItems": MOST},
]
Examples = Annotated[list[dict[str, str]], BeforeValidator(examples_of), WithJsonSchema({"anyOf": _FORMS})]


class Instructed(Method):
    """Base of methods whose question begins with their `instructions`: examples may be shown with it."""

    answered_in: ClassVar[type[Form] | None] = None
    """What an answer to that question must be, where it is known beforehand: examples are checked against it."""

    examples: Examples = Field(default=[], exclude_if=lambda held: not held)
    """Examples shown behind the instructions, apart from the row asked about: a path of rows (its first 3; `{path:
    rows.jsonl, most: 5}`), or a list with texts by name (`[{prompt: ..., answer: ..., score: 4}]`)."""

    @model_validator(mode="after")
    def _shown_with_them(self) -> Self:
        text = getattr(self, "instructions", "")
        if self.examples:
            check_examples(self.examples, self.answer_form())
        if self.examples and isinstance(text, str):
            self.__dict__["instructions"] = Told(text, self.examples)
        return self

    def answer_form(self) -> type[Form] | None:
        """What an answer to the question that shows the examples must be; None where that is not known."""
        return self.answered_in

    def estimate(self, pool: PoolStatistics) -> Cost:
        return self.with_examples(super().estimate(pool))

    def with_examples(self, whole: Cost) -> Cost:
        """What questions cost, with the examples in every one of them."""
        chars = sum(len(name) + len(text) for one in self.examples for name, text in one.items())
        more = whole.calls * (chars // CHARS_PER_TOKEN)
        price = getattr(getattr(self, "model", None), "usd_per_mtok", None)
        usd = more * price.input / 1e6 if price else 0.0
        return replace(whole, tokens=whole.tokens + more, usd=whole.usd + usd)
