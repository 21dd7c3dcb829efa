"""Whether texts of a round are as varied as those of the first one: measures that fall when a model feeds on itself."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import AnyArray, FloatArray, UsageError
from dataflywheel.signals.words.shingles import word_hashes
from dataflywheel.store.round_record import Measure

FEWEST = 20
"""Texts on either side, below which nothing is said."""
TOP_WORDS = 5000
REPETITION = "repetition"
ABOUT = {
    **dict.fromkeys(("distinct_2", "distinct_3", "incompressible"), REPETITION),
    **{name: name for name in ("tail", "novelty", "vendi")},
}
"""What the measures tell of that can end a wheel; those of repetition fall together."""
SEVERE = 0.75
"""What a measure of repetition must have lost to end a wheel by itself, as it does where texts are copies of a few."""
NOVEL = 4
"""Words of a gram that must be new."""


class Diversity(BaseModel):
    """When a fall is an alarm."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    drop: float = Field(default=0.15, gt=0, lt=1)
    """Relative fall of a measure that is an alarm, where it is no accident of sampling too: of few texts many measures
    fall by chance, and of many texts every small difference is real."""
    sample: int = Field(default=300, ge=FEWEST)
    """Texts that are compared at a time: most measures depend on how many there are."""
    resamples: int = Field(default=30, ge=10)
    seed: int = 0


