"""Fields of pydantic models in words: type, default, limits, and the docstring that stands below each."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null", Any: "anything"}
LIMITS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "min_length": "at least", "pattern": "like"}


def field_docs(model: type[BaseModel]) -> dict[str, str]:
    """What each field means, one line each: the docstring below it, also in base classes."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if not (isinstance(cls, type) and issubclass(cls, BaseModel)) or cls is BaseModel:
            continue
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        assert isinstance(body, ast.ClassDef)
        for field, below in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and _is_text(below):
                found[field.target.id] = one_line(ast.literal_eval(below.value))  # type: ignore[attr-defined]
    return {name: text for name, text in found.items() if name in model.model_fields}


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def type_text(annotation: Any) -> str:
    """`float | None` as `number or null`; choices as they are written."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_text(inner[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(type_text(part) for part in inner))
    if origin is list or (origin is tuple and Ellipsis in inner):
        return f"list of {type_text(inner[0])}"
    if origin is tuple:
        return f"[{', '.join(type_text(part) for part in inner)}]"
    if origin is dict:
        return f"mapping to {type_text(inner[1])}"
    if annotation in WORDS:
        return WORDS[annotation]
    return f"`{annotation.__name__}`"


def default_text(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_defaults=True)
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)


def limits_text(field: FieldInfo) -> str:
    found = []
    for mark in field.metadata:
        for name, sign in LIMITS.items():
            limit = getattr(mark, name, None)
            if limit is not None:
                found.append(f"{sign} {limit}")
    return ", ".join(found)


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table, and a blank line."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    return [*lines, *(f"| {' | '.join(map(cell, row))} |" for row in rows), ""]


def field_table(model: type[BaseModel]) -> list[str]:
    """All fields of a model as a Markdown table; a sentence where there are none."""
    docs = field_docs(model)
    rows = []
    for name, field in model.model_fields.items():
        kind, limits = type_text(field.annotation), limits_text(field)
        default = default_text(field)
        shown = default if default in ("required", "") else f"`{default}`"
        rows.append([f"`{field.alias or name}`", f"{kind}; {limits}" if limits else kind, shown, docs.get(name, "")])
    return table(["field", "takes", "default", "meaning"], rows) if rows else ["No parameters.", ""]
