"""Weights of rows in a training: what they are, and what they are worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import FloatArray


def weights_of(rows: pa.Table) -> FloatArray | None:
    """How much each row counts (n,): its weight, 1 where it has none; None where all count alike."""
    if "weight" not in rows.schema.names:
        return None
    weight = rows["weight"].fill_null(1.0).to_numpy()
    return weight if len(set(weight.tolist())) > 1 else None


def scaled(weight: FloatArray, rows: Sequence[int]) -> FloatArray:
    """Weights of the examples that `rows` names (m,), 1 in the mean, so that a learning rate means what it did.

    >>> scaled(np.array([1.0, 9.0, 3.0]), [0, 0, 2]).round(2).tolist()
    [0.6, 0.6, 1.8]
    """
    found = weight[np.asarray(rows, dtype=np.int64)]
    mean = float(found.mean()) if len(found) else 0.0
    return np.asarray(found / mean) if mean else np.ones(len(found))


def weight_facts(weight: FloatArray) -> dict[str, float]:
    """The least and the greatest of weights, and how many rows of equal weight say as much: (sum w)^2 / sum w^2.

    >>> weight_facts(np.array([1.0, 1.0, 0.0, 2.0]))
    {'least': 0.0, 'greatest': 2.0, 'effective_rows': 2.7}
    """
    squares = float((weight**2).sum())
    rows = float(weight.sum()) ** 2 / squares if squares else 0.0
    least, greatest = (float(weight.min()), float(weight.max())) if len(weight) else (0.0, 0.0)
    return {"least": round(least, 4), "greatest": round(greatest, 4), "effective_rows": round(rows, 1)}
