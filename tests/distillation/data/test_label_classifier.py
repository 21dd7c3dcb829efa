"""A small classifier from a large model's labels: real texts with planted noise, and the human sample's veto."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from pathlib import Path

import numpy as np
import pytest

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.distillation.data.label_classifier import HashedClassifier, LabelClassifier, agreement, ask_labels
from tests.models.endpoint.fake import FakeClient, user_text
from tests.signals.rating.support import asking
from tests.support.endpoint import Endpoint

Pairs = list[tuple[str, str]]
HUMAN = 300


def table(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rb") as file:
        return list(csv.DictReader(io.TextIOWrapper(file, "utf-8")))


def ag_news(data: Path) -> Pairs:
    rows = table(data / "ag_news" / "ag_news.csv.gz")
    return [(f"{row['title']} {row['description']}", row["class_index"]) for row in rows]


def sst2(data: Path) -> Pairs:
    with gzip.open(data / "sst2" / "train.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [(row["text"], str(row["label"])) for row in map(json.loads, lines)]


def tweets(data: Path) -> Pairs:
    return [(row["tweet"], row["class"]) for row in table(data / "hate_offensive_tweets" / "labeled_data.csv.gz")]


def planted(pairs: Pairs, noise: float, count: int = 1500) -> tuple[list[str], list[str | None], dict[int, str]]:
    """Texts, a large model's labels of which a share is wrong, and human labels of the first texts."""
    draw = random.Random(0)
    draw.shuffle(pairs)
    pairs = pairs[:count]
    names = sorted({label for _, label in pairs})
    given = [draw.choice([n for n in names if n != label]) if draw.random() < noise else label for _, label in pairs]
    return [text for text, _ in pairs], list(given), {i: pairs[i][1] for i in range(HUMAN)}


@pytest.mark.slow
@pytest.mark.parametrize(("read", "least"), [(ag_news, 0.7), (sst2, 0.3), (tweets, 0.3)])
def test_good_labels_make_a_classifier_and_bad_ones_are_refused(read: object, least: float, data: Path) -> None:
    pairs: Pairs = read(data)  # type: ignore[operator]
    method = LabelClassifier(classifier_floor=0.25)
    made = method.distil(*planted(pairs, 0.1))
    assert made.trained_on == 1500 - HUMAN
    assert 0.7 < made.labels_vs_human.kappa < 0.95
    for one in (made.labels_vs_human, made.classifier_vs_human, made.classifier_vs_labels):
        assert one.low < one.kappa < one.high
        assert one.n == HUMAN
    assert made.classifier_vs_human.kappa > least
    # It learns the labels' common part and not their noise.
    assert made.classifier_vs_human.kappa > made.classifier_vs_labels.kappa
    with pytest.raises(FlywheelError, match=r"the model's agreement with 300 human labels is a kappa of .* below"):
        method.distil(*planted(pairs, 0.6))
    with pytest.raises(FlywheelError, match="the classifier's agreement"):
        LabelClassifier(classifier_floor=0.95).distil(*planted(pairs, 0.1))


@pytest.mark.slow
def test_human_texts_are_not_trained_on(data: Path) -> None:
    texts, labels, human = planted(ag_news(data), 0.0, count=800)
    made = LabelClassifier().distil(texts, labels, human)
    poisoned: list[str | None] = [human.get(i, label) for i, label in enumerate(labels)]
    for i in list(human)[:60]:
        poisoned[i] = "3"
    again = LabelClassifier(floor=0.3).distil(texts, poisoned, human)
    np.testing.assert_array_equal(made.classifier.weights, again.classifier.weights)
    missing: list[str | None] = [None if i >= 400 else label for i, label in enumerate(labels)]
    assert LabelClassifier(classifier_floor=0).distil(texts, missing, human).trained_on == 100


@pytest.mark.slow
def test_it_is_saved_and_loaded_and_equals_plain_logistic_regression(data: Path, tmp_path: Path) -> None:
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression

    for read in (ag_news, sst2):  # several labels, and two
        texts, labels, human = planted(read(data), 0.05, count=1500)
        classifier = LabelClassifier(classifier_floor=0.0).distil(texts, labels, human).classifier
        classifier.save(tmp_path / read.__name__)
        loaded = HashedClassifier.load(tmp_path / read.__name__)
        np.testing.assert_array_equal(loaded.probabilities(texts[:50]), classifier.probabilities(texts[:50]))
        features = HashingVectorizer(n_features=1 << 16, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b|[!?]")
        plain = LogisticRegression(C=10.0, max_iter=300).fit(features.transform(texts[HUMAN:]), labels[HUMAN:])
        expected = plain.predict_proba(features.transform(texts[:50]))
        np.testing.assert_allclose(classifier.probabilities(texts[:50]), expected, atol=1e-4)
        assert classifier.predict(texts[:50]) == plain.predict(features.transform(texts[:50])).tolist()
    assert classifier.predict([]) == []


def test_kappa_is_scikit_learns() -> None:
    from sklearn.metrics import cohen_kappa_score

    draw = random.Random(1)
    first = [draw.choice("abc") for _ in range(200)]
    second = [a if draw.random() < 0.7 else draw.choice("abc") for a in first]
    found = agreement(first, second)
    assert found.kappa == pytest.approx(cohen_kappa_score(first, second))
    assert agreement(["a"] * 30, ["a"] * 30).kappa == 1.0
    assert found == agreement(first, second), "seeded"


def test_too_little_to_know_or_to_learn_is_refused() -> None:
    texts = [f"text {i}" for i in range(200)]
    labels: list[str | None] = ["a"] * 200
    with pytest.raises(UsageError, match="30 texts have a human label"):
        LabelClassifier().distil(texts, labels, {i: "a" for i in range(30)})
    with pytest.raises(UsageError, match="nothing to tell apart"):
        LabelClassifier().distil(texts, labels, {i: "a" for i in range(120)})


def test_labels_are_asked_for_and_strangers_are_none(endpoint: Endpoint, tmp_path: Path) -> None:
    def answer(request: object) -> str:
        text = user_text(request)  # type: ignore[arg-type]
        label = "sport" if "ball" in text else "Sports" if "game" in text else "science"
        return json.dumps({"label": label})

    labels, replies = ask_labels(FakeClient(answer), ["a ball", "an atom", "a game"], ["sport", "science"])
    assert labels == ["sport", "science", None]
    assert len(replies) == 3
    endpoint.configure(rules=[{"rule": "echo", "text": '{"id": "q0", "label": "sport"}'}])
    with asking(endpoint, tmp_path) as model:
        from dataflywheel.models.endpoint.account import client_for

        assert ask_labels(client_for(model), ["a ball"], ["sport", "science"])[0] == ["sport"], "an id does no harm"
