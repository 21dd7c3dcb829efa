"""Demands, and what a question shows, for the tests of rewriters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dataflywheel.models.endpoint.request import Request
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.schema import Row
from tests.models.endpoint.fake import parts_of

MODEL = ModelSpec(endpoint="http://localhost:1/v1", model="editor")


def demand(rows: Sequence[Row], turn: int = 0) -> Demand:
    return Demand(tuple(rows), (turn,) * len(rows), (), np.random.default_rng(0))


def shown(request: Request, part: str) -> str:
    """The text of one quoted part of a question, "" where it has none of that name."""
    return parts_of(request).get(part, "")


def answer_of(proposal: Proposal) -> str:
    assert proposal.row is not None, proposal.failure
    return proposal.row["messages"][-1]["content"]
