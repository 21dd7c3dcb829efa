"""Detoxification on human rewrites: copying, deleting a learned word list, masking, and what people wrote.

J is the mean over rows of style x similarity x fluency, multiplied row by row. Style: 1 where a classifier trained on
other pairs than the masking one calls the text not toxic. Similarity: cosine with the toxic side, all-MiniLM-L6-v2.
Fluency: share of the text's word pairs, its ends included, that occur in human neutral sides set aside.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from dataflywheel.contracts import FloatArray
from dataflywheel.enhancement.toxicity.mask_toxicity import masked
from dataflywheel.models.embedding.embedder import Embedder
from dataflywheel.models.embedding.shared_embedder import shared_embedder
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.signals.safety.toxicity_classifier import ToxicityClassifier, train

ROWS = 1000
LEAST_COUNT = 5
LOG_ODDS = 2.0
Pairs = list[dict[str, str]]
Markdown = Callable[[list[str], list[list[str]]], str]


def words(text: str) -> list[str]:
    return re.findall(r"[\w'*$@]+|[^\w\s]", text.lower())


def detox_table(pairs: Pairs, hopeless: list[str], markdown: Markdown) -> str:
    order = np.random.default_rng(1).permutation(len(pairs)).tolist()
    cut = (len(pairs) - ROWS) // 2
    ours, judges, tested = ([pairs[i] for i in part] for part in np.split(np.array(order), [cut, 2 * cut]))
    masking, judging = classifier(ours), classifier(judges)
    limit = masking.threshold(0.01)
    listed = word_list(ours)
    toxic = [row["toxic"] for row in tested][:ROWS]
    left_out = masked(toxic, masking, limit, "", 0.3)
    methods = {
        "copy": toxic,
        "delete a learned word list": [without(text, listed) for text in toxic],
        "delete by classifier (ours; a row that stays toxic is dropped)": [text or "" for text in left_out],
        "written by people": [row["neutral1"] for row in tested][:ROWS],
    }
    known = {pair for row in judges for pair in word_pairs(row["neutral1"])}
    embedder = shared_embedder(EmbedderSpec(builtin="minilm"))
    rows = [scores(name, toxic, texts, judging, embedder, known) for name, texts in methods.items()]
    dropped = sum(text is None for text in left_out) / len(left_out)
    score = masking.scores(toxic)
    sample = [hopeless[i] for i in np.random.default_rng(2).permutation(len(hopeless))[:ROWS].tolist()]
    flagged = [text for text, value in zip(sample, masking.scores(sample), strict=True) if value > limit]
    stuck = sum(text is None for text in masked(flagged, masking, limit, "", 0.3)) / max(1, len(flagged))
    head = ["method", "J", "style", "similarity", "fluency", "rows left empty"]
    note = (
        f"{len(toxic):,} rows of paradetox; the word list has {len(listed):,} words. Of these rows "
        f"{(score > limit).mean():.1%} are toxic to the masking classifier, and {dropped:.1%} would lose over 30 % of "
        "their words and are dropped. Of sentences that people could not rewrite it calls "
        f"{len(flagged) / len(sample):.1%} toxic and drops {stuck:.1%} of those."
    )
    return (
        f"## Detoxification\n\n{(__doc__ or '').strip().partition(chr(10) * 2)[2]}\n\n{markdown(head, rows)}\n\n{note}"
    )


def classifier(pairs: Pairs) -> ToxicityClassifier:
    texts = [row["toxic"] for row in pairs] + [row["neutral1"] for row in pairs]
    return train(texts, [True] * len(pairs) + [False] * len(pairs))


def word_list(pairs: Pairs) -> set[str]:
    """Words whose smoothed log-odds of the toxic side are at least 2."""
    one = Counter(word for row in pairs for word in words(row["toxic"]))
    other = Counter(word for row in pairs for word in words(row["neutral1"]))
    return {w for w, n in one.items() if n >= LEAST_COUNT and np.log((n + 0.5) / (other[w] + 0.5)) >= LOG_ODDS}


def without(text: str, listed: set[str]) -> str:
    return " ".join(word for word in text.split() if not set(words(word)) & listed)


def word_pairs(text: str) -> list[tuple[str, str]]:
    return list(pairwise(["", *words(text), ""]))


def scores(
    name: str,
    toxic: Sequence[str],
    texts: list[str],
    judging: ToxicityClassifier,
    embedder: Embedder,
    known: set[tuple[str, str]],
) -> list[str]:
    there = np.array([bool(text.strip()) for text in texts])
    style = (judging.scores(texts) <= judging.threshold(0.05)) & there
    alike: FloatArray = (embedder.encode(list(toxic)) * embedder.encode([text or "." for text in texts])).sum(axis=1)
    fluent = np.array([np.mean([pair in known for pair in word_pairs(text)]) for text in texts]) * there
    joint = float((style * np.clip(alike, 0, 1) * fluent).mean())
    means = (joint, style.mean(), (alike * there).mean(), fluent.mean())
    return [name, *(f"{value:.3f}" for value in means), str(int((~there).sum()))]
