from __future__ import annotations

import numpy as np

from dataflywheel.selection.dynamic.in_order import InOrder
from tests.selection.dynamic.draws import training_rows


def test_every_epoch_runs_through_the_rows_as_they_were_given() -> None:
    draw = InOrder().start(training_rows(10), 4, seed=3)
    steps = [draw.candidates(k).tolist() for k in (4, 4, 2) * 3]
    assert steps[:3] == steps[3:6] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert np.concatenate(steps).tolist() == [*range(10)] * 3
