"""Instructions that may be replaced: a text of the recipe, in the system message, into which nothing of a row comes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import ValidatorFunctionWrapHandler, WrapValidator

_OF_ROWS = re.compile(
    r"(?<!\w)\{\{?\s*(prompt|instruction|question|input|answer|output|response|completion|text|document|context|messages"
    r"|row|conversation)\s*\}?\}"
)
_NAME = re.compile(r"\{(\w+)\}")


class Told(str):
    """Instructions with the `examples` that are shown behind them, each as texts by name."""

    examples: tuple[Mapping[str, str], ...]

    def __new__(cls, text: str, examples: Sequence[Mapping[str, str]] = ()) -> Told:
        told = super().__new__(cls, text)
        told.examples = tuple(examples)
        return told


def retold(text: str, *of: str) -> str:
    """A text that was made of others, with the examples that any of these had."""
    examples = [example for one in of if isinstance(one, Told) for example in one.examples]
    return Told(text, examples) if examples else text


def together(texts: Sequence[str]) -> str:
    """Texts with blanks between, as one, with the examples that any of them had."""
    return retold(" ".join(texts), *texts)


def own_text(text: str) -> str:
    """The text as it is.

    Raises:
        ValueError: it is blank, or wants a row's text put into it, where that could give orders.
    """
    if not text.strip():
        raise ValueError("these instructions are blank; leave them out for the method's own")
    wanted = _OF_ROWS.search(text)
    if wanted:
        raise ValueError(
            f"{wanted[0]} stands for a text of the row, and these stand in no instructions: the method shows them in "
            "the question itself, as material between marks; say what is to be done with them, and leave that out"
        )
    return text


def _with_its_examples(given: Any, read: ValidatorFunctionWrapHandler) -> str:
    """A text that one method hands to another keeps its examples."""
    return given if isinstance(given, Told) else own_text(read(given))


Instructions = Annotated[str, WrapValidator(_with_its_examples)]
"""What a method tells the model to do. The material, the request and the form of the answer stay the method's own."""


def filled(text: str, **values: object) -> str:
    """The text with `{name}` replaced for each of the values, which are the method's parameters; other braces stay.

    >>> filled("Grade the {dimension} as {1, 2}.", dimension="style")
    'Grade the style as {1, 2}.'
    """
    return retold(_NAME.sub(lambda name: str(values.get(name[1], name[0])), text), text)
