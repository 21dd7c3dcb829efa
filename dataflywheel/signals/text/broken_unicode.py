"""How much of a row was decoded wrongly."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Card, Signal, Status
from dataflywheel.rows.in_place import said_anew
from dataflywheel.signals.text.unicode_repair import repaired


class BrokenUnicode(Signal):
    """Column `texts`: how many texts of a row (what turns say and think, cells of a table) were decoded wrongly.

    Counted are those that `repair_unicode` would change. 0 where all is well; status EMPTY, and no value, for a row
    without text.
    """

    card: ClassVar[Card] = Card(
        title="ftfy: fixes text for you",
        authors="Speer",
        year=2019,
        paper="10.5281/zenodo.2591652",
        category="signals",
        subcategory="text",
        summary="Texts of a row that were decoded in the wrong encoding.",
        checked="planted forms of broken text, and texts of ten scripts that only look odd",
        pays="Pools joined from many files and exports, to see before repair how many rows came through a wrong "
        "encoding.",
        fails="It finds what `repair_unicode` can undo: letters that were lost for `?` or boxes on the way are seen by "
        "neither, so go back to the source.",
    )
    reads: ClassVar[tuple[str, ...]] = ("messages", "rejected", "cells")
    columns: ClassVar[dict[str, pa.DataType]] = {"texts": pa.int32()}

    entities: bool = False
    """Count HTML entities in texts without a `<` as well."""

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        counts, empty = np.zeros(len(batch), dtype=np.int32), np.ones(len(batch), dtype=bool)
        for i, row in enumerate(batch.to_pylist()):

            def count(text: str, at: int = i) -> str:
                empty[at] &= not text.strip()
                counts[at] += (after := repaired(text, self.entities)) != text
                return after

            said_anew(row, count)
        status = np.where(empty, Status.EMPTY, Status.OK).astype(np.uint8)
        return {"texts": pa.array(counts, pa.int32(), mask=empty), "status": status}
