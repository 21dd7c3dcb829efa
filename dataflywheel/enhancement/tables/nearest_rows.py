"""What a cell should hold by the rows that are most like its own in all other columns."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray
from dataflywheel.enhancement.tables.columns import Column
from dataflywheel.enhancement.tables.predicted import Foretold, agreed

NEIGHBOURS = 5
HELD = 32_000_000
"""Cosines held at a time."""
JUDGED = 2_000
"""Rows with a value, drawn at random, by which it is found out how often this is right."""
_WORDS = re.compile(r"[^\W_]+")


def by_neighbours(table: Mapping[str, Column], name: str, seed: int = 0) -> Foretold:
    """The value that the most alike rows hold, by their cosines; `weight` is its share of these cosines times the
    greatest of them. Said of the rows that lack a value, and of 2,000 others to see how often it is right.

    Rows are compared by the words of their other cells, those of each column apart, rare ones counting more (cosine of
    term frequency times inverse document frequency); a row is never its own neighbour, and only rows that hold a value
    count.
    """
    of = table[name]
    known, lacking = ((of.codes >= 0).nonzero()[0], (of.codes < 0).nonzero()[0])
    rows = len(of.codes)
    best, weight, held = np.full(rows, -1), np.zeros(rows), np.zeros(rows)
    vectors = _vectors(table, name) if len(known) > 1 and len(lacking) else None
    if vectors is not None:
        drawn = np.random.default_rng(seed).permutation(known)[:JUDGED]
        asked, there = np.concatenate([lacking, drawn]), vectors[known]
        for part in np.array_split(asked, 1 + len(asked) * len(known) // HELD):
            near = (vectors[part] @ there.T).toarray()
            near[known[None, :] == part[:, None]] = -1.0
            best[part], weight[part], held[part] = _votes(near, of.codes[known], of.codes[part])
    return Foretold(best, weight, weight - held, agreed(of, best, weight), ())


def _votes(near: FloatArray, codes: AnyArray, own: AnyArray) -> tuple[AnyArray, FloatArray, FloatArray]:
    """For each row the value of the nearest ones, its weight, and that of the value which the row holds itself."""
    k = min(NEIGHBOURS, near.shape[1])
    top = np.argpartition(-near, k - 1, axis=1)[:, :k]
    cosine, said = np.maximum(np.take_along_axis(near, top, 1), 0.0), codes[top]
    total = np.maximum(cosine.sum(1), 1e-12)
    share = ((said[:, :, None] == said[:, None, :]) * cosine[:, None, :]).sum(2) / total[:, None]
    at, best = np.arange(len(near)), share.argmax(1)
    strongest = cosine.max(1)
    held = ((said == own[:, None]) * cosine).sum(1) / total
    return np.where(strongest > 0, said[at, best], -1), share[at, best] * strongest, held * strongest


def _vectors(table: Mapping[str, Column], name: str):  # type: ignore[no-untyped-def]  # a sparse matrix of SciPy
    """Rows of unit length (n, words); None where no other column has a word."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    others = [column for column in table.values() if column.name != name]
    said = [
        [f"{c} {word}" for c, column in enumerate(others) if not column.missing[i] for word in _parts(column.texts[i])]
        for i in range(len(table[name].texts))
    ]
    if not any(said):
        return None
    return TfidfVectorizer(analyzer=lambda words: words, dtype=np.float32).fit_transform(said)


def _parts(text: str) -> list[str]:
    """The words of a cell and the cell as a whole."""
    words = _WORDS.findall(text.lower())
    return [*words, text] if len(words) > 1 else words or [text]
