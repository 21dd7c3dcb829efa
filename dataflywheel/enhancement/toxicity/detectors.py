"""Whatever scores texts for toxicity, seen alike: a score for each, or none and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, FloatArray, Signal, Status, UsageError
from dataflywheel.enhancement.toxicity.mask_toxicity import masked
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import message, table
from dataflywheel.signals.safety.toxicity_classifier import ToxicityClassifier

Span = tuple[int, int]
"""Characters [start, end)."""
SCORES = ("score", "value")
"""Columns that may be a detector's score, in order of preference."""
MASKED = 0.6
"""Share of a text's words that the classifier may mark, at most."""
_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Found:
    """What a detector makes of n texts."""

    scores: FloatArray
    """(n,), the higher the more toxic; NaN where it could not say."""
    statuses: Counter[str] = field(default_factory=Counter)
    """Texts by what became of them: `ok`, `truncated`, `empty`, `failed`."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why texts failed."""
    calls: int = 0
    """Requests to models, whenever they were paid."""
    usd: float = 0.0


class Detector(Protocol):
    """Scores texts. A text that it cannot judge has no score: NaN, never a number."""

    name: str

    def look(self, texts: Sequence[str]) -> Found:
        """A score for each text, in order."""

    def spans(self, texts: Sequence[str], limit: float) -> list[list[Span]] | None:
        """Where each text is toxic at this threshold; None: it marks no places."""


class OwnClassifier:
    """A classifier of the user's labels. It marks the words whose masking brings a text below the threshold."""

    def __init__(self, name: str, classifier: ToxicityClassifier) -> None:
        self.name, self.classifier = name, classifier

    def look(self, texts: Sequence[str]) -> Found:
        scores = self.classifier.scores(texts)
        known = int(np.isfinite(scores).sum())
        return Found(scores, Counter({"ok": known, "empty": len(texts) - known}))

    def spans(self, texts: Sequence[str], limit: float) -> list[list[Span]] | None:
        mark = "\x00"
        found = masked(texts, self.classifier, limit, mark, MASKED)
        return [_marked(text, after, mark) for text, after in zip(texts, found, strict=True)]


class OfSignal:
    """A signal with a score as a detector; each text stands as the only turn of a row."""

    def __init__(self, name: str, signal: Signal) -> None:
        """
        Raises:
            UsageError: none of the signal's columns is a score.
        """
        self.name, self.signal = name, signal
        self.column = next((one for one in SCORES if one in signal.columns), "")
        if not self.column:
            raise UsageError(f"detector {name}: it has {', '.join(signal.columns)}, and neither `score` nor `value`")
        signal.ready()

    def look(self, texts: Sequence[str]) -> Found:
        columns = self._measured(texts)
        scores = columns[self.column].to_numpy(zero_copy_only=False).astype(float)
        status = columns["status"].to_numpy(zero_copy_only=False)
        errors = columns["error"].to_pylist() if "error" in columns else []
        said = Counter(Status(int(one)).name.lower() for one in status)
        usd = float(np.nansum(columns["usd"].to_numpy(zero_copy_only=False))) if "usd" in columns else 0.0
        calls = int(np.nansum(columns["calls"].to_numpy(zero_copy_only=False))) if "calls" in columns else 0
        return Found(
            np.where(status > Status.TRUNCATED, np.nan, scores), said, Counter(filter(None, errors)), calls, usd
        )

    def spans(self, texts: Sequence[str], limit: float) -> list[list[Span]] | None:
        if "spans" not in self.signal.columns:
            return None
        columns = self._measured(texts)
        return [[_span(one) for one in spans or []] for spans in columns["spans"].to_pylist()]

    def _measured(self, texts: Sequence[str]) -> dict[str, pa.Array]:
        rows = table([make_row([message("user", text)]) for text in texts]).combine_chunks()
        parts: dict[str, list[Any]] = {}
        for batch in rows.to_batches(max_chunksize=self.signal.batch_size):
            for name, values in self.signal.measure(batch).items():
                parts.setdefault(name, []).append(_array(values))
        return {name: pa.concat_arrays(of) for name, of in parts.items()}


def _array(values: pa.Array | AnyArray) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks()
    return values if isinstance(values, pa.Array) else pa.array(values)


def _span(text: str) -> Span:
    start, _, end = text.rpartition(":")
    return int(start.rpartition(":")[2]), int(end)


def _marked(text: str, after: str | None, mark: str) -> list[Span]:
    """The words of a text that the mark stands for in the other; none where nothing helped."""
    if after is None:
        return []
    return [word.span() for word, now in zip(_WORD.finditer(text), _WORD.findall(after), strict=True) if now == mark]
