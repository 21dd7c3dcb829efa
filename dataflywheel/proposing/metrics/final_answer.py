"""Whether an answer comes to the right final result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson

from dataflywheel.contracts import Card, Mark, Metric
from dataflywheel.proposing.answers.compare import same_answer
from dataflywheel.proposing.final_answer import NoAnswerError, final_answer
from dataflywheel.rows.text import split_answer

NO_REFERENCE = "no reference with a final answer"
FIELDS = ("gold", "final_answer", "answer", "ground_truth", "expected_answer", "correct_answer", "answerKey")
"""Fields of the input that hold the right result, the surest first."""
LETTERS = "ABCDEFGHIJ"


class FinalAnswer(Metric):
    """1 where the final answer (`####`, `\\boxed{}`, "the answer is", a last line) equals the reference's, else 0.

    The reference: a field of the row such as `answer` or `gold`, else the final answer of the reference turn, else the
    row's label. A number as `answer` beside `choices` counts them from 0. Equality is exact: numbers in any writing,
    units, fractions, LaTeX, letters of choices. An answer without one final answer gets 0, and is counted.
    """

    card: ClassVar[Card] = Card(
        title="Training Verifiers to Solve Math Word Problems",
        authors="Cobbe et al.",
        year=2021,
        paper="2110.14168",
        category="evolution",
        subcategory="metrics",
        summary="Share of answers whose final result equals the reference's.",
        needs=("target",),
        checked="published solutions of gsm8k with their labels, reference answers of MATH-500, planted spellings",
    )

    def mark(self, answer: str, row: Mapping[str, Any]) -> Mark:
        golds = references(row)
        if not golds:
            return Mark(None, NO_REFERENCE)
        try:
            given = final_answer(answer)
        except NoAnswerError as error:
            return Mark(0.0, str(error))
        return Mark(float(any(same_answer(given, gold) for gold in golds)))

    def lacks(self, row: Mapping[str, Any]) -> str:
        return "" if references(row) else NO_REFERENCE


def references(row: Mapping[str, Any]) -> list[str]:
    """The right final answer of a row; of a choice its letter and its text. Empty where the row holds none."""
    extra = orjson.loads(row["extra"] or "{}")
    choices = extra.get("choices") or extra.get("options")
    choices = choices.get("text") if isinstance(choices, dict) else choices
    for name in FIELDS:
        value = extra.get(name)
        if isinstance(value, bool) or value is None or value == "":
            continue
        if isinstance(value, int) and isinstance(choices, list) and 0 <= value < min(len(choices), len(LETTERS)):
            return [LETTERS[value], str(choices[value])]
        found = _final(str(value)) if isinstance(value, str | int | float) else ""
        if found:
            return [found]
    said = split_answer(row["messages"])[1]
    found = _final(said[0]["content"]) if said else ""
    return [found] if found else [str(row["label"])] if row["label"] else []


def _final(text: str) -> str:
    try:
        return final_answer(text)
    except NoAnswerError:
        return ""
