"""Mathematical expressions in LaTeX or plain signs, parsed, never executed; what has two readings is refused."""

from __future__ import annotations

from dataflywheel.proposing.answers.factors import Factors
from dataflywheel.proposing.answers.node import Node, NoExpressionError

MAX_CHARS = 400
MAX_DEPTH = 24
_TIMES = frozenset(("*", r"\cdot", r"\times", "·"))
_DIVIDED = frozenset(("/", r"\div"))


def parse(text: str) -> Node:
    r"""The expression that a text is.

    Letters next to each other are one name; a number before a name or a bracket is multiplied with it; a whole number
    before a fraction is a mixed number. Refused as having two readings: `1/2x`, `a/b/c`, `2^3^4`, `5-7` (a range?).

    Raises:
        NoExpressionError: anything else.
    """
    if len(text) > MAX_CHARS:
        raise NoExpressionError("too long")
    return _Parser(text).whole()


class _Parser(Factors):
    def whole(self) -> Node:
        found = self._sum()
        if self.at < len(self.tokens):
            raise NoExpressionError(f"stops at {self._peek()!r}")
        bare = all(kind == "number" or token == "-" for kind, token, _ in self.tokens)
        if bare and len(self.tokens) > 1 and self.tokens[0][0] == "number":
            raise NoExpressionError("a difference, a range, a date or a telephone number")
        return found

    def _sum(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NoExpressionError("too deep")
        found = self._product()
        while self._peek() in ("+", "-", r"\pm") and self._peek():
            sign = self._take()
            found = Node({"+": "+", "-": "-", r"\pm": "pm"}[sign], (found, self._product()))
        self.depth -= 1
        return found

    def _product(self) -> Node:
        found, divided = self._signed(), False
        while True:
            token = self._peek()
            if token in _TIMES and token:
                self._take()
                found = Node("*", (found, self._signed()))
            elif token in _DIVIDED and token:
                if divided:
                    raise NoExpressionError("a chain of divisions")
                self._take()
                found, divided = Node("/", (found, self._signed())), True
            elif self._begins_factor():
                if divided:
                    raise NoExpressionError("a product behind a division without a sign")
                found = Node("*", (found, self._power()))
            else:
                return found

    def _signed(self) -> Node:
        if self._peek() == "-":
            self._take()
            return Node("neg", (self._once_signed(),))
        if self._peek() == "+":
            self._take()
            return self._once_signed()
        if self._peek() == r"\pm":
            self._take()
            return Node("pm", (Node("number"), self._once_signed()))
        return self._power()

    def _once_signed(self) -> Node:
        if self._peek() in ("+", "-", r"\pm"):
            raise NoExpressionError("two signs")
        return self._power()

    def _power(self) -> Node:
        base = self._postfixed()
        if self._peek() in ("^", "**"):
            self._take()
            base = Node("^", (base, self._argument(signed=True)))
            if self._peek() in ("^", "**"):
                raise NoExpressionError("a power of a power without brackets")
        return base

    def _postfixed(self) -> Node:
        found = self._mixed()
        while self._peek() == "!":
            self._take()
            found = Node("!", (found,))
            if self._peek() == "!":
                raise NoExpressionError("a double factorial")
        return found

    def _mixed(self) -> Node:
        r"""A number, and a proper fraction of digits behind it: `1 1/2`, `1\frac{1}{2}`."""
        if self._kind() != "number":
            return self._atom()
        whole = self._number()
        if self._kind() == "number" and self._peek(1) == "/" and self._kind(2) == "number" and self.tokens[self.at][2]:
            top, _, under = self._number(), self._take("/"), self._number()
            return _mixed(whole, top, under)
        if self._peek() == r"\frac":
            start, signs = self.at, list(self.tokens)
            fraction = self._atom()
            top, under = fraction.parts
            if top.kind == under.kind == "number":
                return _mixed(whole, top, under)
            self.at, self.tokens = start, signs
        return whole


def _mixed(whole: Node, top: Node, under: Node) -> Node:
    if whole.value.denominator != 1 or not 0 < top.value < under.value:
        raise NoExpressionError("a number behind another, and no mixed number")
    return Node("+", (whole, Node("/", (top, under))))
