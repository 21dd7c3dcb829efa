"""What a model can do, by slice, with intervals."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dataflywheel.contracts import AnyArray, FloatArray, FlywheelError, Judge, Mark, Metric
from dataflywheel.evolution.feedback.answering import Answered, answers
from dataflywheel.evolution.feedback.intervals import shown
from dataflywheel.evolution.metrics.model_metric import ModelMetric
from dataflywheel.evolution.metrics.named import better, metric_of
from dataflywheel.evolution.metrics.win_rate import WinRate
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.templates.chat import chats_of
from dataflywheel.proposing.marking import mark_of
from dataflywheel.proposing.metrics.unit_tests import pass_at_k
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import split_answer

Scored = tuple[FloatArray, FloatArray, AnyArray, AnyArray]
"""Value, weight, note and answer of each row."""
UNSCORED = "the model gives no likelihood"


class Evaluate(BaseModel):
    """Parameters of the step `evaluate`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    smallest_slice: int = Field(default=20, ge=1)
    """Slices with fewer rows are reported together as `other`."""
    resamples: int = Field(default=2000, ge=100)
    """Bootstrap resamples of the rows behind each 95 % interval; shares of right answers have Wilson's."""
    max_new_tokens: int | None = Field(default=None, ge=1)
    """Longest answer that is written to be scored; by default what the metric needs: 512 tokens, 256 for `tool_call`,
    64 for `exact_match`, and at most half of the model's context."""
    samples: int = Field(default=1, ge=1, le=1000)
    """Answers written to each row. With more than one, a share of right answers is pass@`k`, estimated without bias."""
    k: int = Field(default=1, ge=1)
    """Of how many samples one must be right."""
    temperature: float = Field(default=0.0, ge=0, le=5)
    """Of the samples; 0 takes the likeliest answer."""
    untrained: bool = Field(default=True, exclude=True)
    """Score the student as it was before any training too, once, for the report to show what training did. It changes
    no score of a trained model, and is left out where a judge would be paid for it (`win_rate`)."""

    @model_validator(mode="after")
    def _drawn(self) -> Self:
        if self.k > self.samples:
            raise ValueError(f"pass@{self.k} needs at least {self.k} samples; write `samples: {5 * self.k}`")
        if self.samples > 1 and not self.temperature:
            raise ValueError("at temperature 0 all samples are one; write `temperature: 0.8`")
        return self


@dataclass
class RowScores:
    """Scores of n evaluation rows. The metric of any set of rows is `sum(value) / sum(weight)`; NaN: not scored."""

    ids: AnyArray
    slices: AnyArray
    value: FloatArray
    weight: FloatArray
    note: AnyArray = field(default_factory=lambda: np.empty(0, dtype=object))
    """Why a row was not scored, or got nothing without being read; "" elsewhere. Empty where nobody said."""
    answer: AnyArray = field(default_factory=lambda: np.empty(0, dtype=object))
    """What the model wrote, of several samples the first; None where it wrote nothing. Empty where it was not asked."""

    def metric(self, at: AnyArray | None = None) -> float:
        """The metric over all scored rows, or over those at the positions `at`; NaN where none was scored."""
        value, weight = (self.value, self.weight) if at is None else (self.value[at], self.weight[at])
        ok = np.isfinite(value)
        return float(value[ok].sum() / weight[ok].sum()) if ok.any() else math.nan

    def by_slice(self, smallest: int) -> dict[str, AnyArray]:
        """Row positions by slice, small slices together as `other`, in order of size."""
        names, counts = np.unique(np.asarray(self.slices, dtype=str), return_counts=True)
        large = {str(n) for n, c in zip(names, counts, strict=True) if c >= smallest}
        label = np.array([s if s in large else "other" for s in self.slices])
        groups = {name: np.flatnonzero(label == name) for name in sorted(large)}
        if not all(s in large for s in self.slices):
            groups["other"] = np.flatnonzero(label == "other")
        return dict(sorted(groups.items(), key=lambda item: (item[0] == "other", -len(item[1]), item[0])))


