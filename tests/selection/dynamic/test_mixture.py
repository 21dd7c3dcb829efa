from __future__ import annotations

import numpy as np
import pytest

from dataflywheel.contracts import UsageError, build
from dataflywheel.selection.dynamic.mixture import Mixture
from tests.selection.dynamic.draws import training_rows

ROWS = training_rows(1000, ["large"] * 900 + ["small"] * 90 + ["tiny"] * 10)


@pytest.mark.parametrize(
    ("sampler", "expected"),
    [
        (Mixture(), [0.9, 0.09, 0.01]),
        (Mixture(temperature=1e9), [1 / 3] * 3),
        (Mixture(temperature=2), np.sqrt([900, 90, 10]) / np.sqrt([900, 90, 10]).sum()),
        (Mixture(weights={"tiny": 3, "large": 1, "small": 0}), [0.25, 0, 0.75]),
    ],
)
def test_shares(sampler: Mixture, expected: list[float]) -> None:
    draw = sampler.start(ROWS, 50, 0)
    assert list(draw.summary()["weights"].values()) == pytest.approx(list(expected), abs=1e-6)
    sources = np.array(ROWS.sources)[np.concatenate([draw.candidates(50) for _ in range(200)])]
    found = [(sources == name).mean() for name in ("large", "small", "tiny")]
    assert found == pytest.approx(list(expected), abs=3 * np.sqrt(0.25 / 10_000))


def test_weights_name_every_source_and_no_other() -> None:
    with pytest.raises(UsageError, match="no row has source 'smal'; did you mean 'small'"):
        Mixture(weights={"large": 1, "smal": 1, "tiny": 1}).start(ROWS, 8, 0)
    with pytest.raises(UsageError, match="give the share of source 'tiny' too"):
        Mixture(weights={"large": 1, "small": 1}).start(ROWS, 8, 0)


@pytest.mark.parametrize(
    "wrong", [{"weights": {"a": 1.0}, "temperature": 2.0}, {"weights": {"a": -1.0, "b": 2.0}}, {"weights": {"a": 0.0}}]
)
def test_shares_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="mixture"):
        build(Mixture, wrong)
