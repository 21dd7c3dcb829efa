"""The signs of an expression in order: numbers, commands of LaTeX, words, single signs."""

from __future__ import annotations

import re
from fractions import Fraction

from dataflywheel.proposing.answers.node import Node, NoExpressionError

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3}(?![\d.]))?)"
    r"|(?P<command>\\[A-Za-z]+)|(?P<word>[^\W\d_]+)|(?P<sign>\*\*|\\[{}|]|.))",
    re.DOTALL,
)


class Tokens:
    """Where a parser stands in the signs of a text, and what comes next."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str, bool]] = []
        """Kind, text, and whether a space stood before it."""
        for match in _TOKEN.finditer(text.strip()):
            kind = str(match.lastgroup)
            self.tokens.append((kind, match[kind], match.start(kind) > match.start()))
        self.text, self.at, self.depth = text, 0, 0

    def _peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.tokens[at][1] if at < len(self.tokens) else ""

    def _kind(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.tokens[at][0] if at < len(self.tokens) else ""

    def _take(self, expected: str = "") -> str:
        token = self._peek()
        if not token or (expected and token != expected):
            raise NoExpressionError(f"expected {expected or 'more'}")
        self.at += 1
        return token

    def _number(self) -> Node:
        token = self._take()
        if len(token) > 1 and token[0] == "0" and token[1].isdigit():
            raise NoExpressionError("a number that begins with 0")
        return Node("number", value=Fraction(token.replace(",", "")))

    def _braced(self) -> list[str]:
        self._take("{")
        found = []
        while self._peek() not in ("}", ""):
            found.append(self._take())
        self._take("}")
        return found
