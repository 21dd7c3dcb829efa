"""Seeds, demands and teachers in this process for the tests of generators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson

from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from tests.models.endpoint.fake import FakeClient, parts_of


def seeds(*pairs: tuple[str, str], tags: Sequence[str] = ("skill",)) -> tuple[Row, ...]:
    return tuple(prompt_answer_row(*pair, source="test", tags=tags) for pair in pairs)


def demand(
    rows: Sequence[Row], turn: int = 0, accepted: Sequence[Row] = (), wave: int = 0, turns: Sequence[int] | None = None
) -> Demand:
    given = tuple(turns) if turns is not None else (turn,) * len(rows)
    return Demand(tuple(rows), given, accepted, np.random.default_rng([7, wave]), wave)


def teacher(write: Callable[[dict[str, str], Request], dict[str, Any] | str | Reply]) -> FakeClient:
    """A model that answers questions about quoted material with the values that `write` gives.

    `write` gets no material for a plain prompt. A text or a reply is sent as it is.
    """

    def answer(request: Request) -> str | Reply:
        """A repair brings nothing better."""
        parts = parts_of(request)
        if set(parts) == {"error", "answer"}:
            return parts["answer"]
        said = write(parts, request)
        return orjson.dumps(said).decode() if isinstance(said, dict) else said

    return FakeClient(answer, json_schema=True)


def pairs_of(proposals: Sequence[Proposal]) -> list[tuple[str, str]]:
    """Prompt and answer of every proposal that has a row."""
    return [(p.row["messages"][0]["content"], p.row["messages"][-1]["content"]) for p in proposals if p.row]


def failures(proposals: Sequence[Proposal]) -> list[str]:
    """Why proposals have no row, up to the colon; every proposal has either."""
    assert all((p.row is None) == bool(p.failure) for p in proposals)
    return [p.failure.partition(":")[0] for p in proposals if p.row is None]
