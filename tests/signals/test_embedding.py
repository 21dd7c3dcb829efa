from __future__ import annotations

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import Status
from dataflywheel.models.embedding.shared_embedder import shared_embedder
from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import message, table
from dataflywheel.signals.model.embedding import Embedding

ROWS = [
    prompt_answer_row("What is a glacier?", "A slow river of ice."),
    prompt_answer_row("   ", "An answer to nothing."),
    make_row([message("user", "A question without an answer")]),
    prompt_answer_row("Long", "words " * 400),
]
BATCH = table(ROWS).combine_chunks().to_batches()[0]


def measured(part: str, batch: pa.RecordBatch = BATCH) -> tuple[list[list[float] | None], list[int]]:
    found = Embedding(embedder=EmbedderSpec(builtin="minilm"), part=part).measure(batch)  # type: ignore[arg-type]
    return found["vector"].to_pylist(), list(found["status"])


def test_each_part_has_its_own_vector_and_an_absent_part_none() -> None:
    encode = shared_embedder(EmbedderSpec(builtin="minilm")).encode
    vectors, status = measured("prompt")
    assert status == [Status.OK, Status.EMPTY, Status.OK, Status.OK]
    assert vectors[1] is None
    np.testing.assert_allclose(vectors[0], encode(["What is a glacier?"])[0], atol=1e-6)
    vectors, status = measured("answer")
    assert status == [Status.OK, Status.OK, Status.EMPTY, Status.TRUNCATED]
    np.testing.assert_allclose(vectors[0], encode(["A slow river of ice."])[0], atol=1e-6)
    vectors, status = measured("all")
    assert status == [Status.OK, Status.OK, Status.OK, Status.TRUNCATED]
    np.testing.assert_allclose(vectors[0], encode(["What is a glacier?\n\nA slow river of ice."])[0], atol=1e-6)


def test_batch_and_order_change_nothing() -> None:
    vectors, status = measured("all")
    for i in range(len(ROWS)):
        one, how = measured("all", BATCH.slice(i, 1))
        assert how == [status[i]]
        np.testing.assert_allclose(one[0], vectors[i], atol=1e-6)


def test_parameters_are_part_of_the_key() -> None:
    keys = {Embedding(embedder=e, part=p).key() for e in ("minilm", "static") for p in ("all", "prompt")}  # type: ignore[arg-type]
    assert len(keys) == 4
