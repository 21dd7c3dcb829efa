from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.contracts import Status
from dataflywheel.models.embedding.shared_embedder import shared_embedder
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import table
from dataflywheel.signals.model.agreement import Agreement


def measured(pairs: list[tuple[str, str]]) -> dict[str, pa.Array | np.ndarray]:  # type: ignore[type-arg]
    rows = table([prompt_answer_row(p, a) for p, a in pairs]).combine_chunks().to_batches()[0]
    return Agreement().measure(rows)


def test_cosine_is_that_of_the_two_vectors_and_missing_without_either() -> None:
    found = measured([("What is ice?", "Frozen water."), ("", "Frozen water."), ("What is ice?", " ")])
    a, b = shared_embedder(EmbedderSpec(builtin="minilm")).encode(["What is ice?", "Frozen water."])
    assert abs(found["cosine"][0] - a @ b) < 1e-5
    assert np.isnan(found["cosine"][1:]).all()
    assert list(found["status"]) == [Status.OK, Status.EMPTY, Status.EMPTY]


def test_an_exchanged_answer_agrees_less(data: Path) -> None:
    rows = pq.read_table(data / "alpaca_pool" / "alpaca_pool.parquet").slice(1000, 60).to_pylist()
    rows = [row for row in rows if not row["input"] and row["output"]]
    right = [(row["instruction"], row["output"][:400]) for row in rows]
    wrong = [(a[0], b[1]) for a, b in zip(right, right[1:] + right[:1], strict=True)]
    clean, swapped = measured(right)["cosine"], measured(wrong)["cosine"]
    assert (clean[:, None] > swapped[None]).mean() > 0.85
