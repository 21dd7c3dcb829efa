"""Whether an answer comes to the right final result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from dataflywheel.contracts import Card, Mark, Metric
from dataflywheel.proposing.answers.compare import same_answer
from dataflywheel.proposing.final_answer import NoAnswerError, final_answer
from dataflywheel.rows.text import fields_of, split_answer

NO_REFERENCE = "no reference with a final answer"
FIELDS = ("gold", "final_answer", "answer", "ground_truth", "expected_answer", "correct_answer", "answerKey")
"""Fields of the input that hold the right result, the surest first."""
WORKED = "solution"
"""A field with a worked solution, where its answer is marked in it."""
LETTERS = "ABCDEFGHIJ"
MOST = 100
"""Writings of one answer that are looked at."""


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
        pays="Mathematics, choices and short results, where the worded answer may take any form and only its end "
        "counts.",
        fails="An answer without a mark, or with two results, counts as wrong, so that it measures the form as well: "
        "ask for `####`, and look at how many had none; for texts `win_rate`.",
        evidence="benchmarks/gates.md: by its comparison 1,047 right and 1,653 wrong solutions of models to gsm8k are "
        "all told rightly, and so are 245 solutions of math500.",
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
    """The right final answer of a row in each of its writings; of a choice its letter and its text. Empty where the row
    holds none."""
    extra = fields_of(row)
    labels, texts = _choices(extra.get("choices") or extra.get("options"))
    for name in FIELDS:
        found = _written(extra.get(name), labels, texts)
        if found:
            return found
    marked = _final(str(extra.get(WORKED) or ""), unmarked=False)
    said = split_answer(row["messages"])[1]
    found = [answer for answer in (marked, _final(said[0]["content"]) if said else "") if answer][:1]
    return found or ([str(row["label"])] if row["label"] else [])


def _choices(given: Any) -> tuple[list[str], list[str]]:
    """Labels and texts of a question's options: a list of texts, or of records or lists with labels beside them."""
    if isinstance(given, list) and given and all(isinstance(one, dict) for one in given):
        given = {"text": [one.get("text") for one in given], "label": [one.get("label") for one in given]}
    texts = given.get("text") if isinstance(given, dict) else given
    if not isinstance(texts, list) or len(texts) > len(LETTERS):
        return [], []
    labels = given.get("label") if isinstance(given, dict) else None
    if not isinstance(labels, list) or len(labels) != len(texts):
        labels = list(LETTERS[: len(texts)])
    return [str(label).strip() for label in labels], [str(text) for text in texts]


def _written(value: Any, labels: list[str], texts: list[str]) -> list[str]:
    """What a field says of the right answer: a value, several writings of one, the label or the place of a choice."""
    if isinstance(value, bool):
        return ["true", "yes"] if value else ["false", "no"]
    if isinstance(value, dict):
        value = [value.get("value"), *(value.get("aliases") or [])]
    if isinstance(value, list):
        return list(dict.fromkeys(one for given in value[:MOST] for one in _written(given, [], [])))
    place = labels.index(value.strip()) if isinstance(value, str) and value.strip() in labels else None
    if isinstance(value, int) and value in range(len(texts)):
        place = value
    if place is not None:
        return list(dict.fromkeys((LETTERS[place], texts[place], labels[place])))
    found = _final(str(value)) if isinstance(value, str | int | float) and value != "" else ""
    return [found] if found else []


def _final(text: str, unmarked: bool = True) -> str:
    try:
        return final_answer(text, unmarked)
    except NoAnswerError:
        return ""
