"""Density: sketch against exact sum, and a planted crowd."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from dataflywheel.selection.static.density import Density, exact_density, sketched_density
from tests.selection.columns import generator, unit, vectors_only


def mixture(sizes: Any, noise: float, width: int = 64, seed: int = 0) -> tuple[Any, Any]:
    """Unit vectors around random centres, `sizes[c]` of them, and the centre of each."""
    rng = generator(seed)
    label = np.repeat(np.arange(len(sizes)), sizes)
    centres = unit(rng.standard_normal((len(sizes), width)))
    return unit(centres[label] + noise / math.sqrt(width) * rng.standard_normal((len(label), width))), label


def zipf_sizes(total: int, groups: int) -> Any:
    share = 1 / np.arange(1, groups + 1) ** 0.8
    return np.maximum((share / share.sum() * total).astype(int), 1)


def test_exact_density_by_hand() -> None:
    # Two copies and a row at right angles: kernel 1 within, (1/2) ** 4 across.
    got = exact_density(np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32), 4)
    np.testing.assert_allclose(got, [1 + 1 / 16, 1 + 1 / 16, 2 / 16], rtol=1e-3)


def test_sketch_ranks_like_the_exact_sum() -> None:
    vectors, _ = mixture(zipf_sizes(5000, 200), noise=0.6)
    exact, sketch = exact_density(vectors, 13), sketched_density(vectors, 13, 500)
    assert spearmanr(exact, sketch)[0] > 0.9
    assert abs(np.log(sketch.sum() / exact.sum())) < 0.05


def test_a_cluster_planted_50_times_is_thinned() -> None:
    sizes = np.full(40, 20)
    sizes[7] *= 50
    vectors, label = mixture(sizes, noise=0.3)
    for parameters in ({}, {"exact_rows": 0}):
        counts = np.zeros(40)
        for seed in range(20):
            order = Density(**parameters).rank(vectors_only(vectors), 100, generator(seed)).order[:100]
            counts += np.bincount(label[order], minlength=40)
        others = np.delete(counts, 7).mean()
        assert 0.5 < counts[7] / others < 2, (parameters, counts[7], others)


def test_draws_follow_one_over_density() -> None:
    # A pair of copies against two singles: the first draw takes a given copy about half as often.
    vectors = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)
    weight = 1 / exact_density(vectors, 6)
    rng = generator()
    selector = Density(bits=6)
    first = [int(selector.rank(vectors_only(vectors), 1, rng).order[0]) for _ in range(4000)]
    np.testing.assert_allclose(np.bincount(first, minlength=4) / 4000, weight / weight.sum(), atol=0.03)
