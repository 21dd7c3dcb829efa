"""What written texts add to those they were written from: how new their words are, how far off, how alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray
from dataflywheel.evolution.iteration.diversity import NOVEL, grams_of
from dataflywheel.signals.words.shingles import word_hashes

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FEWEST = 8
"""Texts on either side, below which nothing is said."""
MOST = 1000
"""Texts of a side that are looked at, its first: the distances are of all against all."""


@dataclass(frozen=True)
class Coverage:
    """Shares from 0 to 1, by words without case or spacing; what is new is what a student may gain."""

    new: float
    """Of the runs of four words in the written texts, those that no seed has: 0 for copies."""
    distance: float
    """Mean over the written texts of one less the cosine of their words with the nearest seed's: 0 for copies."""
    shared: float
    """Of the runs of four words in the written texts, those that another one has too: 1 where all are alike."""
    seeds_distance: float
    """`distance` of the seeds among themselves, each with the nearest other: what is usual for texts of this kind."""
    seeds_shared: float
    """`shared` of the seeds."""


def coverage(written: Sequence[str], seeds: Sequence[str]) -> Coverage | None:
    """The measures of the first 1,000 texts of either side; None for fewer than eight written ones or different seeds.

    The view is that of "Towards a Theoretical Understanding of Synthetic Data in LLM Post-Training" (arXiv 2410.01720):
    what a student can gain is what the writer adds to the seeds. These are surface measures of it, not the bound.
    """
    own, others = list(written)[:MOST], list(dict.fromkeys(seeds))[:MOST]
    if len(own) < FEWEST or len(others) < FEWEST:
        return None
    (a, at_a), (b, at_b) = _grams(own), _grams(others)
    vectors = _vectors([*own, *others])
    ours, theirs = vectors[: len(own)], vectors[len(own) :]
    among = (theirs @ theirs.T).toarray()
    np.fill_diagonal(among, -1.0)
    return Coverage(
        new=float((~np.isin(a, b)).mean()) if len(a) else 0.0,
        distance=_away((ours @ theirs.T).toarray()),
        shared=_shared(a, at_a),
        seeds_distance=_away(among),
        seeds_shared=_shared(b, at_b),
    )


def _grams(texts: Sequence[str]) -> tuple[AnyArray, AnyArray]:
    """Hashes of the runs of four words, and the text that each is of."""
    words, offsets = word_hashes(texts)
    text = np.repeat(np.arange(len(texts)), np.diff(offsets))
    within = text[NOVEL - 1 :][text[NOVEL - 1 :] == text[: len(text) - NOVEL + 1]] if len(text) >= NOVEL else text[:0]
    return grams_of(words, text, NOVEL), within


def _shared(grams: AnyArray, texts: AnyArray) -> float:
    """Share of the grams that occur in more than one text."""
    if not len(grams):
        return 0.0
    kinds, of = np.unique(grams, return_inverse=True)
    pairs = np.unique(np.stack([of, texts], axis=1), axis=0)[:, 0]
    return float((np.bincount(pairs, minlength=len(kinds))[of] > 1).mean())


def _vectors(texts: Sequence[str]) -> csr_array:
    """Words of each text as a row of length 1 (or 0 for one without words), over all words there are."""
    from scipy.sparse import csr_array

    words, offsets = word_hashes(texts)
    kinds, column = np.unique(words, return_inverse=True)
    counts = csr_array((np.ones(len(words)), column, offsets), shape=(len(texts), max(1, len(kinds))))
    counts.sum_duplicates()
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    counts.data /= np.repeat(np.maximum(length, 1e-12), np.diff(counts.indptr))
    return counts


def _away(similarity: FloatArray) -> float:
    """Mean of one less the largest of each row."""
    return float(1 - np.clip(similarity.max(axis=1), 0, 1).mean())
