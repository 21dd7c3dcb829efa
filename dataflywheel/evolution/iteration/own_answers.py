"""A row's prompt put to a model as its user would put it."""

from __future__ import annotations

from dataflywheel.models.endpoint.request import Request, Sampling
from dataflywheel.rows.formats.written_turns import asked_turns
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import split_answer


def own_request(row: Row, sampling: Sampling, sample: int) -> Request:
    """All turns before the final answer, as they are: the model is to answer them, and nothing else is read from it."""
    before, _ = split_answer(row["messages"])
    return Request(asked_turns(before), tools=row["tools"], sampling=sampling, sample=sample)
