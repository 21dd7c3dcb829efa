"""What a training cost, from the facts that are kept beside its model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflywheel.contracts import Cost


def training_cost(facts: Mapping[str, Any], batch_size: int) -> Cost:
    """Seconds, passes and tokens read. A pass is one row forwards or one backwards, as plans count them: each row that
    is learned is read both ways; rows that a sampler chooses among, validation rows and what a teacher reads, forwards.

    Facts of earlier versions count no rows: then every step is taken to have had `batch_size` of them.
    """
    asked, taught = facts.get("asked", {}), facts.get("taught", {})
    learned = facts.get("passes", facts["steps"] * batch_size)
    learned += asked.get("rehearsal_rows", asked.get("rehearsal_steps", 0) * batch_size)
    # A sampler that hears of validation rows has these among its candidates' tokens.
    offered = 0 if asked.get("validations") else facts.get("candidates_tokens", 0)
    beside = asked.get("rehearsal_tokens", 0) + asked.get("validation_tokens", 0) + taught.get("tokens", 0)
    read = asked.get("validation_rows", 0) + facts.get("candidates", 0) + taught.get("passes", 0)
    return Cost(
        seconds=round(facts["seconds"], 3),
        forward=learned + read,
        backward=learned,
        tokens=facts["tokens"] + offered + beside,
    )
