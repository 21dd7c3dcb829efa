"""Covering by hand: its value, plain greedy, and vectors in clusters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.selection.columns import generator, unit


def value(similarity: Any, chosen: Any) -> float:
    chosen = list(chosen)
    return float(similarity[chosen].max(axis=0).sum(dtype=np.float64)) if chosen else 0.0


def plain_greedy(similarity: Any, budget: int) -> list[int]:
    chosen: list[int] = []
    best = np.zeros(similarity.shape[1], dtype=np.float32)
    for _ in range(budget):
        gains = np.maximum(similarity - best, 0).sum(axis=1, dtype=np.float64)
        gains[chosen] = -1
        chosen.append(int(gains.argmax()))
        best = np.maximum(best, similarity[chosen[-1]])
    return chosen


def clusters(n: int, centres: int, width: int = 16, noise: float = 0.3) -> Any:
    rng = generator(7)
    middle = unit(rng.standard_normal((centres, width)))
    return unit(middle[rng.integers(0, centres, n)] + noise / math.sqrt(width) * rng.standard_normal((n, width)))
