"""Multiple choice by likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import orjson
import pyarrow as pa

from dataflywheel.contracts import Card, FlywheelError
from dataflywheel.evolution.metrics.model_metric import ModelMetric, Scored
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.rows.text import answer_said, split_answer

NO_CHOICES = "no field `choices`, a list of answers with the right one"


class MultipleChoice(ModelMetric):
    """Whether the reference is the likeliest of the row's `choices`, by log-likelihood per byte.

    A row whose reference is none of its choices, or that has a choice without a likelihood, is not scored.
    """

    card: ClassVar[Card] = Card(
        title="Language Models are Few-Shot Learners",
        authors="Brown et al.",
        year=2020,
        paper="2005.14165",
        category="evolution",
        subcategory="metrics",
        summary="Share of rows whose reference is the likeliest of their choices.",
        needs=("target",),
        checked="a model that has learnt a planted skill",
        pays="Students too small to answer in a form: choices are compared by likelihood, and nothing is generated.",
        fails="Choices of uneven length or commonness are told apart by wording, and near chance it says nothing: see "
        "what chance gives, and for chat models use `final_answer`.",
    )
    reads_extra: ClassVar[bool] = True

    def measure(self, model: LanguageModel, messages: list[Any], rows: pa.Table) -> Scored:
        choices = [_choices(extra) for extra in rows["extra"].to_pylist()]
        if not all(choices):
            missing = rows["id"][choices.index([])].as_py()
            raise FlywheelError(f"multiple_choice: row {missing} has {NO_CHOICES}")
        prompts = [replace(chat, messages=split_answer(chat.messages)[0]) for chat in chats_of(rows)]
        found = np.full(len(messages), np.nan)
        for i, loglikelihood in enumerate(model.loglikelihood(prompts, choices)):
            right = answer_said(messages[i]).strip()
            if right in [c.strip() for c in choices[i]] and np.isfinite(loglikelihood).all():
                best = int(np.argmax(loglikelihood / np.array([max(1, len(c.encode())) for c in choices[i]])))
                found[i] = float(choices[i][best].strip() == right)
        return found, np.ones(len(messages))

    def lacks(self, row: Mapping[str, Any]) -> str:
        choices = _choices(row["extra"])
        if not choices:
            return NO_CHOICES
        right = answer_said(row["messages"]).strip()
        return "" if right in [choice.strip() for choice in choices] else "a reference that is none of its choices"


def _choices(extra: str | None) -> list[str]:
    found = orjson.loads(extra or "{}").get("choices") or []
    return [str(choice) for choice in found] if isinstance(found, list) else []
