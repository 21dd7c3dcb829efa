"""Fields that are sent on top of what was asked, and left out where an endpoint does not know them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from dataflywheel.models.endpoint.request import Request, Sampling

BOUNDS = ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum")
"""Of a JSON schema: some endpoints that obey one refuse these."""
SPARE = ("max_tokens", "top_p", "seed")
"""Fields that an endpoint may refuse: the limit has another name, the others can be left out."""
_UNKNOWN = re.compile(
    r"un(?:supported|known|recogni[sz]ed|expected)|not (?:supported|permitted|allowed)|extra|invalid|cannot|only", re.I
)


def refused_fields(refusal: str, sent: Collection[str]) -> set[str]:
    """Those of the fields sent that an endpoint's words refuse, among those that can be left out."""
    named = {name for name in SPARE[1:] if name in sent and re.search(rf"\b{name}\b", refusal)}
    return named if _UNKNOWN.search(refusal) else set()


def refuses_bounds(refusal: str) -> bool:
    """Whether an endpoint's words refuse a bound in a schema."""
    return bool(_UNKNOWN.search(refusal)) and any(re.search(rf"\b{name}\b", refusal) for name in BOUNDS)


def unbounded(schema: Any) -> Any:
    """A JSON schema without its bounds; what is read is held against them all the same."""
    if isinstance(schema, list):
        return [unbounded(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: unbounded(part) for name, part in schema.items() if name not in BOUNDS}


def drawn_by(request: Request) -> int:
    """The seed of a question that names none: another for each question and each of its samples, the same in every run.

    >>> drawn_by(Request.chat("hi")) == drawn_by(Request.chat("hi").with_limit(9))
    True
    >>> drawn_by(Request.chat("hi")) == drawn_by(Request.chat("hi", sample=1))
    False
    """
    asked = replace(request, sampling=Sampling()).canonical("")
    return int.from_bytes(hashlib.sha256(asked).digest()[:4], "big") >> 1
