"""Labels of a large model distilled into a small classifier, once a sample of human labels says that they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import orjson
from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import AnyArray, FloatArray, FlywheelError, UsageError
from dataflywheel.models.endpoint.form import words
from dataflywheel.models.endpoint.quoting import question
from dataflywheel.models.endpoint.request import Reply
from dataflywheel.models.endpoint.structured import Asks, Form, ask_for
from dataflywheel.store.atomic import atomic_directory, write_json

INSTRUCTIONS = "The material is a text. Give it exactly one of these labels, spelled as here: {labels}.{hint}"
ASK = "Which label does the text get? Give it in `label`, spelled as in the list."
RESAMPLES = 1000


class Labelled(Form):
    """A label for the text of one question."""

    limit: ClassVar[int] = 64

    label: str = words(200)


@dataclass(frozen=True)
class Agreement:
    """Cohen's kappa of two labellings of n texts, with its 95 % percentile bootstrap interval."""

    kappa: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Distilled:
    """The classifier, and on the texts of the human sample, which it was not trained on, who agrees with whom."""

    classifier: HashedClassifier
    labels_vs_human: Agreement
    classifier_vs_human: Agreement
    classifier_vs_labels: Agreement
    trained_on: int


class LabelClassifier(BaseModel):
    """Logistic regression over hashed words and pairs of words, trained on a large model's labels (Pangakis and Wolken
    2024, 2406.17633). A tool for Python: no step of a recipe works on labels alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    floor: float = Field(default=0.6, ge=0, le=1)
    """Least kappa between the large model's labels and the human ones."""
    classifier_floor: float = Field(default=0.4, ge=0, le=1)
    """Least kappa between the classifier and the human labels."""
    human_sample: int = Field(default=100, ge=20)
    """Texts with human labels that are needed, at least."""
    buckets: int = Field(default=1 << 16, ge=256)
    """Features that words and pairs of words are hashed to."""
    strength: float = Field(default=10.0, gt=0)
    """Inverse of the penalty on weights."""
    seed: int = 0

    def distil(self, texts: Sequence[str], labels: Sequence[str | None], human: Mapping[int, str]) -> Distilled:
        """Train on `labels` of the large model (None: it gave none), less the texts that `human` labels by position.

        Raises:
            UsageError: too few human labels, or fewer than two different labels to learn.
            FlywheelError: the kappa of model or classifier with the human labels is below its floor.
        """
        checked = sorted(i for i in human if labels[i] is not None)
        if len(checked) < self.human_sample:
            raise UsageError(
                f"label_classifier: {len(checked)} texts have a human label and one of the model; "
                f"{self.human_sample} are needed to know whether the model's labels hold"
            )
        given, truth = [str(labels[i]) for i in checked], [human[i] for i in checked]
        sure = agreement(given, truth, self.seed)
        _require("the model's", sure, self.floor, "refine the question, take a stronger model, or label by hand")
        held = set(human)
        members = [i for i, label in enumerate(labels) if label is not None and i not in held]
        learned = [str(labels[i]) for i in members]
        if len(set(learned)) < 2:
            raise UsageError(f"label_classifier: nothing to tell apart, all {len(members)} labels are the same")
        classifier = self._fit([texts[i] for i in members], learned)
        said = classifier.predict([texts[i] for i in checked])
        against = agreement(said, truth, self.seed)
        _require("the classifier's", against, self.classifier_floor, "label more texts, or take a larger classifier")
        return Distilled(classifier, sure, against, agreement(said, given, self.seed), len(members))

    def _fit(self, texts: Sequence[str], labels: Sequence[str]) -> HashedClassifier:
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=self.strength, max_iter=300, random_state=self.seed)
        model.fit(_features(texts, self.buckets), np.asarray(labels))
        # In C order: safetensors writes the memory as it lies.
        weights, bias = model.coef_.astype(np.float32, order="C"), model.intercept_.astype(np.float32)
        if len(model.classes_) == 2:  # one row of weights for the second of two labels
            weights, bias = np.vstack([-weights / 2, weights / 2]), np.concatenate([-bias / 2, bias / 2])
        return HashedClassifier(tuple(map(str, model.classes_)), weights, bias)


