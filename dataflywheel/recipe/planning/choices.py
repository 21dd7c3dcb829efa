"""Words that a filter keeps are among those that a question can be answered with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dataflywheel.contracts import UsageError, nearest
from dataflywheel.recipe.asked_signals import asked_signal
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.step import Step
from dataflywheel.signals.rating.answer_fields import fields_of
from dataflywheel.signals.rating.ask import Ask


def check_choices(recipe: Recipe, step: Step) -> None:
    """
    Raises:
        UsageError: the step keeps rows by a word that is none of the choices of its question, so that each row would
            be asked about and dropped.
    """
    for column, words in _equals(step.parameters()):
        choices = _choices(recipe, column)
        for word in words if choices else ():
            if str(word) not in choices:
                never = f"{column!r} is never {str(word)!r}{nearest(str(word), choices)}"
                raise UsageError(f"{step.place}: equals: {never}; the choices are {', '.join(choices)}")


def _equals(given: Any) -> Iterator[tuple[str, list[Any]]]:
    """Column and words of all `equals` within these parameters."""
    for name, value in given.items() if isinstance(given, Mapping) else ():
        if name == "equals" and isinstance(value, Mapping):
            yield from ((str(column), words) for column, words in value.items() if isinstance(words, list))
        else:
            yield from _equals(value)


def _choices(recipe: Recipe, column: str) -> list[str]:
    """The words that a question's field can be, none where it is no choice or no question."""
    name, _, field = column.partition(".")
    try:
        asked = asked_signal(recipe.signals, name)
        found = fields_of(asked.given.get("answer", "number")).get(field) if asked.kind is Ask else None
    except (UsageError, ValueError):
        return []
    return found if isinstance(found, list) else []
