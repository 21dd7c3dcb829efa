"""The model that wrote a row, as the data set said from which it was read: kept beside it, told with its lineage."""

from __future__ import annotations

import orjson

from dataflywheel.rows.formats.draft import Draft, Record
from dataflywheel.rows.schema import Row

OURS = "flywheel"
"""The key of records under which stands what only we write."""


def model_of(extra: str) -> str:
    """The model that wrote a row which was read from a data set, as that said it."""
    if OURS not in extra or '"model"' not in extra:
        return ""
    held = orjson.loads(extra).get(OURS)
    model = held.get("model", "") if isinstance(held, dict) else ""
    return model if isinstance(model, str) else ""


def without_model(row: Row) -> Row:
    """The row without what it says of a model, which is lineage and stands with it."""
    if not model_of(row["extra"]):
        return row
    extra = orjson.loads(row["extra"])
    del extra[OURS]["model"]
    extra = {key: value for key, value in extra.items() if key != OURS or value}
    return {**row, "extra": orjson.dumps(extra, option=orjson.OPT_SORT_KEYS).decode()}


def extra_of(draft: Draft, facts: Record) -> Record:
    """All that a row keeps beside what it teaches; the model that wrote it under `flywheel`."""
    extra = {**draft.extra, **facts["extra"]} if "extra" in facts else draft.extra
    if not facts.get("model"):
        return extra
    ours = extra.get(OURS)
    return {**extra, OURS: {**(ours if isinstance(ours, dict) else {}), "model": facts["model"]}}