def score_rows(
    model: LanguageModel,
    rows: pa.Table,
    metrics: Sequence[str],
    slices: Sequence[str],
    settings: Evaluate,
    judge: Judge | None = None,
) -> RowScores:
    """One score a row under the metric of its target; all rows of one call share a metric. `judge`: who judges, for
    `win_rate`.

    Raises:
        FlywheelError: rows with different metrics, which have no common number.
    """
    if len(set(metrics)) != 1:
        raise FlywheelError(
            f"evaluate: one metric at a time, not {sorted(set(metrics))}; split the targets into two recipes"
        )
    scored = _measured(model, rows, metric_of(metrics[0]), settings, judge)
    ids = np.asarray(rows["id"].to_pylist(), dtype=object)
    return RowScores(ids, np.asarray(slices, dtype=object), *scored)


def _measured(model: LanguageModel, rows: pa.Table, metric: Metric, settings: Evaluate, judge: Judge | None) -> Scored:
    messages: list[Any] = rows["messages"].to_pylist()
    if isinstance(metric, ModelMetric):
        value, weight = metric.measure(model, messages, rows)
        return value, weight, np.where(np.isfinite(value), "", UNSCORED).astype(object), np.empty(0, dtype=object)
    tokens = settings.max_new_tokens or min(metric.tokens, max(1, model.context // 2))
    questions = [replace(chat, messages=split_answer(chat.messages)[0]) for chat in chats_of(rows)]
    made = answers(model, questions, tokens, settings.samples, settings.temperature)
    if isinstance(metric, WinRate):
        if judge is None:
            raise FlywheelError("win_rate needs a judge: it is the metric of a step `evaluate`, and of no trial")
        asked = [i for i, one in enumerate(made) if not one.why]
        found = metric.judged(judge, [made[i].texts[0] for i in asked], rows.take(asked).to_pylist()) if asked else []
        judged = dict(zip(asked, found, strict=True))
        marks = [judged[i] if i in judged else Mark(None, one.why) for i, one in enumerate(made)]
    else:
        marks = marked(metric, rows.to_pylist(), made, settings.k)
    value = np.array([math.nan if mark.value is None else mark.value for mark in marks], dtype=float)
    written = np.array([one.texts[0] if one.texts else None for one in made], dtype=object)
    return value, np.ones(len(marks)), np.array([mark.note for mark in marks], dtype=object), written


def marked(metric: Metric, rows: Sequence[Row], made: Sequence[Answered], k: int = 1) -> list[Mark]:
    """The mark of each row from its answers. Of several answers: pass@k where the metric is a share of right ones, else
    their mean; a row of which one could not be scored is not scored, nor one that was not asked."""

    def one(at: int) -> Mark:
        if made[at].why:
            return Mark(None, made[at].why)
        found = [mark_of(metric, text, rows[at]) for text in made[at].texts]
        values = [mark.value for mark in found if mark.value is not None]
        note = next((mark.note for mark in found if mark.note), "")
        if len(values) < len(found):
            return Mark(None, next(mark.note for mark in found if mark.value is None))
        if metric.share and len(values) > 1:
            return Mark(pass_at_k(sum(value == 1.0 for value in values), len(values), k), note)
        return Mark(sum(values) / len(values), note)

    if not metric.waits:
        return [one(at) for at in range(len(rows))]
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as threads:
        return list(threads.map(one, range(len(rows))))


def summarise(scores: RowScores, metric: str, settings: Evaluate) -> dict[str, Any]:
    """Overall and by slice, each with an interval; how many rows could not be scored."""
    return {
        "metric": metric,
        "better": better(metric),
        "overall": shown(metric, scores.value, scores.weight, settings.resamples),
        "slices": {
            name: shown(metric, scores.value[at], scores.weight[at], settings.resamples)
            for name, at in scores.by_slice(settings.smallest_slice).items()
        },
        "not_scored": int((~np.isfinite(scores.value)).sum()),
        **_notes(scores),
    }


def _notes(scores: RowScores) -> dict[str, dict[str, int]]:
    """How many rows were not scored, or got nothing without being read, by reason."""
    if not len(scores.note):
        return {}
    able = np.isfinite(scores.value)
    told = {"not_scored_because": scores.note[~able], "nothing_because": scores.note[able]}
    counted = {name: Counter(note for note in notes.tolist() if note) for name, notes in told.items()}
    return {name: dict(found.most_common()) for name, found in counted.items() if found}
