"""A classifier of the user's own labelled texts that never saw the text that it is asked about, nor its kin."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from dataflywheel.models.endpoint.request import Reply

FOLDS = 5
LEAST = 20
"""Texts of each label that are needed."""
STRENGTH = 10.0
"""Inverse of the regularisation, as scikit-learn counts it."""


class LabelledText(NamedTuple):
    """One text to learn from; texts of one `root` are kin, such as a row and what was made of it."""

    root: str
    text: str
    label: str


class Verdict(NamedTuple):
    """Which label a text has, or why that is not known, and what was asked of models for it."""

    label: str
    why: str = ""
    replies: tuple[Reply, ...] = ()


class LabelClassifier:
    """Words and pairs of words, weighed by TF-IDF, and a logistic regression; one for each fifth of the texts, trained
    on the other four. Which fifth is decided by the root, so that a text made of another is never judged by a
    classifier that learned that other's label."""

    def __init__(self, texts: Sequence[LabelledText]) -> None:
        few = [label for label, count in sorted(Counter(one.label for one in texts).items()) if count < LEAST]
        labels = {one.label for one in texts}
        self.lacks = ""
        """Why there is none, in a few words; "" where there is one."""
        if len(labels) < 2 or few:
            self.lacks = f"fewer than {LEAST} texts of a label to learn from"
            return
        self._models = [self._learned([one for one in texts if fold(one.root) != k]) for k in range(FOLDS)]
        if any(model is None for model in self._models):
            self.lacks = f"fewer than {LEAST} texts of a label to learn from"

    def _learned(self, texts: Sequence[LabelledText]) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        if len({one.label for one in texts}) < 2:
            return None
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b\w+\b|[^\w\s]")
        model = make_pipeline(words, LogisticRegression(C=STRENGTH, max_iter=1000))
        return model.fit([one.text for one in texts], [one.label for one in texts])

    def says(self, texts: Sequence[tuple[str, str]]) -> list[Verdict]:
        """The label of each text, given with its root, by the classifier that knows nothing of this root."""
        found: dict[int, str] = {}
        for k, model in enumerate(self._models):
            own = [i for i, (root, _) in enumerate(texts) if fold(root) == k]
            found |= zip(own, model.predict([texts[i][1] for i in own]) if own else [], strict=True)
        return [Verdict(str(found[i])) for i in range(len(texts))]


def fold(root: str) -> int:
    return int(hashlib.sha256(root.encode()).hexdigest()[:8], 16) % FOLDS
