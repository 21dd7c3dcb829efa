"""What is wrong with a value that a user wrote, in plain words and not in a library's."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, ValidationError

from dataflywheel.errors import UsageError

LONGEST = 80
"""Characters of a value that are shown."""

Facts = Mapping[str, Any]


class UnshownError(ValueError):
    """What is wrong with a value that no message may show, since it may be a secret."""


_WHOLE, _NUMBER, _YES_NO, _LIST, _MAPPING = (
    "expected a whole number", "expected a number", "expected true or false", "expected a list", "expected a mapping"
)  # fmt: skip
WORDS: dict[str, str | Callable[[Facts], str]] = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "expected a finite number",
    "bool_type": _YES_NO,
    "bool_parsing": _YES_NO,
    "string_type": "expected a text",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "path_type": "expected a path",
    "none_required": "expected nothing (null)",
    "missing": "is missing",
    "literal_error": lambda facts: f"expected {facts['expected']}",
    "enum": lambda facts: f"expected {facts['expected']}",
    "greater_than": lambda facts: f"expected more than {facts['gt']:g}",
    "greater_than_equal": lambda facts: f"expected {facts['ge']:g} or more",
    "less_than": lambda facts: f"expected less than {facts['lt']:g}",
    "less_than_equal": lambda facts: f"expected {facts['le']:g} or less",
    "too_short": lambda facts: f"expected {_entries(facts['min_length'])} or more",
    "too_long": lambda facts: f"expected {_entries(facts['max_length'])} or fewer",
    "string_too_short": lambda facts: f"expected a text of {facts['min_length']} or more letters",
    "string_too_long": lambda facts: f"expected a text of at most {facts['max_length']} letters",
    "string_pattern_mismatch": lambda facts: f"does not fit the pattern {facts['pattern']}",
    "value_error": lambda facts: str(facts["error"]),
    "assertion_error": lambda facts: str(facts["error"]),
}
"""What is said of the kinds of problems that the checks of our models find; of others, what the library says."""


def said(problem: Mapping[str, Any]) -> str:
    """One problem of a `ValidationError` in words, with the value where that helps.

    >>> from pydantic import TypeAdapter
    >>> try:
    ...     TypeAdapter(int).validate_python("many")
    ... except ValidationError as error:
    ...     said(error.errors()[0])
    "expected a whole number (got 'many')"
    """
    words = WORDS.get(problem["type"], problem["msg"])
    told = words if isinstance(words, str) else words(problem.get("ctx", {}))
    unshown = isinstance(problem.get("ctx", {}).get("error"), UnshownError)
    if problem["type"] == "missing" or unshown or (not problem.get("loc") and _built(problem["input"])):
        return told
    return f"{told} (got {shortened(problem['input'])})"


def _built(value: Any) -> bool:
    """Whether all parameters of a method are meant, with what was made of them already: nothing that a user wrote."""
    return isinstance(value, Mapping) and any(isinstance(one, BaseModel) for one in value.values())


def shortened(value: Any) -> str:
    """A value as Python writes it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def explain(error: ValidationError, where: str, names: Sequence[str]) -> str:
    """One line a problem: the field, what is wrong with it, and the nearest right name for an unknown one."""
    lines = []
    for problem in error.errors():
        path = ".".join(str(p) for p in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"{where}: unknown parameter {path!r}{nearest(str(problem['loc'][-1]), names)}")
        else:
            lines.append(f"{where}: {f'{path}: ' if path else ''}{said(problem)}")
    return "\n".join(lines)


def nearest(name: str, names: Sequence[str]) -> str:
    """`; did you mean 'x'?` or the list of what there is."""
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there is: {', '.join(sorted(names))}" if names else "; it takes none"


class Complaints:
    """Gathers what several checks refuse, so that a user hears all of it at once.

    >>> complaints = Complaints()
    >>> with complaints.heard():
    ...     raise UsageError("no pool")
    >>> with complaints.heard():
    ...     raise UsageError("no target")
    >>> try:
    ...     complaints.end()
    ... except UsageError as error:
    ...     str(error).split(chr(10))
    ['no pool', 'no target']
    """

    def __init__(self) -> None:
        self._said: dict[str, None] = {}

    @contextmanager
    def heard(self) -> Iterator[None]:
        """What is refused within is kept, and the next check goes on."""
        try:
            yield
        except UsageError as error:
            self._said.update(dict.fromkeys(str(error).splitlines()))

    def end(self) -> None:
        """
        Raises:
            UsageError: something was refused; a line for each, but for those that another says with its place.
        """
        lines = [line for line in self._said if not any(other.endswith(f": {line}") for other in self._said)]
        if lines:
            raise UsageError("\n".join(lines))


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'}"
