"""Which of two answers is the better one, as data sets of comparisons say it."""

from __future__ import annotations

from typing import Any

from dataflywheel.rows.formats.draft import ReadError, Record
from dataflywheel.rows.formats.names import by_name, folded

SIGNED = ("overall_preference", "preference_strength")
"""Numbers below 0 where the first is better, above 0 where the second is (HelpSteer)."""
NAMED = (
    "winner", "better", "preferred", "preference", "better_response", "better_answer", "preferred_response",
    "preferred_answer", "chosen", "selected", "selected_response", "best", "best_response", "choice", "human_choice",
    "human_preference", "annotator_preference", "verdict", "label",
)  # fmt: skip
NUMBERED = ("better_response_id", "preferred_id", "better_id", "chosen_id", "winner_id")
"""0 for the first, 1 for the second (PKU-SafeRLHF)."""

OTHERS = frozenset((*SIGNED, *NAMED, *NUMBERED, "labels", "winner_model_a")) - {"label"}
"""Names of a verdict that leave `label` to be a label."""


def first_is_better(record: Record, two: tuple[str, str]) -> bool:
    """Whether the first of two answers is the better one.

    Raises:
        ReadError: there is no verdict, it is a tie, or it cannot be told what it says.
    """
    names = by_name(frozenset(record))
    for name in SIGNED:
        if name in names and isinstance(record[names[name]], int | float):
            return signed(names[name], record[names[name]])
    for name in NUMBERED:
        if name in names:
            return one_of(names[name], record[names[name]], ("0", "0.0"), ("1", "1.0"))
    if "labels" in names:  # Stanford's preferences: 1 where A is preferred
        return one_of(names["labels"], record[names["labels"]], ("1", "1.0"), ("0", "0.0"))
    if {"winner_model_a", "winner_model_b"} <= names.keys():
        a, b = (record[names[key]] for key in ("winner_model_a", "winner_model_b"))
        return signed(names["winner_model_a"], float(b) - float(a))
    for name in NAMED:
        if name in names:
            if (text := record[names[name]]) in (record[two[0]], record[two[1]]):
                return bool(text == record[two[0]])
            return one_of(names[name], record[names[name]], *words(two))
    one, other = (record.get(names.get(name, "")) for name in scores(two))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return signed(scores(two)[0], float(other) - float(one))
    raise ReadError(
        two[1], f"two answers, {two[0]} and {two[1]}, and no field that says which is better (such as winner); name "
        "them: columns: {prompt: ..., answer: ..., rejected: ...}",
    )  # fmt: skip


def scores(two: tuple[str, str]) -> tuple[str, str]:
    """The names of the scores beside two answers: `score_0` beside `answer_0`."""
    first, second = (folded(key).rpartition("_")[2] for key in two)
    return f"score_{first}", f"score_{second}"


def signed(key: str, value: float) -> bool:
    if value == 0:
        raise ReadError(key, "neither answer is better; a tie teaches no preference")
    return value < 0


def words(two: tuple[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """How the first and the second are called: by their columns, letters, models, or numbers from 1 (or from 0)."""
    first = (two[0].lower(), "a", "model_a", "first", "assistant_a", "response_a", "answer_a")
    second = (two[1].lower(), "b", "model_b", "second", "assistant_b", "response_b", "answer_b")
    if two[0].endswith("0"):
        return (*first, "0", "0.0"), (*second, "1", "1.0")
    return (*first, "1", "1.0"), (*second, "2", "2.0")


def one_of(key: str, value: Any, first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    said = str(value).strip().lower()
    if said in first:
        return True
    if said in second:
        return False
    if "tie" in said or "both" in said or said in ("same", "equal", "neither"):
        raise ReadError(key, f"neither answer is better ({said[:40]}); a tie teaches no preference")
    raise ReadError(key, f"expected which answer is better ({first[0]} or {second[0]}), got {said[:40]!r}")
