"""A classifier of short texts trained on the user's labels: hashed n-grams and logistic regression, calibrated."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, UsageError
from dataflywheel.signals.safety.identity_terms import neutralised
from dataflywheel.store.atomic import atomic_directory

VERSION = 3
SIZE = 2**18
"""Hash buckets of each of the two kinds of n-grams."""
STRENGTH = 10.0
"""Inverse of the regularisation, as scikit-learn counts it."""
HELD_OUT = 0.2
LEAST = 20
"""Labelled texts of each class that are needed."""
PIECE_WORDS = 40
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True)
class ToxicityClassifier:
    """Probability that a text is toxic, by the labels that it was trained on.

    A text is scored by its worst sentence (of up to 40 words), so that none is lost in a long row.
    """

    weights: FloatArray
    """(2 * SIZE,), float32: word n-grams, then character n-grams."""
    intercept: float
    slope: float
    offset: float
    """Platt's calibration: probability = 1 / (1 + exp(-(slope * logit + offset))), fitted on held-out texts."""
    negatives: FloatArray
    """Probabilities of the held-out texts that are not toxic, ascending."""
    positives: FloatArray
    """The same of those that are."""
    neutral: bool
    """Words for groups of people are left out before anything is read."""
    digest: str

    def scores(self, texts: Sequence[str]) -> FloatArray:
        """Probabilities (n,); NaN for a text without a letter or digit."""
        pieces = [pieces_of(text) for text in texts]
        flat = [piece for one in pieces for piece in one]
        if not flat:
            return np.full(len(texts), np.nan)
        found = self.piece_scores(flat)
        ends = np.cumsum([len(one) for one in pieces])
        return np.array(
            [found[end - len(one) : end].max() if one else np.nan for one, end in zip(pieces, ends, strict=True)]
        )

    def piece_scores(self, pieces: Sequence[str]) -> FloatArray:
        """Probabilities (n,) of texts that are read whole."""
        read = [neutralised(piece) for piece in pieces] if self.neutral else pieces
        logits = np.concatenate([_features(read[i : i + 4096]) @ self.weights for i in range(0, len(read), 4096)])
        return _probability(self.slope * (logits + self.intercept) + self.offset)

    def threshold(self, false_positive_rate: float) -> float:
        """A probability that at most this share of the held-out texts without toxicity exceeds: halfway from the lowest
        such to the toxic text next above it."""
        allowed = int(false_positive_rate * len(self.negatives))
        lowest = float(self.negatives[len(self.negatives) - 1 - allowed])
        above = self.positives[self.positives > lowest]
        return (lowest + float(above[0])) / 2 if len(above) else lowest

    def save(self, folder: Path) -> None:
        """Arrays as npz, the rest as JSON; no code."""
        facts = {name: getattr(self, name) for name in ("intercept", "slope", "offset", "neutral", "digest")}
        with atomic_directory(folder) as aside:
            np.savez_compressed(
                aside / "arrays.npz", weights=self.weights, negatives=self.negatives, positives=self.positives
            )
            (aside / "classifier.json").write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> ToxicityClassifier:
        facts = json.loads((folder / "classifier.json").read_text(encoding="utf-8"))
        with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
            return cls(**arrays, **facts)


def train(texts: Sequence[str], toxic: Sequence[bool], neutral: bool = False) -> ToxicityClassifier:
    """Fit on four fifths of the texts, calibrate on the rest; which is which depends on the texts alone.

    Raises:
        UsageError: fewer than 20 texts of a class.
    """
    labels = np.asarray(toxic, dtype=bool)
    if min(labels.sum(), (~labels).sum()) < LEAST:
        raise UsageError(
            f"a toxicity classifier needs at least {LEAST} labelled texts of each class; there are {labels.sum()} "
            f"toxic and {(~labels).sum()} others: label more rows, or name the labels that count as toxic under `toxic`"
        )
    from sklearn.linear_model import LogisticRegression

    known = [neutralised(text) for text in texts] if neutral else list(texts)
    rest = _held_out(texts, labels)
    model = LogisticRegression(C=STRENGTH, solver="liblinear", class_weight="balanced", max_iter=200)
    model.fit(_features([known[i] for i in np.flatnonzero(~rest).tolist()]), labels[~rest])
    weights, intercept = model.coef_[0].astype(np.float32), float(model.intercept_[0])
    digest = training_digest(texts, toxic, neutral)
    bare = ToxicityClassifier(weights, intercept, 1.0, 0.0, np.zeros(0), np.zeros(0), neutral, digest)
    held = bare.scores([texts[i] for i in np.flatnonzero(rest).tolist()])
    good = np.isfinite(held)
    logits = np.log(np.clip(held[good], 1e-12, 1) / np.clip(1 - held[good], 1e-12, 1))
    truth = labels[rest][good]
    slope, offset = _platt(logits, truth)
    found = _probability(slope * logits + offset)
    return ToxicityClassifier(
        weights, intercept, slope, offset, np.sort(found[~truth]), np.sort(found[truth]), neutral, digest
    )


