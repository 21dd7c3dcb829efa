"""A reward of the user's own: a function in a file that the recipe names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar

from dataflywheel.contracts import Card, FlywheelError, Mark, Reward
from dataflywheel.plugins.functions import FAILED, Function, failure, takes
from dataflywheel.plugins.of_function import OfFunction
from dataflywheel.rows.text import fields_of, split_answer

NO_NUMBER = "the function gave no number"


class PythonReward(OfFunction, Reward):
    """What a function of the user's gives answers.

    Written `reward: {python: ./rewards.py:score}`. A function with a parameter `completions` is called as TRL calls its
    reward functions: `prompts` and `completions` as lists of turns, and every other field of the rows as a list under
    its name; it gives a list of numbers, and an error of it leaves them all without one. Any other function is called
    with one answer and its row, as a metric is, and gives a number. None, or an error, is no reward, and counted. The
    file is the user's own, named in their recipe, and runs as they do.
    """

    card: ClassVar[Card] = Card(
        title="The user's own function",
        authors="",
        year=2026,
        paper="",
        category="evolution",
        subcategory="bridges",
        summary="Scores answers by a Python function of the user's, also one that was written for TRL.",
        checked="functions of both kinds that give numbers, nothing, too few and errors",
        pays="A checker you have, or a reward already written for TRL, for `best_of_n`, `grpo` or as a signal, at no "
        "model's cost.",
        fails="What it forgets to check is what training finds, such as form without content: keep a gold set by "
        "another measure, and watch both.",
    )
    what: ClassVar[str] = "reward"
    given: ClassVar[tuple[str, ...]] = ("answer", "row")

    def score(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
        return [mark.value for mark in self.marks(completions, rows)]

    def marks(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Mark]:
        function = self.loaded()
        if not takes(function, "completions"):
            return [_mark(function, text, row) for text, row in zip(completions, rows, strict=True)]
        try:
            found = list(function(**as_trl(completions, rows)))
        except (Exception, SystemExit) as error:
            return [Mark(None, f"{FAILED}: {failure(error)}") for _ in completions]
        if len(found) != len(completions):
            raise FlywheelError(f"reward: {self.function} gave {len(found)} rewards for {len(completions)} answers")
        return [_number(value) for value in found]


def as_trl(completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The arguments of a reward function of TRL: turns of prompts and answers, and the rows' other fields, None in rows
    that lack one."""
    held = [fields_of(row) for row in rows]
    names = dict.fromkeys(name for one in held for name in one)
    columns = {name: [deepcopy(one.get(name)) for one in held] for name in names}
    prompts = [
        [{"role": turn["role"], "content": turn["content"]} for turn in split_answer(row["messages"])[0]]
        for row in rows
    ]
    said = [[{"role": "assistant", "content": text}] for text in completions]
    return {**columns, "prompts": prompts, "completions": said}


def _mark(function: Function, text: str, row: Mapping[str, Any]) -> Mark:
    try:
        return _number(function(text, deepcopy(dict(row))))
    except (Exception, SystemExit) as error:
        return Mark(None, f"{FAILED}: {failure(error)}")


def _number(value: Any) -> Mark:
    try:
        number = None if value is None else float(value)
    except (TypeError, ValueError):
        number = None
    return Mark(number) if number is not None and math.isfinite(number) else Mark(None, NO_NUMBER)
