"""Vectors of rows, from whichever column a selector was told to read."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Columns, FloatArray, UsageError

VectorColumn = Annotated[str, Field(pattern=r"^[^.\s]+\.[^.\s]+$")]
"""A column of vectors: a signal's name, a full stop, and its column: `embedding.vector`."""
UNIT = 1e-3
"""Vectors whose length is as near to 1 are unit vectors already."""


def vectors_of(columns: Columns, rows: AnyArray, name: str) -> FloatArray:
    """The vectors (m, d) of the rows at those positions, float32.

    Raises:
        UsageError: the column holds numbers or words.
    """
    held = columns[name]
    if held.ndim != 2:
        raise UsageError(f"{name} holds no vectors; name a column that does, such as embedding.vector")
    found: FloatArray = held[rows].astype(np.float32, copy=False)
    return found


def directions_of(columns: Columns, rows: AnyArray, name: str) -> FloatArray:
    """`vectors_of` at unit length, so that products are cosines; one of length zero stays zero.

    Raises:
        UsageError: the column holds numbers or words.
    """
    found = vectors_of(columns, rows, name)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    if (np.abs(length - 1) < UNIT).all():
        return found
    unit: FloatArray = found / np.where(length > 0, length, 1)
    return unit


def target_gradients() -> dict[str, dict[str, Any]]:
    """In what the vectors of evaluation rows differ, by signal, whatever name it stands under in a recipe: gradients
    of rows that are not trained on are plain ones, as LESS compares them."""
    return {"gradient_projection": {"direction": "gradient"}}
