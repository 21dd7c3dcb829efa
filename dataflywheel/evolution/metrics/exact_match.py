"""Exact match of the whole answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, ClassVar

from dataflywheel.contracts import Card, Mark, Metric
from dataflywheel.evolution.metrics.bits_per_byte import NO_ANSWER
from dataflywheel.rows.text import answer_said


class ExactMatch(Metric):
    """Whether the likeliest answer is the reference, but for case, punctuation and white space.

    A row without a reference is not scored.
    """

    card: ClassVar[Card] = Card(
        title="SQuAD: 100,000+ Questions for Machine Comprehension of Text",
        authors="Rajpurkar et al.",
        year=2016,
        paper="1606.05250",
        category="evolution",
        subcategory="metrics",
        summary="Share of answers that are the reference word for word.",
        needs=("target",),
        checked="answers with other case, signs and words",
        pays="Labels, names and short extracts with one right wording; quick, without a judge.",
        fails="Worked or worded answers never match, and a student that adds a word gets 0: use `final_answer`, or "
        "`multiple_choice` where the choices are known.",
    )
    tokens: ClassVar[int] = 64
    reads_extra: ClassVar[bool] = False

    def mark(self, answer: str, row: Mapping[str, Any]) -> Mark:
        wanted = normalised(answer_said(row["messages"]))
        return Mark(float(normalised(answer) == wanted)) if wanted else Mark(None, NO_ANSWER)

    def lacks(self, row: Mapping[str, Any]) -> str:
        return "" if normalised(answer_said(row["messages"])) else NO_ANSWER


def normalised(text: str) -> str:
    """Lower case, words and numbers only; all signs of a text that has neither.

    >>> normalised(" The answer: 42. ") == normalised("the answer 42")
    True
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", folded) or folded.split())
