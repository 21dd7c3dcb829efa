"""How many rows of a pool are toxic by the user's own labels, and what such labels are worth beyond their kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.enhancement.toxicity.audit import false_alarms
from dataflywheel.rows.parts import iter_batches
from dataflywheel.signals.safety.toxicity import Toxicity


def pool_toxicity(rows: Path, labels: str) -> dict[str, Any]:
    """Counts by a classifier of the labelled rows in `labels`, and how it errs on sentences that only look hateful."""
    signal = Toxicity(labels=Path(labels))
    toxic, known = 0, 0
    for batch in iter_batches(rows, ["messages"]):
        found = pa.array(signal.measure(batch)["toxic"])
        toxic, known = toxic + (pc.sum(found).as_py() or 0), known + len(found) - found.null_count
    rate, classifier = signal.false_positive_rate, signal.classifier()
    alarms = false_alarms(classifier, classifier.threshold(rate))
    return {"labels": labels, "rows": known, "toxic": toxic, "false_positive_rate": rate, "false_alarms": alarms}
