"""A grade without anything around it, as small models give it: they do not echo ids, nor write JSON."""

from __future__ import annotations

import re

from pydantic import BaseModel

_ALONE = re.compile(
    r"(?:(?:grade|score|mark|level|rating)\s*[:=]?\s*)?([0-9]+(?:\.[0-9]+)?)(?:\s*/\s*([0-9]+))?\.?", re.IGNORECASE
)


def bare_number(text: str, schema: type[BaseModel]) -> dict[str, int | float] | None:
    """The one number of a form that has an id and a number, where the first line that is not blank is that number and
    nothing else. A "/5" behind it must be the form's own maximum.

    >>> from typing import Annotated
    >>> from pydantic import Field, create_model
    >>> Grade = create_model("Grade", id=(str, ...), score=(Annotated[int, Field(ge=1, le=5)], ...))
    >>> bare_number("**4**\\nIt is right.", Grade), bare_number("4/5", Grade), bare_number("Score: 3.", Grade)
    ({'score': 4}, {'score': 4}, {'score': 3})
    >>> [bare_number(text, Grade) for text in ("4/10", "7", "3.5", "4 reasons", "It is a 4")]
    [None, None, None, None, None]
    """
    wanted = [(name, part) for name, part in schema.model_json_schema()["properties"].items() if name != "id"]
    if len(wanted) != 1 or wanted[0][1].get("type") not in ("integer", "number"):
        return None
    ((name, part),) = wanted
    first = next((line for line in text.splitlines() if line.strip(" \t*_`#>")), "")
    match = _ALONE.fullmatch(re.sub(r"[*_`#>]", "", first).strip())
    if match is None or (match[2] and float(match[2]) != part.get("maximum")):
        return None
    value = float(match[1])
    if not part.get("minimum", value) <= value <= part.get("maximum", value):
        return None
    if part["type"] == "number":
        return {name: value}
    return {name: int(value)} if value == int(value) else None
