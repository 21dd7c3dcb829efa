"""The signal on labels of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dataflywheel.contracts import Status, UsageError
from dataflywheel.signals.safety.toxicity import Toxicity
from tests.signals.rows import batch
from tests.signals.toxic_words import label_file, sentences


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_CACHE", str(tmp_path / "cache"))


def test_scores_and_status(tmp_path: Path) -> None:
    signal = Toxicity(labels=label_file(tmp_path / "labels.jsonl"))
    planted = sentences(50, seed=3)
    rows = batch([("Say:", text) for text, _ in planted] + [("", "")])
    found = {name: pa.array(values, from_pandas=True) for name, values in signal.measure(rows).items()}
    assert found["toxic"].to_pylist() == [int(toxic) for _, toxic in planted] + [None]
    assert found["status"].to_pylist() == [Status.OK] * 50 + [Status.EMPTY]
    assert found["score"].null_count == 1
    again = signal.measure(rows.slice(10, 5))["score"]
    np.testing.assert_array_equal(again, found["score"].to_numpy(zero_copy_only=False)[10:15])


def test_the_key_follows_the_labels_and_not_their_place(tmp_path: Path) -> None:
    first, moved = label_file(tmp_path / "a.jsonl", 100), label_file(tmp_path / "b.jsonl", 100)
    more = label_file(tmp_path / "c.jsonl", 110)
    digests = [Toxicity(labels=path).model_digest() for path in (first, moved, more)]
    assert digests[0] == digests[1] != digests[2]
    assert Toxicity(labels=first, neutral=True).model_digest() != digests[0]


def test_a_missing_file_of_labels_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.jsonl does not exist; give a file of rows with a `label` each"):
        Toxicity(labels=tmp_path / "none.jsonl").measure(batch([("a", "b")]))