def diversity(
    first: Sequence[str],
    now: Sequence[str],
    settings: Diversity | None = None,
    *,
    vectors: tuple[FloatArray, FloatArray] | None = None,
) -> list[Measure]:
    """All measures of the texts `now` against those of the `first` round; more is more varied, for each of them.

    `distinct_2` and `distinct_3`: distinct word n-grams over all. `incompressible`: compressed over plain size.
    `mean_length`: words a text. `tail`: share of words outside the first round's commonest (5,000, or half of its
    vocabulary where that is less). `novelty`: share of 4-grams that a sample of the first round lacks. `vendi`: the
    effective number of different vectors (arXiv 2210.02410), where `vectors` (first (n, d), now (m, d)) are given.

    Args:
        now: the texts that a round added, not its whole training set, whose old rows would hide them.

    Raises:
        UsageError: fewer than 20 texts on a side.
    """
    settings = settings or Diversity()
    if min(len(first), len(now)) < FEWEST:
        raise UsageError(f"diversity: {len(first)} and {len(now)} texts; {FEWEST} are needed on either side")
    size = min(settings.sample, len(first) // 2, len(now))
    rng = np.random.default_rng(settings.seed)
    old = _Texts(first, None if vectors is None else vectors[0])
    new = _Texts(now, None if vectors is None else vectors[1])
    at_first, at_now = [], []
    for _ in range(settings.resamples):
        order = rng.permutation(len(first))
        # Both sides are held against rows of the first round that neither holds.
        one, rest = order[:size], order[size:]
        other = old.words_of(rest[:size]), old.common(rest)
        at_first.append(old.measure(one, *other))
        at_now.append(new.measure(rng.permutation(len(now))[:size], *other))
    return [
        _measure(name, np.array([m[name] for m in at_first]), np.array([m[name] for m in at_now]), settings)
        for name in at_first[0]
    ]


def alarms(measures: Sequence[Measure]) -> list[str]:
    """What is wrong, one sentence a measure."""
    return [one.alarm for one in measures if one.alarm]


def collapsed(measures: Sequence[Measure]) -> list[str]:
    """The same where two or more of what measures tell of say it (repetition, vocabulary, novelty, vectors), or where
    texts repeat themselves so much that a measure of that lost three quarters; else nothing.

    One alone also falls where nothing collapses. The tail of the vocabulary did where rounds only added rows, and the
    model lost nothing; rows of people about one subject repeat each other more than those of all, and rows that are
    chosen by length are shorter every round.
    """
    fell = [one for one in measures if one.alarm and one.name in ABOUT]
    severe = any(one.change <= -SEVERE for one in fell if ABOUT[one.name] == REPETITION)
    return alarms(measures) if severe or len({ABOUT[one.name] for one in fell}) > 1 else []


def vendi(vectors: FloatArray) -> float:
    """Exponential of the entropy of the eigenvalues of the similarity matrix over n; rows of `vectors` (n, d) are
    scaled to length 1. 1 for equal vectors, n for orthogonal ones.

    >>> round(vendi(np.eye(4)), 6), round(vendi(np.ones((4, 3))), 6)
    (4.0, 1.0)
    """
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    n, d = unit.shape
    # The two products have the same eigenvalues but for zeros; the smaller one is cheaper.
    values = np.linalg.eigvalsh((unit.T @ unit if d < n else unit @ unit.T).astype(np.float64) / n)
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def _measure(name: str, first: FloatArray, now: FloatArray, settings: Diversity) -> Measure:
    before, after = float(first.mean()), float(now.mean())
    low = before - 3 * float(first.std())
    fall = 1 - after / before if before > 0 else 0.0
    fell = fall >= settings.drop and after < low
    alarm = f"{name} fell by {fall:.0%} against the first round ({before:.4g} to {after:.4g})" if fell else ""
    return Measure.of(name, after, before, low, alarm)


class _Texts:
    """Texts as hashed words, so that a sample is measured by array operations."""

    def __init__(self, texts: Sequence[str], vectors: FloatArray | None) -> None:
        self.texts, self.vectors = texts, vectors
        self.words, self.offsets = word_hashes(texts)
        self.bytes = [text.encode("utf-8", "surrogatepass") for text in texts]

    def common(self, at: AnyArray) -> AnyArray:
        """Hashes of the commonest words of the texts at these positions, ties by hash."""
        words, counts = np.unique(self.words_of(at)[0], return_counts=True)
        top = np.argsort(-counts, kind="stable")[: min(TOP_WORDS, len(words) // 2)]
        return np.sort(words[top])

    def measure(self, at: AnyArray, against: tuple[AnyArray, AnyArray], common: AnyArray) -> dict[str, float]:
        """All measures of the texts at these positions; novelty is held `against` other words."""
        words, text = self.words_of(at)
        grams = {n: grams_of(words, text, n) for n in (2, 3, NOVEL)}
        raw = b"\n".join(self.bytes[i] for i in sorted(at.tolist()))
        novel = ~np.isin(grams[NOVEL], grams_of(*against, NOVEL))
        found = {
            "distinct_2": len(np.unique(grams[2])) / max(1, len(grams[2])),
            "distinct_3": len(np.unique(grams[3])) / max(1, len(grams[3])),
            "incompressible": len(zlib.compress(raw, 6)) / max(1, len(raw)),
            "mean_length": len(words) / len(at),
            "tail": float((~np.isin(words, common)).mean()) if len(words) else 0.0,
            "novelty": float(novel.mean()) if len(novel) else 0.0,
        }
        return found if self.vectors is None else {**found, "vendi": vendi(self.vectors[at])}

    def words_of(self, at: AnyArray) -> tuple[AnyArray, AnyArray]:
        """All words of the texts at these positions, and the text that each belongs to."""
        pieces = [self.words[self.offsets[i] : self.offsets[i + 1]] for i in at.tolist()]
        return np.concatenate(pieces), np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])


def grams_of(words: AnyArray, text: AnyArray, n: int) -> AnyArray:
    """Hashes of the runs of n words that lie within one text."""
    if len(words) < n:
        return words[:0]
    factor = np.uint64(0x9E3779B97F4A7C15)
    mixed = words[: len(words) - n + 1].copy()
    for k in range(1, n):
        mixed = (mixed ^ (mixed >> np.uint64(29))) * factor + words[k : len(words) - n + 1 + k]
    within: AnyArray = mixed[text[n - 1 :] == text[: len(text) - n + 1]]
    return within
