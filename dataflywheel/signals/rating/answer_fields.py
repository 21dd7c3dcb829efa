"""The fields of an answer as a recipe names them, as a form, as columns, and as what is kept of a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

import orjson
import pyarrow as pa
from pydantic import Field, create_model

from dataflywheel.models.endpoint.form import Form, words
from dataflywheel.signals.rating.rating import COST_COLUMNS

VALUE = "value"
KINDS = {"number": pa.float64(), "integer": pa.int64(), "yes_no": pa.float32(), "text": pa.string()}
ALIKE = {"boolean": "yes_no", "string": "text"}
TAKEN = {*COST_COLUMNS, "status", "error", "seconds", "id"}
BOUNDS = {"minimum", "maximum"}
CLOSED_TOKENS = 48
TEXT_CHARS = 2000
EXPECTED = (
    "expected number, integer, yes_no, text, a list of choices, `{type: integer, minimum: 1, maximum: 5}`, or fields "
    "by name, each one of these"
)

Type = str | list[str] | dict[str, Any]


def fields_of(answer: Type | Mapping[str, Type]) -> dict[str, Type]:
    """The fields of an answer by name; one of a single value has the field `value`.

    >>> fields_of("number"), fields_of({"tone": ["kind", "rude"], "steps": "integer"})
    ({'value': 'number'}, {'tone': ['kind', 'rude'], 'steps': 'integer'})

    Raises:
        ValueError: what stands there is no such answer; says what is.
    """
    several = isinstance(answer, Mapping) and not isinstance(answer.get("type"), str)
    found: dict[str, Any] = {**answer} if several and isinstance(answer, Mapping) else {VALUE: answer}
    if not found:
        raise ValueError(f"an answer needs a field; {EXPECTED}")
    for name, kind in found.items():
        if name in TAKEN or not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]*", name):
            why = "is a column that every signal has" if name in TAKEN else "is no name of a column"
            raise ValueError(f"the field {name!r} {why}; give it another name")
        check_kind(name, kind)
    return found


def check_kind(name: str, kind: Any) -> None:
    """Raises ValueError: what stands for this field is no kind of answer; says what is."""
    if isinstance(kind, list):
        if len(kind) < 2 or len(set(map(str, kind))) < len(kind) or not all(isinstance(k, str) and k for k in kind):
            raise ValueError(f"{name}: choices are two or more different texts, not {kind!r}")
        return
    given = kind if isinstance(kind, dict) else {"type": kind}
    known = kind_named(given.get("type"))
    bounds = {key: value for key, value in given.items() if key != "type"}
    if known not in KINDS or not bounds.keys() <= BOUNDS:
        raise ValueError(f"{name}: {kind!r} is no kind of answer; {EXPECTED}")
    if bounds and known not in ("number", "integer"):
        raise ValueError(f"{name}: only numbers have a minimum and a maximum")
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in bounds.values()):
        raise ValueError(f"{name}: minimum and maximum are numbers")
    if bounds.get("minimum", 0) > bounds.get("maximum", bounds.get("minimum", 0)):
        raise ValueError(f"{name}: the minimum is above the maximum")


def kind_named(word: Any) -> str:
    """The kind of answer that a word stands for, the word itself where it stands for none, "" where it is no word."""
    return ALIKE.get(word, word) if isinstance(word, str) else ""


def kind_of(kind: Type) -> str:
    """`number`, `integer`, `yes_no` or `text`, with bounds or without; "" for a list of choices."""
    return kind_named(kind["type"] if isinstance(kind, dict) else kind)


def columns_of(fields: Mapping[str, Type]) -> dict[str, pa.DataType]:
    """The column of each field: choices and texts as text, `yes_no` as 1 and 0."""
    return {name: pa.string() if isinstance(kind, list) else KINDS[kind_of(kind)] for name, kind in fields.items()}


def form_of(
    fields: Mapping[str, Type], longest: int | None = TEXT_CHARS, asked_by: str = "dataflywheel.signals.rating.ask"
) -> type[Form]:
    """What the answer must be: texts of about so many characters, or of any length; `asked_by` is the module that asks,
    which errors name."""
    return _form(orjson.dumps(dict(fields)), longest, asked_by)


@lru_cache(maxsize=64)
def _form(fields: bytes, longest: int | None, asked_by: str) -> type[Form]:
    known: dict[str, Any] = {name: (_typed(kind, longest), ...) for name, kind in orjson.loads(fields).items()}
    form = create_model("Asked", __base__=Form, __module__=asked_by, **known)
    texts = any(
        kind == pa.string() and not isinstance(orjson.loads(fields)[name], list)
        for name, kind in columns_of(orjson.loads(fields)).items()
    )
    form.limit = 0 if texts else CLOSED_TOKENS * len(known)
    return form


def _typed(kind: Type, longest: int | None) -> Any:
    if isinstance(kind, list):
        return Literal[tuple(kind)]
    given: dict[str, Any] = kind if isinstance(kind, dict) else {"type": kind}
    word, low, high = kind_named(given["type"]), given.get("minimum"), given.get("maximum")
    if word == "yes_no":
        return Literal["yes", "no"]
    if word == "text":
        return str if longest is None else Annotated[str, words(longest)]
    if word == "integer":
        return Annotated[int, Field(ge=low, le=high)]
    return Annotated[float, Field(ge=low, le=high, allow_inf_nan=False)]


def values_of(fields: Mapping[str, Type], answer: Form) -> dict[str, Any]:
    """What is kept of an answer, by column."""
    said = answer.model_dump()
    yes = {name for name, kind in fields.items() if kind_of(kind) == "yes_no"}
    return {name: float(value == "yes") if name in yes else value for name, value in said.items()}
