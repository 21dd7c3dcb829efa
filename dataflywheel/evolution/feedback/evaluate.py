"""What a model can do, by slice, with intervals: bits per byte, exact match, multiple choice by likelihood."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import AnyArray, FloatArray, FlywheelError, Status
from dataflywheel.models.language_model import LanguageModel
from dataflywheel.rows.text import part_of, split_answer

Metric = Literal["bits_per_byte", "answer_loss", "exact_match", "multiple_choice"]
BETTER: dict[str, Literal["lower", "higher"]] = {
    "bits_per_byte": "lower",
    "answer_loss": "lower",
    "exact_match": "higher",
    "multiple_choice": "higher",
}


class Evaluate(BaseModel):
    """Parameters of the step `evaluate`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    smallest_slice: int = Field(default=20, ge=1)
    """Slices with fewer rows are reported together as `other`."""
    resamples: int = Field(default=2000, ge=100)
    """Bootstrap resamples of the rows behind each 95 % interval."""
    max_new_tokens: int = Field(default=64, ge=1)
    """Longest answer that exact match reads."""


@dataclass
class RowScores:
    """Scores of n evaluation rows. The metric of any set of rows is `sum(value) / sum(weight)`; NaN: not scored."""

    ids: AnyArray
    slices: AnyArray
    value: FloatArray
    weight: FloatArray

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
    model: LanguageModel, rows: pa.Table, metrics: Sequence[Metric], slices: Sequence[str], settings: Evaluate
) -> RowScores:
    """One score a row under the metric of its target; all rows of one call share a metric.

    Raises:
        FlywheelError: rows with different metrics, which have no common number.
    """
    if len(set(metrics)) != 1:
        raise FlywheelError(
            f"evaluate: one metric at a time, not {sorted(set(metrics))}; split the targets into two recipes"
        )
    messages: list[Any] = rows["messages"].to_pylist()
    value, weight = _SCORERS[metrics[0]](model, messages, rows, settings)
    return RowScores(np.asarray(rows["id"].to_pylist(), dtype=object), np.asarray(slices, dtype=object), value, weight)


Scored = tuple[FloatArray, FloatArray]


def _bits_per_byte(model: LanguageModel, messages: list[Any], rows: pa.Table, settings: Evaluate) -> Scored:
    """Bits of the answer over its UTF-8 bytes; comparable between tokenizers. The end of turn is paid for too.

    An answer that does not fit the model's context is not scored: its bytes beyond the cut cost nothing.
    """
    encoded = model.encode(messages)
    total = model.answer_scores(encoded).total / math.log(2)
    size = np.array([len(part_of(m, "answer").encode()) for m in messages], dtype=float)
    whole = np.array([row.ended or row.status != Status.TRUNCATED for row in encoded])
    return np.where(whole & (size > 0), total, np.nan), size


def _answer_loss(model: LanguageModel, messages: list[Any], rows: pa.Table, settings: Evaluate) -> Scored:
    """Nats a token of the answer."""
    scores = model.answer_scores(model.encode(messages))
    return scores.total, scores.tokens.astype(float)


def _exact_match(model: LanguageModel, messages: list[Any], rows: pa.Table, settings: Evaluate) -> Scored:
    """Whether the likeliest answer is the reference, but for case, punctuation and white space.

    A row without a reference is not scored.
    """
    made = model.generate([split_answer(m)[0] for m in messages], settings.max_new_tokens)
    wanted = [normalised(part_of(m, "answer")) for m in messages]
    right = [float(normalised(a) == w) if w else math.nan for a, w in zip(made, wanted, strict=True)]
    return np.array(right, dtype=float), np.ones(len(messages))


def normalised(text: str) -> str:
    """Lower case, words and numbers only; all signs of a text that has neither.

    >>> normalised(" The answer: 42. ") == normalised("the answer 42")
    True
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", folded) or folded.split())


def _multiple_choice(model: LanguageModel, messages: list[Any], rows: pa.Table, settings: Evaluate) -> Scored:
    """Whether the reference is the likeliest of the row's `choices`, by log-likelihood per byte.

    A row whose reference is none of its choices, or that has a choice without a likelihood, is not scored.
    """
    import orjson

    choices = [[str(c) for c in orjson.loads(extra).get("choices") or []] for extra in rows["extra"].to_pylist()]
    if not all(choices):
        missing = rows["id"][choices.index([])].as_py()
        raise FlywheelError(
            f"multiple_choice: row {missing} has no field `choices`, a list of answers with the right one"
        )
    prompts = [split_answer(m)[0] for m in messages]
    found = np.full(len(messages), np.nan)
    for i, loglikelihood in enumerate(model.loglikelihood(prompts, choices)):
        right = part_of(messages[i], "answer").strip()
        if right in [c.strip() for c in choices[i]] and np.isfinite(loglikelihood).all():
            best = int(np.argmax(loglikelihood / np.array([max(1, len(c.encode())) for c in choices[i]])))
            found[i] = float(choices[i][best].strip() == right)
    return found, np.ones(len(messages))


_SCORERS = {
    "bits_per_byte": _bits_per_byte,
    "answer_loss": _answer_loss,
    "exact_match": _exact_match,
    "multiple_choice": _multiple_choice,
}


def interval(value: FloatArray, weight: FloatArray, resamples: int, seed: int = 0) -> dict[str, float]:
    """`sum(value) / sum(weight)` with its 95 % percentile bootstrap interval over rows, and n."""
    from scipy.stats import bootstrap

    ok = np.isfinite(value)
    value, weight = value[ok], weight[ok]
    if not len(value):
        return {"value": math.nan, "low": math.nan, "high": math.nan, "n": 0}
    point = float(value.sum() / weight.sum())
    if len(value) == 1:
        return {"value": point, "low": math.nan, "high": math.nan, "n": 1}
    found = bootstrap(
        (value, weight),
        lambda v, w, axis: v.sum(axis=axis) / w.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        method="percentile",
        batch=200,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return {"value": point, "low": float(found.low), "high": float(found.high), "n": len(value)}


def summarise(scores: RowScores, metric: Metric, settings: Evaluate) -> dict[str, Any]:
    """Overall and by slice, each with an interval; how many rows could not be scored."""
    return {
        "metric": metric,
        "better": BETTER[metric],
        "overall": interval(scores.value, scores.weight, settings.resamples),
        "slices": {
            name: interval(scores.value[at], scores.weight[at], settings.resamples)
            for name, at in scores.by_slice(settings.smallest_slice).items()
        },
        "not_scored": int((~np.isfinite(scores.value)).sum()),
    }
