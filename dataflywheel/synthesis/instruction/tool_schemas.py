"""Specifications of tools as methods need them: read from rows and files, and calls held against their schemas."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
from pydantic import BeforeValidator, WithJsonSchema

from dataflywheel.rows.formats.tool_specs import is_specification, take_tools

Spec = dict[str, Any]

TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,),
    "object": (dict,), "null": (type(None),),
}  # fmt: skip
SPELLED = {
    "str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "dict": "object",
    "tuple": "array",
}  # fmt: skip
"""Types as Python spells them, in specifications that were made of its functions."""
KNOWN = frozenset(
    ("type", "enum", "const", "properties", "required", "additionalProperties", "items", "anyOf", "oneOf", "minimum",
     "maximum", "minItems", "maxItems", "minLength", "maxLength", "nullable", "strict")
)  # fmt: skip
"""Keywords that are checked."""
SPOKEN = frozenset(
    ("description", "title", "default", "example", "examples", "format", "name", "$schema", "deprecated", "optional")
)
"""Keywords that only tell."""


def _of(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


SHAPES: Mapping[str, Callable[[Any], bool]] = {
    "type": lambda value: isinstance(value, str) or _names(value),
    "required": _names,
    **dict.fromkeys(("enum", "anyOf", "oneOf"), _of(list)),
    **dict.fromkeys(("properties", "items"), _of(dict)),
    "additionalProperties": _of(bool, dict),
    **dict.fromkeys(("minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength"), _of(int, float)),
}
"""What stands under a keyword; a schema comes with rows, and may be anything."""
DEEPEST = 12
NOT_JSON = "the arguments are no JSON object"
UNKNOWN_TOOL = "no tool of that name"
MISSING = "an argument is missing"
SURPLUS = "an argument that the tool does not take"
WRONG_TYPE = "an argument of the wrong type"
NO_CHOICE = "a value that is none of the choices"
OUT = "a value out of its bounds"


@dataclass(frozen=True)
class Tool:
    """One tool: how it is specified, and the schema of its arguments as an object."""

    name: str
    spec: Spec
    schema: Spec


def tools_of_row(tools: str | None) -> list[Tool]:
    """The tools beside a row whose schemas can be checked."""
    try:
        held = orjson.loads(tools) if tools else []
    except orjson.JSONDecodeError:
        return []
    return tools_of(held if isinstance(held, list) else [held])


def tools_of(specs: Sequence[Any]) -> list[Tool]:
    """Those of the specifications whose schemas can be checked, each name once.

    >>> [tool.name for tool in tools_of([{"name": "f", "parameters": {"x": {"type": "int"}}}, {"name": 3}])]
    ['f']
    """
    found: dict[str, Tool] = {}
    for spec in specs:
        if not is_specification(spec):
            continue
        held = spec.get("function", spec)
        schema = schema_of_arguments(held)
        if schema is not None and not unchecked(schema) and held["name"] not in found:
            found[held["name"]] = Tool(held["name"], spec, schema)
    return list(found.values())


def schema_of_arguments(held: Mapping[str, Any]) -> Spec | None:
    """The arguments of a tool as a schema of an object, also where they stand by name without one (as xLAM writes
    them: what has a default or is called optional need not be given); None where they are neither."""
    given = held.get("parameters", held.get("arguments", {}))
    if not isinstance(given, dict):
        return None
    if "properties" in given or given.get("type") == "object" or not given:
        return {"type": "object", **given}
    if not all(isinstance(one, dict) for one in given.values()):
        return None
    plain = {name: {**one, "type": str(one.get("type", "")).partition(",")[0].strip()} for name, one in given.items()}
    properties = {name: {k: v for k, v in one.items() if k != "required" and v != ""} for name, one in plain.items()}
    optional = {name for name, one in given.items() if "default" in one or "optional" in str(one.get("type", ""))}
    optional |= {name for name, one in given.items() if one.get("required") is False}
    return {"type": "object", "properties": properties, "required": [name for name in given if name not in optional]}


def unchecked(schema: Any, depth: int = 0) -> str:
    """The first keyword of a schema that is not checked here, such as `$ref`; "" where all are."""
    if not isinstance(schema, dict) or depth > DEEPEST:
        return "a schema that is none"
    strange = sorted(set(schema) - KNOWN - SPOKEN) + sorted(
        k for k, of in SHAPES.items() if k in schema and not of(schema[k])
    )
    if strange or not all(kind in TYPES for kind in _kinds(schema)):
        return strange[0] if strange else "type"
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    inner += [schema[name] for name in ("items", "additionalProperties") if isinstance(schema.get(name), dict)]
    return next((why for one in inner if (why := unchecked(one, depth + 1))), "")


def misfit(schema: Spec, value: Any, at: str = "") -> str:
    """Why a value does not fit a schema, beginning with words that can be counted; "" where it does. Of an object no
    further keys fit, unless the schema allows them by `additionalProperties`.

    >>> misfit({"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}, {"days": "3"})
    "an argument of the wrong type: days: expected integer, not '3'"
    """
    either: list[Spec] = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    if either and all(misfit(one, value, at) for one in either):
        return misfit(either[0], value, at)
    kinds = _kinds(schema)
    if kinds and not any(_is(value, kind) for kind in kinds):
        return f"{WRONG_TYPE}: {at}: expected {' or '.join(kinds)}, not {value!r:.60}"
    choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if choices is not None and not any(value == one and type(value) is type(one) for one in choices):
        return f"{NO_CHOICE}: {at}: {value!r:.60}"
    return _out(schema, value, at) or _inside(schema, value, at)


def _inside(schema: Spec, value: Any, at: str) -> str:
    """The same of what a value holds."""
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return next((why for i, one in enumerate(value) if (why := misfit(schema["items"], one, f"{at}[{i}]"))), "")
    if not isinstance(value, dict):
        return ""
    properties, more = schema.get("properties", {}), schema.get("additionalProperties", False)
    where = f"{at}." if at else ""
    for name in schema.get("required", ()):
        if name not in value:
            return f"{MISSING}: {where}{name}"
    free = not properties and at  # an object of which nothing is said, within the arguments
    for name, one in value.items():
        inner = properties.get(name, more if isinstance(more, dict) else None)
        if inner is None and not (more or free):
            return f"{SURPLUS}: {where}{name}"
        if isinstance(inner, dict) and (why := misfit(inner, one, f"{where}{name}")):
            return why
    return ""


def _out(schema: Spec, value: Any, at: str) -> str:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    length = len(value) if isinstance(value, str | list) else None
    low, high = ("minItems", "maxItems") if isinstance(value, list) else ("minLength", "maxLength")
    for size, least, most in ((number, "minimum", "maximum"), (length, low, high)):
        if size is not None and not schema.get(least, size) <= size <= schema.get(most, size):
            return f"{OUT}: {at}: {value!r:.60}"
    return ""


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    given = schema.get("type")
    kinds = [given] if isinstance(given, str) else list(given or [])
    found = [
        SPELLED.get(str(kind).partition("[")[0].lower(), str(kind)) for kind in kinds if str(kind).lower() != "any"
    ]
    return [*found, "null"] if found and schema.get("nullable") is True else found


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def read_tools(given: Any) -> list[Spec]:
    """Specifications of a recipe, or of a file (`.json`: a list; `.jsonl`: one a line), in the form of OpenAI.

    Raises:
        ValueError: the file cannot be read, or holds what is no specification or has a schema that cannot be checked.
    """
    where = f"{given}: " if isinstance(given, str | Path) else ""
    if isinstance(given, str | Path):
        try:
            text = Path(given).expanduser().read_text("utf-8-sig")
            lines = [line for line in text.splitlines() if line.strip()]
            given = [json.loads(line) for line in lines] if str(given).endswith(".jsonl") else json.loads(text)
        except (OSError, ValueError) as error:
            raise ValueError(f"{where}{error}; expected a list of specifications of tools as JSON") from None
    listed = take_tools({"functions": given}) if given else None
    specs = orjson.loads(listed) if listed else []
    for spec in specs:
        held = spec.get("function", spec) if isinstance(spec, dict) else {}
        schema = schema_of_arguments(held) if is_specification(spec) else None
        why = "is no specification with a name and `parameters`" if schema is None else unchecked(schema)
        if schema is None or why:
            raise ValueError(
                f"{where}tool {held.get('name')!r}: {why if schema is None else f'{why!r} is not checked'}"
            )
    if given and not specs:
        raise ValueError(f"{where}expected a list of tools, each with a name and `parameters`, not {given!r:.80}")
    return list(specs)


Tools = Annotated[
    list[Spec],
    BeforeValidator(read_tools),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]}),
]
"""Specifications of tools, or the path of a file that holds them."""
