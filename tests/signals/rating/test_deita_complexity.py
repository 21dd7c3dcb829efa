"""DEITA's complexity through a rater with planted grades."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataflywheel.signals.rating.deita_complexity import DeitaComplexity
from tests.signals.rating.support import asking, plain, rows
from tests.support.endpoint import Endpoint


def test_deita_through_the_endpoint(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "rater", "low": 1, "high": 6, "spread": 0.7}])
    truths = [1.0, 2.5, 3.0, 4.5, 6.0]
    batch = rows(*((f"Question [[truth:{t}]] {i}", "answer") for i, t in enumerate(truths)))
    with asking(endpoint, tmp_path, capabilities={"logprobs": True}) as spec:
        found = plain(DeitaComplexity(model=spec).measure(batch))
    scale = np.arange(1, 7)
    for truth, score in zip(truths, found["score"], strict=True):
        weight = np.exp(-((scale - truth) ** 2) / (2 * 0.7**2))
        assert score == pytest.approx(float((scale * weight).sum() / weight.sum()), abs=2e-3)
