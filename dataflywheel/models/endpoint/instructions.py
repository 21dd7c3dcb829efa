"""Instructions that may be replaced: a text of the recipe, in the system message, into which nothing of a row comes."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

_OF_ROWS = re.compile(
    r"(?<!\w)\{\{?\s*(prompt|instruction|question|input|answer|output|response|completion|text|document|context|messages"
    r"|row|conversation)\s*\}?\}"
)
_NAME = re.compile(r"\{(\w+)\}")


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


Instructions = Annotated[str, AfterValidator(own_text)]
"""What a method tells the model to do. The material, the request and the form of the answer stay the method's own."""


def filled(text: str, **values: object) -> str:
    """The text with `{name}` replaced for each of the values, which are the method's parameters; other braces stay.

    >>> filled("Grade the {dimension} as {1, 2}.", dimension="style")
    'Grade the style as {1, 2}.'
    """
    return _NAME.sub(lambda name: str(values.get(name[1], name[0])), text)