def _require(whose: str, found: Agreement, floor: float, way_out: str) -> None:
    if not found.kappa >= floor:
        raise FlywheelError(
            f"label_classifier: {whose} agreement with {found.n} human labels is a kappa of {found.kappa:.2f} "
            f"({found.low:.2f} to {found.high:.2f}), below the floor of {floor:g}; {way_out}"
        )


@dataclass(frozen=True)
class HashedClassifier:
    """Label k of a text has the score `weights[k] . features + bias[k]`; weights (labels, buckets)."""

    labels: tuple[str, ...]
    weights: FloatArray
    bias: FloatArray

    def probabilities(self, texts: Sequence[str]) -> FloatArray:
        """Shape (texts, labels); rows sum to 1."""
        scores = _features(texts, self.weights.shape[1]) @ self.weights.T + self.bias
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(scores / scores.sum(axis=1, keepdims=True))

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The likeliest label of each text; the first in order of the alphabet on a tie."""
        return [self.labels[k] for k in self.probabilities(texts).argmax(axis=1)] if texts else []

    def save(self, folder: Path) -> None:
        """Weights as safetensors, labels as JSON; the folder appears whole."""
        from safetensors.numpy import save_file

        with atomic_directory(folder) as aside:
            save_file({"weights": self.weights, "bias": self.bias}, aside / "classifier.safetensors")
            write_json(aside / "classifier.json", {"labels": list(self.labels), "version": 1})

    @classmethod
    def load(cls, folder: Path) -> HashedClassifier:
        from safetensors.numpy import load_file

        found = load_file(folder / "classifier.safetensors")
        facts = orjson.loads((folder / "classifier.json").read_bytes())
        return cls(tuple(facts["labels"]), found["weights"], found["bias"])


def _features(texts: Sequence[str], buckets: int) -> Any:
    """Counts of words and pairs of words by hash, each text of length 1: sparse (texts, buckets)."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hashed = HashingVectorizer(n_features=buckets, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b|[!?]")
    return hashed.transform(texts)


def ask_labels(
    client: Asks, texts: Sequence[str], labels: Sequence[str], hint: str = ""
) -> tuple[list[str | None], list[Reply]]:
    """A large model's label for each text, None where it gave none of `labels`, and all its replies."""
    asked = INSTRUCTIONS.format(labels="; ".join(labels), hint=f" {hint}" if hint else "")
    questions = [question(asked, {"text": text}, ASK) for text in texts]

    def check(i: int, value: Labelled) -> str:
        return "" if value.label in labels else f"{value.label[:40]!r} is none of the labels"

    answers = ask_for(client, questions, Labelled, check)
    found = [None if answer.value is None else answer.value.label for answer in answers]
    return found, [reply for answer in answers for reply in answer.replies]


def agreement(first: Sequence[str], second: Sequence[str], seed: int = 0) -> Agreement:
    """Cohen's kappa and its interval; 1 where both give one and the same label to everything."""
    names = {label: k for k, label in enumerate(sorted({*first, *second}))}
    pairs = np.array([names[a] * len(names) + names[b] for a, b in zip(first, second, strict=True)])
    size = len(names)
    drawn = np.random.default_rng(seed).integers(len(pairs), size=(RESAMPLES, len(pairs)))
    spread = [_kappa(pairs[one], size) for one in drawn]
    low, high = np.quantile(spread, [0.025, 0.975])
    return Agreement(_kappa(pairs, size), float(low), float(high), len(pairs))


def _kappa(pairs: AnyArray, size: int) -> float:
    table = np.bincount(pairs, minlength=size * size).reshape(size, size) / len(pairs)
    chance = float(table.sum(axis=0) @ table.sum(axis=1))
    return 1.0 if chance == 1 else (float(np.trace(table)) - chance) / (1 - chance)
