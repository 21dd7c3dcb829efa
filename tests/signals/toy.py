"""A signal of a few lines, for tests of the machinery around signals; importable by Ray workers."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Signal, Status
from dataflywheel.rows.text import texts


class Toy(Signal):
    """Length and a three-dimensional vector; rows with an empty text are EMPTY, the word BOOM breaks the batch."""

    name: ClassVar[str] = "toy"
    columns: ClassVar[dict[str, pa.DataType]] = {"length": pa.int32(), "vector": pa.list_(pa.float32(), 3)}
    batch_size: ClassVar[int] = 64
    scale: float = 1.0

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        found = texts(batch["messages"])
        if any("BOOM" in text for text in found):
            raise ValueError("BOOM in a row")
        length = np.array([len(text) for text in found], dtype=np.int32)
        vector = np.stack([length, length * 2, length * 3], axis=1).astype(np.float32) * np.float32(self.scale)
        status = np.where(length == 0, Status.EMPTY, Status.OK).astype(np.uint8)
        return {"length": length, "vector": vector, "status": status}
