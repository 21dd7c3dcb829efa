from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer

from dataflywheel.contracts import AnyArray
from dataflywheel.enhancement.preparation.semantic_copies import semantic_duplicates
from tests.signals.rows import p3


def mixture(rows: int, width: int, seed: int, copies: float = 0.1) -> AnyArray:
    """Clusters around centres, a share of the rows close to another row."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(2, rows // 150), width))
    vectors = centres[rng.integers(0, len(centres), rows)] + 0.9 * rng.normal(size=(rows, width))
    chosen = rng.permutation(rows)[: 2 * int(rows * copies)]
    to, origin = np.split(chosen, 2)
    vectors[to] = vectors[origin] + rng.uniform(0.1, 0.7, (len(to), 1)) * rng.normal(size=(len(to), width))
    return vectors.astype(np.float32)


def brute_force(vectors: AnyArray, threshold: float) -> list[bool]:
    unit = vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    kept: list[int] = []
    for i in range(len(unit)):
        if not kept or (unit[kept] @ unit[i]).max() < threshold:
            kept.append(i)
    return [i in set(kept) for i in range(len(unit))]


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 120), st.integers(0, 10**6), st.sampled_from([0.5, 0.9, 0.95]))
def test_exact_search_is_keep_first(rows: int, seed: int, threshold: float) -> None:
    vectors = mixture(rows, 8, seed)
    found = semantic_duplicates(vectors, threshold)
    assert found.kept.tolist() == brute_force(vectors, threshold)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for row, other, cosine in zip(found.dropped, found.copy_of, found.similarity, strict=True):
        assert other < row
        assert found.kept[other]
        assert cosine == pytest.approx(float(unit[row] @ unit[other]), abs=1e-5)
        assert cosine == pytest.approx(float((unit[:row] @ unit[row])[found.kept[:row]].max()), abs=1e-5)


@pytest.mark.parametrize("threshold", [0.9, 0.95])
def test_cells_find_what_all_pairs_find(threshold: float) -> None:
    vectors = mixture(12_000, 64, seed=3)
    exact = semantic_duplicates(vectors, threshold)
    cells = semantic_duplicates(vectors, threshold, exact_below=0)
    assert len(exact.dropped) > 500
    assert np.isin(exact.dropped, cells.dropped).mean() >= 0.995
    assert np.isin(cells.dropped, exact.dropped).mean() >= 0.995


@pytest.mark.slow
def test_recall_on_fifty_thousand_rows() -> None:
    vectors = mixture(50_000, 256, seed=0)
    exact = semantic_duplicates(vectors, 0.9, exact_below=10**9)
    cells = semantic_duplicates(vectors, 0.9)
    recall = np.isin(exact.dropped, cells.dropped).mean()
    print(f"semantic recall {recall:.5f} of {len(exact.dropped)}")
    assert len(exact.dropped) > 2000
    assert recall >= 0.995


@pytest.mark.slow
@pytest.mark.parametrize("threshold", [0.9, 0.95])
def test_recall_on_real_texts(data: Path, threshold: float) -> None:
    """Latent semantic vectors of 43,388 texts, most of which are copies of each other by this measure."""
    words = HashingVectorizer(n_features=1 << 15, stop_words="english").transform(p3(data))
    vectors = TruncatedSVD(128, random_state=0, n_iter=2).fit_transform(words).astype(np.float32)
    exact = semantic_duplicates(vectors, threshold, exact_below=10**9)
    recall = np.isin(exact.dropped, semantic_duplicates(vectors, threshold).dropped).mean()
    print(f"semantic recall {recall:.5f} of {len(exact.dropped)}")
    assert recall >= 0.995


def test_same_seed_same_result_and_scale_does_not_matter() -> None:
    vectors = mixture(5000, 32, seed=5)
    first = semantic_duplicates(vectors, 0.9, exact_below=0, seed=7)
    again = semantic_duplicates(vectors * 8, 0.9, exact_below=0, seed=7)
    assert np.array_equal(first.kept, again.kept)
    assert np.array_equal(first.copy_of, again.copy_of)


def test_rows_without_a_direction_are_never_copies() -> None:
    vectors = np.array([[1, 0], [np.nan, 1], [0, 0], [1, 0], [0, 0], [np.nan, 1]], dtype=np.float32)
    found = semantic_duplicates(vectors, 0.9)
    assert found.dropped.tolist() == [3]
    assert found.copy_of.tolist() == [0]
    assert semantic_duplicates(np.zeros((0, 4), dtype=np.float32)).kept.tolist() == []


def test_equal_rows_reach_a_threshold_of_one() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 384)).astype(np.float32)
    found = semantic_duplicates(np.concatenate([vectors, vectors, vectors]), 1.0)
    assert found.dropped.tolist() == list(range(50, 150))
    assert found.copy_of.tolist() == [*range(50), *range(50)]


def test_chain_keeps_what_only_resembles_a_dropped_row() -> None:
    angles = np.deg2rad([0, 20, 40])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert semantic_duplicates(vectors, 0.9).kept.tolist() == [True, False, True]
