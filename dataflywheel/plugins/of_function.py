"""What metrics, rewards and gates that are a plain function of the user's have in common."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import model_validator

from dataflywheel.contracts import Method
from dataflywheel.plugins.functions import Function, code, load


class OfFunction(Method):
    """A method that does what a function in a file of the user's does. The function is looked for when the method is
    made, so that a recipe which names none that is there is refused.

    Raises:
        UsageError: there is no such function, or it cannot be called so; see `load`.
    """

    of_function: ClassVar[bool] = True
    what: ClassVar[str]
    """What the function stands for in messages: `metric`."""
    given: ClassVar[tuple[str, ...]]
    """What the function is called with."""

    function: str
    """File and function, as `./mine.py:score`; from the working directory or, with `~`, from the user's home."""

    @model_validator(mode="after")
    def _there(self) -> Self:
        self.loaded()
        return self

    def loaded(self) -> Function:
        """The function as its file has it now."""
        return load(self.function, self.what, self.given)

    def contents(self) -> str:
        """16 hex digits over the function's file and what it imports from beside it."""
        return code(self.function, self.what)
