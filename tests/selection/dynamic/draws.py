"""Samplers without a model: losses made up by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, TrainingRows


def training_rows(
    n: int, sources: Sequence[str] | None = None, reference: Sequence[Any] | None = None, ids: Sequence[str] = ()
) -> TrainingRows:
    """`reference` holds each row's losses by token, empty for none."""
    known = None if reference is None else [np.asarray(one, dtype=np.float64) for one in reference]
    names = ids or [f"r{i:04d}" for i in range(n)]
    return TrainingRows(names, np.full(n, 8), sources or [""] * n, known)


def step(draw: Any, k: int, loss: FloatArray) -> AnyArray:
    """Positions that one step trains on, where every row's `loss` is known."""
    positions = draw.candidates(k)
    if len(positions) > k:
        positions = draw.next_batch(positions, loss[positions], k)
    return np.asarray(positions)
