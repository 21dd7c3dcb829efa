"""Mathematical expressions in LaTeX or plain signs, parsed, never executed; what has two readings is refused."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from dataflywheel.proposing.answers.node import Node, NoExpressionError
from dataflywheel.proposing.answers.tokens import Tokens

MAX_CHARS = 400
MAX_DEPTH = 24
FUNCTIONS = frozenset((
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "ln", "log", "exp",
))  # fmt: skip
_GREEK = frozenset((
    "alpha", "beta", "gamma", "delta", "epsilon", "theta", "lambda", "mu", "rho", "sigma", "tau", "phi", "omega",
    "varphi", "varepsilon", "psi", "kappa", "eta", "nu", "xi", "zeta", "Delta", "Omega", "ell", "infty",
))  # fmt: skip
_TIMES = frozenset(("*", r"\cdot", r"\times", "·"))
_DIVIDED = frozenset(("/", r"\div"))
LONGEST_NAME = 3
"""Letters of a name without a space; a longer one is a word, and what holds words is no expression."""


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


class _Parser(Tokens):
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

    def _begins_factor(self) -> bool:
        token, kind = self._peek(), self._kind()
        if kind == "number":
            raise NoExpressionError("a number behind another factor")
        if kind == "word" and len(token) > 1 and self.tokens[self.at][2] and token not in FUNCTIONS:
            raise NoExpressionError("a word behind a space")
        return kind == "word" or token in ("(", "{", "[") or (kind == "command" and self._is_factor(token))

    def _is_factor(self, command: str) -> bool:
        name = command[1:]
        return name in ("frac", "sqrt", "pi", "binom") or name in FUNCTIONS or name in _GREEK

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

    def _argument(self, signed: bool = False) -> Node:
        r"""What a command or a power takes: `{...}`, one digit of a number, a letter, a command."""
        if self._peek() == "{":
            return self._between("{", "}")
        if self._peek() == "(":
            return self._between("(", ")")
        if signed and self._peek() == "-":
            self._take()
            return Node("neg", (self._argument(),))
        kind, token = self._kind(), self._peek()
        if kind == "number":
            if signed:
                return self._number()
            digit, rest = token[0], token[1:]
            if not digit.isdigit() or (rest and not rest.isdigit()):
                raise NoExpressionError("a number without braces")
            self.tokens[self.at] = (kind, rest, False)
            if not rest:
                self.at += 1
            return Node("number", value=Fraction(digit))
        if kind == "word" and len(token) > 1:
            raise NoExpressionError("a word as an argument")
        return self._atom()

    def _between(self, left: str, right: str) -> Node:
        self._take(left)
        found = self._sum()
        self._take(right)
        return found

    def _atom(self) -> Node:
        kind, token = self._kind(), self._peek()
        if kind == "number":
            return self._number()
        brackets = {"(": ")", "{": "}", "[": "]"}
        if token in brackets:
            return self._between(token, brackets[token])
        if token == "|":
            return Node("abs", (self._between("|", "|"),))
        name = token.removeprefix("\\") if kind in ("command", "word") else ""
        found = _COMMANDS.get(name)
        if found is not None:
            self._take()
            return found(self)
        if name in FUNCTIONS:
            return self._function(self._take().removeprefix("\\"))
        if kind == "command" and name not in _GREEK:
            raise NoExpressionError(f"unknown {token}")
        if not name or (kind == "word" and len(name) > LONGEST_NAME):
            raise NoExpressionError(f"no expression begins with {token!r}")
        return self._named(self._take())

    def _named(self, token: str) -> Node:
        name = token
        if self._peek() == "_":
            self._take()
            under = self._take() if self._peek() != "{" else "".join(self._braced())
            name = f"{token}_{under}"
        return Node("name", name=name)

    def _function(self, name: str) -> Node:
        base: tuple[Node, ...] = ()
        if name == "log" and self._peek() == "_":
            self._take()
            base = (self._argument(),)
        power = None
        if self._peek() == "^":
            self._take()
            power = self._argument()
            if power.kind != "number":
                raise NoExpressionError("an inverse function or a power")
        taken = self._applied()
        found = Node("function", (taken, *base), name=name)
        return found if power is None else Node("^", (found, power))

    def _applied(self) -> Node:
        """What a function without brackets is taken of: numbers, names and constants up to the next sign or command."""
        if self._peek() in ("(", "{"):
            return self._argument()
        found = self._power()
        while self._kind() == "word" and self._peek() not in FUNCTIONS:
            found = Node("*", (found, self._power()))
        return found

    def _root(self) -> Node:
        index = Node("number", value=Fraction(2))
        if self._peek() == "[":
            index = self._between("[", "]")
        return Node("root", (self._argument(), index))

    def _fraction(self) -> Node:
        return Node("/", (self._argument(), self._argument()))

    def _binomial(self) -> Node:
        return Node("binomial", (self._argument(), self._argument()))


def _mixed(whole: Node, top: Node, under: Node) -> Node:
    if whole.value.denominator != 1 or not 0 < top.value < under.value:
        raise NoExpressionError("a number behind another, and no mixed number")
    return Node("+", (whole, Node("/", (top, under))))


_COMMANDS: dict[str, Callable[[_Parser], Node]] = {
    "frac": _Parser._fraction,
    "sqrt": _Parser._root,
    "binom": _Parser._binomial,
    "pi": lambda parser: Node("pi"),
}
