"""A form that a prompt shows by an example in one line, as the JSON schema that it stands for."""

from __future__ import annotations

import json
import re
from typing import Any

TOKEN = re.compile(
    r'\s*("(?:[^"\\]|\\.)*"|-?\d+--?\d+|-?\d+(?:\.\d+)?|a number|a whole number|true|false|null|\.\.\.|[{}\[\]:,|])'
)
BEGINNING = re.compile(r"JSON object of this form[^:{]*: (?=\{)")


def described(text: str) -> dict[str, Any] | None:
    """The schema of the form that a text shows last, or None."""
    places = list(BEGINNING.finditer(text))
    return _Reader(TOKEN.findall(text[places[-1].end() :])).one() if places else None


class _Reader:
    """`"..."` is a text, `"a" | "b"` a choice, `1-5` a whole number between, `[x, ...]` a list."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at = tokens, 0

    def next(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def ahead(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def one(self) -> dict[str, Any]:
        found = [self.single()]
        while self.ahead() == "|":
            self.next()
            found.append(self.single())
        if len(found) == 1:
            return found[0]
        values = [value for one in found for value in one["enum"]]
        return {"type": "boolean"} if values == [True, False] else {"enum": values}

    def single(self) -> dict[str, Any]:
        token = self.next()
        if token == "{":
            return self.object()
        if token == "[":
            items = self.one()
            assert [self.next() for _ in range(3)] == [",", "...", "]"]
            return {"type": "array", "items": items}
        if bounds := re.fullmatch(r"(-?\d+)-(-?\d+)", token):
            return {"type": "integer", "minimum": int(bounds[1]), "maximum": int(bounds[2])}
        if token in ("a number", "a whole number"):
            return {"type": "number" if token == "a number" else "integer"}
        return {"type": "string"} if token == '"..."' else {"enum": [json.loads(token)]}

    def object(self) -> dict[str, Any]:
        properties = {}
        while self.ahead() != "}":
            name = json.loads(self.next())
            assert self.next() == ":"
            properties[name] = self.one()
            if self.ahead() == ",":
                self.next()
        self.next()
        return {"type": "object", "properties": properties}
