"""What signals that ask a model share: rows as questions, replies as columns with their cost, failures as failures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import AnyArray, Cost, PoolStatistics, Status
from dataflywheel.models.endpoint.account import client_for
from dataflywheel.models.endpoint.failure import passing
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.models.endpoint.structured import Asks
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.language_model import local_folder
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.schema import Message
from dataflywheel.rows.text import split_answer, text_of, transcript
from dataflywheel.signals.model.model_based import ModelBased

COST_COLUMNS: dict[str, pa.DataType] = {
    "calls": pa.int32(),
    "tokens": pa.int64(),
    "usd": pa.float64(),
    "keys": pa.list_(pa.string()),
}
"""What each row's value cost, whenever it was paid: requests, tokens in and out, dollars; and the keys of the replies
that it was read from, under which the answer store keeps them."""


@dataclass(frozen=True)
class Asked:
    """A row as it is asked about. A text over the limit is cut at its end, and `cut` says so."""

    id: str
    prompt: str
    answer: str
    turns: tuple[tuple[str, str], ...]
    """Each question with the answer that follows it, empty where there is none."""
    cut: bool = False


@dataclass(frozen=True)
class Rated:
    """What became of a row: `values` by column, or none and the `error` that says why; and all replies it took."""

    values: Mapping[str, Any] | None
    error: str = ""
    replies: tuple[Reply, ...] = ()


class Rating(ModelBased):
    """A signal whose values come from a model's answers. A row that got no readable answer holds none and says why."""

    uses_model: ClassVar[bool] = False  # not one of this machine's: batches may be measured side by side
    asks: ClassVar[bool] = True
    """Measuring spends on a model."""
    capabilities: ClassVar[tuple[str, ...]] = ("chat",)
    """What the model must offer."""
    batch_size: ClassVar[int] = 512
    texts_a_call: ClassVar[int] = 1
    """Rows of average length that one question shows, for the estimate."""
    question_tokens: ClassVar[int] = 300
    """Tokens of a question beside the texts, for the estimate."""
    answer_tokens: ClassVar[int] = 40
    """Tokens of an answer, for the estimate."""

    model: ModelSpec
    """The model that is asked."""
    max_chars: int = Field(default=24_000, ge=100)
    """Characters of each part of a row that are shown; a longer one is cut and the row marked as truncated."""

    @abstractmethod
    def rate(self, client: Asks, rows: Sequence[Asked]) -> list[Rated]:
        """One result for every row, in their order; rows have text. Pure per row."""

    def calls_a_row(self) -> int:
        """Questions about each row, for the estimate; one with several turns may take more."""
        return 1

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        return self.measure_with(client_for(self.model), batch)

    def measure_with(self, client: Asks, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        """`measure` by a client of one's own.

        Raises:
            UsageError: the model lacks a capability that this signal needs.
        """
        client.model.capabilities.require(self.capabilities, self.name, client.model.identity)
        messages = batch.column("messages").to_pylist()
        ids = batch.column("id").to_pylist()
        rows = [asked(id, row or [], self.max_chars) for id, row in zip(ids, messages, strict=True)]
        present = [row for row in rows if self.can_ask(row)]
        rated = iter([lasting(one) for one in self.rate(client, present)] if present else [])
        nothing = Rated(None)
        found = [next(rated) if self.can_ask(row) else nothing for row in rows]
        return self._columns(rows, found)

    def can_ask(self, row: Asked) -> bool:
        """Whether the row has what the question is about."""
        return bool(row.prompt.strip() and row.answer.strip())

    def _columns(self, rows: Sequence[Asked], found: Sequence[Rated]) -> dict[str, pa.Array | AnyArray]:
        values = {
            name: pa.array([None if one.values is None else one.values[name] for one in found], kind)
            for name, kind in self.columns.items()
            if name not in COST_COLUMNS
        }
        status = [
            Status.EMPTY
            if not self.can_ask(row)
            else Status.FAILED
            if one.values is None
            else Status.TRUNCATED
            if row.cut
            else Status.OK
            for row, one in zip(rows, found, strict=True)
        ]
        bills = [bill(one.replies) for one in found]
        cost = {name: pa.array([b[name] for b in bills], kind) for name, kind in COST_COLUMNS.items()}
        return {
            **values,
            **cost,
            "status": pa.array([int(s) for s in status], pa.uint8()),
            "error": pa.array([one.error or None for one in found], pa.string()),
        }

    def model_digest(self) -> str:
        return folder_digest(local_folder(self.model)) if self.model.hf is not None else ""

    def estimate(self, pool: PoolStatistics) -> Cost:
        calls = pool.rows * self.calls_a_row()
        read = calls * self.question_tokens + self.calls_a_row() * self.texts_a_call * pool.tokens
        written = calls * self.answer_tokens
        price = self.model.usd_per_mtok
        usd = (read * price.input + written * price.output) / 1e6 if price else 0.0
        return Cost(calls=calls, tokens=read + written, usd=usd)


def lasting(one: Rated) -> Rated:
    """The row as it is, or failed where one of its requests did not come to a lasting end."""
    why = passing(one.replies)
    return Rated(None, why, one.replies) if why else one


def asked(id: str, messages: Sequence[Message], max_chars: int) -> Asked:
    """A row as questions see it: all before the final answer, that answer, and its turns one by one."""
    before, final = split_answer(messages)
    cut = False

    def short(text: str) -> str:
        nonlocal cut
        cut |= len(text) > max_chars
        return text[:max_chars]

    prompt, answer = short(transcript(before)), short(text_of(final))
    turns: list[tuple[str, str]] = []
    waiting: list[Message] = []
    for message in messages:
        if message["role"] != "assistant":
            waiting.append(message)
        elif waiting:
            turns.append((short(transcript(waiting)), short(text_of([message]))))
            waiting = []
    if waiting:
        turns.append((short(transcript(waiting)), ""))
    return Asked(id, prompt, answer, tuple(turns), cut)


def bill(replies: Sequence[Reply]) -> dict[str, Any]:
    """Calls, tokens and dollars of the replies behind one value."""
    return {
        "calls": sum(reply.outcome is not Outcome.OVER_BUDGET for reply in replies),
        "tokens": sum(reply.tokens_in + reply.tokens_out for reply in replies),
        "usd": sum(reply.usd for reply in replies),
        "keys": [reply.key for reply in replies],
    }
