"""The classifier against scikit-learn's own pipeline, and its promises: seeded, saved without code, calibrated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.signals.safety import toxicity_classifier
from dataflywheel.signals.safety.toxicity_classifier import PIECE_WORDS, ToxicityClassifier, pieces_of, train, trained
from tests.signals.toxic_words import sentences


@pytest.fixture(scope="module")
def planted() -> ToxicityClassifier:
    texts, toxic = zip(*sentences(400), strict=True)
    return train(texts, toxic)


def test_planted_words_are_learned(planted: ToxicityClassifier) -> None:
    texts, toxic = zip(*sentences(300, seed=1), strict=True)
    called = planted.scores(texts) > planted.threshold(0.01)
    assert (called == np.array(toxic)).mean() > 0.97


def test_the_same_as_a_pipeline_of_scikit_learn() -> None:
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    texts, toxic = zip(*sentences(200), strict=True)
    ours = train(texts, toxic)
    shared = {"n_features": 2**18, "alternate_sign": False, "dtype": np.float32}
    words = HashingVectorizer(ngram_range=(1, 2), token_pattern=r"[^\W_][\w'*$@]*", **shared)
    union = make_union(words, HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared))
    pipe = make_pipeline(union, LogisticRegression(C=10.0, solver="liblinear", class_weight="balanced", max_iter=200))
    rest = toxicity_classifier._held_out(texts, np.array(toxic))
    pipe.fit([t for t, r in zip(texts, rest, strict=True) if not r], np.array(toxic)[~rest])
    logits = ours.slope * pipe.decision_function(texts) + ours.offset
    np.testing.assert_allclose(ours.scores(texts), 1 / (1 + np.exp(-logits)), atol=1e-4)


def test_the_threshold_keeps_its_false_positive_rate(planted: ToxicityClassifier) -> None:
    for rate in (0.01, 0.1, 0.3):
        assert (planted.negatives > planted.threshold(rate)).mean() <= rate
    assert planted.threshold(0.3) <= planted.threshold(0.01)


def test_probabilities_are_calibrated_where_labels_are_noisy() -> None:
    rng = np.random.default_rng(0)
    texts, toxic = zip(*sentences(3000), strict=True)
    noisy = np.array(toxic) ^ (rng.random(3000) < 0.2)
    scores = train(texts, noisy.tolist()).scores(fresh := [text for text, _ in sentences(2000, seed=5)])
    truth = np.array([any(word in text for word in ("grobble", "snorf")) for text in fresh])
    assert abs(scores[truth].mean() - 0.8) < 0.08
    assert abs(scores[~truth].mean() - 0.2) < 0.08


def test_a_sentence_is_not_lost_in_a_long_text_and_batches_change_nothing(planted: ToxicityClassifier) -> None:
    clean = " ".join(text + "." for text, toxic in sentences(100, seed=2) if not toxic)
    long = f"{clean} You grobblehead, this film was late. {clean}"
    scores = planted.scores([clean, long, "", "!?"])
    assert scores[1] > planted.threshold(0.01)
    assert scores[0] < scores[1]
    assert np.isnan(scores[2:]).all()
    assert planted.scores([long])[0] == scores[1]


def test_pieces_hold_every_word_once() -> None:
    text = "one two. " * 30 + "long " * 100 + "end.\n\n...\nlast"
    pieces = pieces_of(text)
    assert all(len(piece.split()) <= PIECE_WORDS for piece in pieces)
    assert " ".join(pieces).replace("...", "").split() == text.replace("...", "").split()


def test_neutral_scores_do_not_depend_on_the_group() -> None:
    texts, toxic = zip(*sentences(200), strict=True)
    biased = [f"muslims say {text}" if bad else text for text, bad in zip(texts, toxic, strict=True)]
    plain, neutral = train(biased, toxic), train(biased, toxic, neutral=True)
    pair = ["Muslims enjoy the garden", "Women enjoy the garden"]
    assert plain.scores(pair)[0] > plain.scores(pair)[1] + 0.05
    assert neutral.scores(pair)[0] == neutral.scores(pair)[1]


def test_saved_and_cached_without_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, toxic = zip(*sentences(120), strict=True)
    first = trained(texts, toxic, False, tmp_path)
    folder = next(tmp_path.iterdir())
    assert {path.suffix for path in folder.iterdir()} == {".npz", ".json"}
    assert folder.name.endswith(first.digest)
    back = ToxicityClassifier.load(folder)
    np.testing.assert_array_equal(back.scores(texts), train(texts, toxic).scores(texts))
    monkeypatch.setattr(toxicity_classifier, "train", lambda *_: pytest.fail("trained twice"))
    trained(texts, toxic, False, tmp_path)


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(UsageError, match="at least 20 labelled texts of each class; there are 3 toxic"):
        train(["a"] * 50, [True] * 3 + [False] * 47)
