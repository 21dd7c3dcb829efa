"""Examples as a trainer reads them: tokens, and labels on what is learned only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from dataflywheel.contracts import FloatArray, UsageError
from dataflywheel.models.language.losses import IGNORED
from dataflywheel.models.templates.encoded import EncodedRow

Example = dict[str, Any]
Losses = Callable[[Sequence[Example]], list[FloatArray]]
"""Nats of each answer token of the given examples under the model as it is now."""


def example(row: EncodedRow) -> Example:
    """What the trainer reads: tokens, and labels on what is learned only."""
    labels = [IGNORED] * len(row.ids)
    for span in row.spans:
        labels[span.start : span.end] = row.ids[span.start : span.end]
    return {"input_ids": row.ids, "labels": labels}


def learnable(found: Sequence[EncodedRow]) -> list[EncodedRow]:
    """The examples that have tokens.

    Raises:
        UsageError: none has.
    """
    encoded = [one for one in found if one.ids]
    if encoded:
        return encoded
    reasons = Counter(one.reason for one in found).most_common(3)
    told = "; ".join(f"{count} rows: {reason}" for reason, count in reasons) or "there is no row"
    raise UsageError(f"none of {len({one.row for one in found})} rows can be learned: {told}")
