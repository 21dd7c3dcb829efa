"""What sums and products are made of: numbers, names, brackets, functions, and commands with their arguments."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from fractions import Fraction

from dataflywheel.proposing.answers.node import Node, NoExpressionError
from dataflywheel.proposing.answers.tokens import Tokens

FUNCTIONS = frozenset((
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "ln", "log", "exp",
))  # fmt: skip
_GREEK = frozenset((
    "alpha", "beta", "gamma", "delta", "epsilon", "theta", "lambda", "mu", "rho", "sigma", "tau", "phi", "omega",
    "varphi", "varepsilon", "psi", "kappa", "eta", "nu", "xi", "zeta", "Delta", "Omega", "ell", "infty",
))  # fmt: skip
LONGEST_NAME = 3
"""Letters of a name without a space; a longer one is a word, and what holds words is no expression."""


class Factors(Tokens):
    """A parser of single factors; what stands within their brackets is read by `_sum`, what a function takes by
    `_power`."""

    @abstractmethod
    def _sum(self) -> Node: ...

    @abstractmethod
    def _power(self) -> Node: ...

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


_COMMANDS: dict[str, Callable[[Factors], Node]] = {
    "frac": Factors._fraction,
    "sqrt": Factors._root,
    "binom": Factors._binomial,
    "pi": lambda parser: Node("pi"),
}
