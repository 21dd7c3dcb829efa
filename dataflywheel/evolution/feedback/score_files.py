"""Scores of an evaluation on disk, one a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.evolution.feedback.evaluate import RowScores


def write_scores(path: Path, scores: RowScores) -> None:
    note = scores.note if len(scores.note) else np.full(len(scores.ids), "", dtype=object)
    columns = [pa.array(list(scores.ids)), list(scores.slices), scores.value, scores.weight, pa.array(list(note))]
    found = pa.table(columns, ["id", "slice", "value", "weight", "note"])
    if len(scores.answer):
        found = found.append_column("answer", pa.array(list(scores.answer), pa.string()))
    pq.write_table(found, path)


def read_scores(path: Path) -> RowScores:
    table = pq.ParquetFile(path).read()
    ids, slices = (np.asarray(table[name].to_pylist(), dtype=object) for name in ("id", "slice"))
    note = table["note"].to_pylist() if "note" in table.column_names else []  # older ones say none
    value, weight = table["value"].to_numpy(), table["weight"].to_numpy()
    answer = table["answer"].to_pylist() if "answer" in table.column_names else []
    return RowScores(ids, slices, value, weight, np.asarray(note, dtype=object), np.array(answer, dtype=object))
