"""The form of an answer: its fields in the order of thought, and an example of it in one line for the prompt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

Schema = Mapping[str, Any]


class Form(BaseModel):
    """Base of the models that describe an answer: no unknown key, no conversion.

    One request has one answer, so a form holds nothing that says which question it belongs to. Fields stand in the
    order in which a model has to think: a reason before the verdict that rests on it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    limit: ClassVar[int] = 0
    """Tokens that an answer of a closed form takes at most; 0: as many as the request allows."""


def words(most: int) -> Any:
    """A text of a closed form, of about so many characters: a grammar ends it there, so that it cannot loop. A longer
    one that was written without a grammar is read all the same."""
    return Field(json_schema_extra={"maxLength": most})


def schema_of(form: type[BaseModel]) -> str:
    """The JSON Schema of a form, in the order of definition, in which models write, without titles."""
    return json.dumps(_untitled(form.model_json_schema()))


def example(form: type[BaseModel]) -> str:
    """A form in one line, with signs in place of values, so that a copy of it is no answer.

    >>> from typing import Annotated, Literal
    >>> from pydantic import create_model
    >>> score = Annotated[int, Field(ge=1, le=5)]
    >>> Verdict = create_model("Verdict", why=(str, ...), better=(Literal["A", "B"], ...), score=(score, ...))
    >>> print(example(Verdict))
    {"why": "...", "better": "A" | "B", "score": 1-5}
    """
    schema = form.model_json_schema()
    return _shown(schema, schema.get("$defs", {}))


def misfit(form: type[BaseModel], name: str, text: str) -> str:
    """What a field of the form expects, where the text is no value of it; "" where it is one, where the form has no
    such field, and where the field is a list or holds others, which may be shown in any way.

    >>> from typing import Literal
    >>> from pydantic import create_model
    >>> Verdict = create_model("Verdict", better=(Literal["A", "B"], ...), score=(int, Field(ge=1, le=5)))
    >>> misfit(Verdict, "score", "99"), misfit(Verdict, "score", "4"), misfit(Verdict, "better", "C")
    ('1-5', '', '"A" | "B"')
    """
    field = form.model_fields.get(name)
    if field is None:
        return ""
    asked: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, field])  # type: ignore[arg-type]
    schema = asked.json_schema()
    if schema.get("type") in ("array", "object") or "$ref" in schema:
        return ""
    for read in (asked.validate_python, asked.validate_json):
        try:
            value = read(text, strict=True)
        except ValidationError:
            continue
        if value in schema.get("enum", [value]):  # which a field may have for its grammar alone
            return ""
    return _shown(schema, schema.get("$defs", {}))


def _shown(part: Schema, known: Mapping[str, Schema]) -> str:
    if "$ref" in part:
        return _shown(known[part["$ref"].rpartition("/")[2]], known)
    if "anyOf" in part:
        return " | ".join(_shown(one, known) for one in part["anyOf"])
    options = part.get("enum", [part["const"]] if "const" in part else [])
    if options:
        return " | ".join(json.dumps(option, ensure_ascii=False) for option in options)
    kind = part.get("type")
    if kind == "object":
        fields = [f'"{name}": {_shown(one, known)}' for name, one in part["properties"].items()]
        return f"{{{', '.join(fields)}}}"
    if kind == "array":
        return f"[{_shown(part['items'], known)}, ...]"
    if kind in ("integer", "number"):
        low, high = part.get("minimum"), part.get("maximum")
        whole = "a number" if kind == "number" else "a whole number"
        return f"{low:g}-{high:g}" if low is not None and high is not None else whole
    return {"boolean": "true | false", "null": "null"}.get(str(kind), '"..."')


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without the titles that repeat its names."""
    found = {}
    for name, part in schema.items():
        if name in ("properties", "$defs"):
            found[name] = {key: _untitled(inner) for key, inner in part.items()}
        elif name not in ("title", "description"):
            found[name] = _untitled(part) if isinstance(part, dict) else part
    return found
