"""A grade without anything around it, as small models give it, which write no JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

_ALONE = re.compile(
    r"(?:(?:grade|score|mark|level|rating)\s*[:=]?\s*)?([0-9]+(?:\.[0-9]+)?)(?:\s*/\s*([0-9]+))?\.?", re.IGNORECASE
)


def bare_number(text: str, schema: type[BaseModel]) -> dict[str, int | float] | None:
    """The one number of a form that has nothing else, where the first line that is not blank is that number and nothing
    else, and no further line is another. A "/5" behind it must be the form's own maximum.

    >>> from typing import Annotated
    >>> from pydantic import Field, create_model
    >>> Grade = create_model("Grade", score=(Annotated[int, Field(ge=1, le=5)], ...))
    >>> bare_number("**4**\\nIt is right.", Grade), bare_number("4/5", Grade), bare_number("Score: 3.", Grade)
    ({'score': 4}, {'score': 4}, {'score': 3})
    >>> [bare_number(text, Grade) for text in ("4/10", "7", "3.5", "4 reasons", "It is a 4", "4\\n5")]
    [None, None, None, None, None, None]
    """
    wanted = list(schema.model_json_schema()["properties"].items())
    if len(wanted) != 1 or wanted[0][1].get("type") not in ("integer", "number"):
        return None
    ((name, part),) = wanted
    first, *rest = [line for line in text.splitlines() if line.strip(" \t*_`#>")] or [""]
    value = _number(first, part)
    if value is None or any(_number(line, part) not in (None, value) for line in rest):
        return None
    if part["type"] == "number":
        return {name: value}
    return {name: int(value)} if value == int(value) else None


def _number(line: str, part: Mapping[str, Any]) -> float | None:
    match = _ALONE.fullmatch(re.sub(r"[*_`#>]", "", line).strip())
    if match is None or (match[2] and float(match[2]) != part.get("maximum")):
        return None
    value = float(match[1])
    return value if part.get("minimum", value) <= value <= part.get("maximum", value) else None
