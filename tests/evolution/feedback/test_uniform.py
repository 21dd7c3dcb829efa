"""Equal shares."""

from __future__ import annotations

import numpy as np

from dataflywheel.evolution.feedback.uniform import Uniform


def test_uniform_differs_by_one_at_most() -> None:
    found = Uniform().allocate([], ["c", "a", "b"], 11, np.random.default_rng(0)).amounts
    assert found == {"a": 4, "b": 4, "c": 3}
