"""What a reward as a signal gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from dataflywheel.rows.schema import Row, table


def measured(signal: Any, rows: list[Row]) -> tuple[list[float | None], list[int], list[str | None]]:
    found = signal.measure(table(rows).to_batches()[0])
    values = [None if np.isnan(value) else round(float(value), 3) for value in found["reward"]]
    return values, found["status"].tolist(), found["error"]
