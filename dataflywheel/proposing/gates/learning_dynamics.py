"""Learning dynamics: a labelled text whose label a classifier of other rows contradicts all along is turned away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from dataflywheel.contracts import Card, FloatArray, UsageError, UserPath
from dataflywheel.proposing.dynamics import Dynamics, dynamics_of
from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.proposing.label_classifier import FOLDS, LEAST, fold
from dataflywheel.proposing.labelled_texts import core, place_of
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.reading import read_file
from dataflywheel.rows.schema import Row

NO_LABEL = "no label to learn"
BATCH, RATE = 32, 10.0
"""Texts of a step, and its size; vectors have length 1."""


class Text(NamedTuple):
    """A labelled text; those of one `root` are kin, such as a row and what was made of it."""

    root: str
    text: str
    label: str


class LearningDynamics(Gate):
    """Judges labelled texts by a classifier of real rows (words and pairs of words by TF-IDF, logistic regression by
    gradient steps) that never saw the row that a text was made from, nor its kin.

    Over the passes of its training a row has a confidence, the mean probability of its label, and an aleatoric
    uncertainty, the mean of p (1 - p). `hard`: confidence up to 0.2, uncertainty up to 0.2; `easy`: from 0.8, up to
    0.2; else `ambiguous`. Hard ones are turned away, with `keep: easy` the ambiguous ones too. A row without a label,
    or with one that the classifier does not know, is turned away undecided.
    """

    card: ClassVar[Card] = Card(
        title="Curated LLM: Synergy of LLMs and Data Curation for tabular augmentation in low-data regimes",
        authors="Seedat et al.",
        year=2024,
        paper="2312.12112",
        category="proposing",
        subcategory="gates",
        summary="Rejects labelled texts whose label a classifier of other rows contradicts while it learns.",
        needs=("labels",),
        checked="texts with flipped labels over ten seeds; groups by hand; no text judged by a classifier that saw it",
        pays="Writers of labelled rows that slip in wrong labels, and a hundred or more real ones of each label.",
        fails="Of few words or shades of meaning a classifier of words is never sure, and all is ambiguous: then have "
        "the label checked by a model.",
        evidence="benchmarks/gates.md, 2,000 texts to learn from: of turned labels of tweets 0.733 are rejected and "
        "0.033 of people's own, of paradetox 0.330 and 0.027; with a fifth of the real labels wrong 0.490 and 0.098. "
        "With `keep: easy` 0.967 and more, but also 0.267 to 0.670 of people's own.",
    )

    labels: UserPath | None = None
    """Labelled rows to learn from; None: those of the pool."""
    keep: Literal["not hard", "easy"] = "not hard"
    """What passes."""
    passes: int = Field(default=10, ge=2, le=200)
    """Passes over the texts."""
    seed: int = 0
    """Of the order in which texts are learned."""

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        made = f"{self.name}:{self.digest()}"
        learned = around.once(made, lambda: Learned(self._real(around), self.passes, self.seed))
        given = [_text(one.row, _root(one)) if one.row else NO_LABEL for one in proposals]
        able = [one for one in given if isinstance(one, Text) and not learned.lacks(one.label)]
        found = iter(learned.dynamics(able))
        return [self._check(one, learned, found) for one in given]

    def _check(self, given: Text | str, learned: Learned, found: Any) -> Check:
        if isinstance(given, str):
            return Check(False, NO_LABEL, given, decided=False)
        if lacks := learned.lacks(given.label):
            return Check(False, "label not learned", lacks, decided=False)
        one: Dynamics = next(found)
        facts = {"confidence": one.confidence, "aleatoric": one.aleatoric}
        good = one.group == "easy" or (one.group == "ambiguous" and self.keep == "not hard")
        told = f"confidence {one.confidence:.2f}, uncertainty {one.aleatoric:.2f}"
        return Check(True, facts=facts) if good else Check(False, f"{one.group} to learn", told, facts)

    def _real(self, around: Surroundings) -> list[Text]:
        """
        Raises:
            UsageError: there is no file and no pool, or the file does not exist.
        """
        if self.labels is not None:
            if not self.labels.exists():
                raise UsageError(f"labels: {self.labels} does not exist; give a file of rows with a label each")
            rows: list[Row] = read_file(str(self.labels))[0].to_pylist()
        elif around.pool is None:
            raise UsageError(f"{self.name}: there is no pool to learn from; name a file of labelled rows: `labels:`")
        else:
            rows = read_rows(around.pool).to_pylist()
        return [text for row in rows if isinstance(text := _text(row, _kin(row)), Text)]


class Learned:
    """Five classifiers, each of four fifths of the texts, as they were after each pass."""

    def __init__(self, texts: Sequence[Text], passes: int, seed: int) -> None:
        counts: dict[str, int] = {}
        for one in texts:
            counts[one.label] = counts.get(one.label, 0) + 1
        self._known = sorted(label for label, n in counts.items() if n >= LEAST)
        self._texts = [one for one in texts if one.label in self._known]
        self._passes, self._seed = passes, seed
        self._models: dict[int, tuple[Any, list[tuple[FloatArray, FloatArray]]]] = {}

    def lacks(self, label: str) -> str:
        """Why texts of a label are not judged; "" where they are."""
        if len(self._known) < 2:
            return f"fewer than two labels have {LEAST} texts to learn from"
        return "" if label in self._known else f"fewer than {LEAST} texts of this label to learn from"

    def dynamics(self, texts: Sequence[Text]) -> list[Dynamics]:
        """Of each text with its label, which is known."""
        found: dict[int, Dynamics] = {}
        for k in range(FOLDS):
            own = [i for i, one in enumerate(texts) if fold(one.root) == k]
            if own:
                found |= zip(own, dynamics_of(self._said(k, [texts[i] for i in own])), strict=True)
        return [found[i] for i in range(len(texts))]

    def _said(self, k: int, texts: Sequence[Text]) -> FloatArray:
        """Probabilities (passes, n) of the label that each text has."""
        if k not in self._models:
            self._models[k] = self._trained([one for one in self._texts if fold(one.root) != k])
        words, stages = self._models[k]
        vectors = words.transform([one.text for one in texts])
        own = np.array([self._known.index(one.label) for one in texts])
        return np.stack([_softmax(vectors @ w + b)[np.arange(len(texts)), own] for w, b in stages])

    def _trained(self, texts: Sequence[Text]) -> tuple[Any, list[tuple[FloatArray, FloatArray]]]:
        """What makes vectors of texts, and weights (features, labels) and biases (labels,) after each pass: softmax
        regression by steps on 32 texts."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|[^\w\s]")
        vectors = words.fit_transform([one.text for one in texts])
        truth = np.eye(len(self._known))[[self._known.index(one.label) for one in texts]]
        weights, bias = np.zeros((vectors.shape[1], len(self._known))), np.zeros(len(self._known))
        rng = np.random.default_rng(self._seed)
        stages: list[tuple[FloatArray, FloatArray]] = []
        for _ in range(self._passes):
            for some in np.array_split(rng.permutation(len(texts)), max(1, len(texts) // BATCH)):
                error = truth[some] - _softmax(vectors[some] @ weights + bias)
                weights += RATE / len(some) * (vectors[some].T @ error)
                bias += RATE / len(some) * error.sum(axis=0)
            stages.append((weights.copy(), bias.copy()))
        return words, stages


def _softmax(logits: FloatArray) -> FloatArray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: FloatArray = powers / powers.sum(axis=1, keepdims=True)
    return found


def _text(row: Row, root: str) -> Text | str:
    """The labelled text of a row, or in a few words why it has none."""
    place = place_of(row)
    if isinstance(place, str):
        return place
    return Text(root, row["messages"][place.turn]["content"], core(place.label).casefold())


def _root(proposal: Proposal) -> str:
    """What a proposal was made from, by which it is kept from its kin."""
    if proposal.before is not None:
        return _kin(proposal.before)
    return proposal.parents[0] if proposal.parents else proposal.row["id"] if proposal.row else ""


def _kin(row: Row) -> str:
    return row["parents"][0] if row["parents"] else row["id"]