def _platt(logits: FloatArray, truth: AnyArray) -> tuple[float, float]:
    """Slope and offset of the calibration, with Platt's smoothed targets: separable texts do not make it a step."""
    from sklearn.linear_model import LogisticRegression

    positive, negative = truth.sum(), (~truth).sum()
    target = np.where(truth, (positive + 1) / (positive + 2), 1 / (negative + 2))
    both, weight = np.concatenate([logits, logits])[:, None], np.concatenate([target, 1 - target])
    model = LogisticRegression(C=1e6).fit(both, np.repeat([1, 0], len(logits)), sample_weight=weight)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def trained(texts: Sequence[str], toxic: Sequence[bool], neutral: bool, cache: Path) -> ToxicityClassifier:
    """`train`, or what it gave before, kept in a folder of `cache` that is named by the labelled texts' digest."""
    folder = cache / f"toxicity-{training_digest(texts, toxic, neutral)}"
    if not (folder / "classifier.json").is_file():
        train(texts, toxic, neutral).save(folder)
    return _loaded(folder)


@lru_cache(maxsize=8)
def _loaded(folder: Path) -> ToxicityClassifier:
    return ToxicityClassifier.load(folder)


def training_digest(texts: Sequence[str], toxic: Sequence[bool], neutral: bool) -> str:
    """16 hex digits over everything that the classifier follows from."""
    state = hashlib.blake2b(f"{VERSION}:{SIZE}:{STRENGTH}:{neutral}:".encode(), digest_size=8)
    for text, label in zip(texts, toxic, strict=True):
        content = text.encode("utf-8", "surrogatepass")
        state.update(f"{len(content)}:{bool(label)}:".encode() + content)
    return state.hexdigest()


def pieces_of(text: str) -> list[str]:
    """Sentences, those over 40 words cut; what holds neither letter nor digit is left out."""
    sentences = (sentence.split() for sentence in _SENTENCE.split(text))
    pieces = (" ".join(words[i : i + PIECE_WORDS]) for words in sentences for i in range(0, len(words), PIECE_WORDS))
    return [piece for piece in pieces if any(map(str.isalnum, piece))]


def _held_out(texts: Sequence[str], labels: AnyArray) -> AnyArray:
    """Mask (n,): a fifth of each class, by hash of the text, so that copies lie on one side."""
    places = np.array(
        [int.from_bytes(hashlib.blake2b(t.encode("utf-8", "replace"), digest_size=8).digest()) for t in texts]
    )
    mask = np.zeros(len(texts), dtype=bool)
    for label in (False, True):
        of = labels == label
        mask |= of & (places <= np.sort(places[of])[max(2, int(HELD_OUT * of.sum())) - 1])
    return mask


def _features(texts: Sequence[str]) -> Any:
    """Sparse (n, 2 * SIZE): words and their pairs, and runs of 3 to 5 characters within words; each of length 1."""
    from scipy.sparse import hstack

    return hstack([vectoriser.transform(texts) for vectoriser in _vectorisers()], format="csr")


@lru_cache(maxsize=1)
def _vectorisers() -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import HashingVectorizer

    shared: dict[str, Any] = {"n_features": SIZE, "alternate_sign": False, "norm": "l2", "dtype": np.float32}
    words = HashingVectorizer(ngram_range=(1, 2), token_pattern=r"[^\W_][\w'*$@]*", **shared)
    return words, HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared)


def _probability(logits: FloatArray) -> FloatArray:
    found: FloatArray = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
    return found
