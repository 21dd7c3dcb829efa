"""Rows and clients for the tests of ratings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from dataflywheel.models.endpoint.account import account
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import message, table
from dataflywheel.store.answers import AnswerStore
from tests.support.endpoint import Endpoint

MODEL = ModelSpec(endpoint="http://localhost:1/v1", model="rater")


def rows(*pairs: tuple[str, str]) -> pa.RecordBatch:
    return batch_of(table([prompt_answer_row(*pair) for pair in pairs]))


def chats(*conversations: list[tuple[str, str]]) -> pa.RecordBatch:
    return batch_of(table([make_row([message(*turn) for turn in turns]) for turns in conversations]))


def batch_of(rows: pa.Table) -> pa.RecordBatch:
    return pa.RecordBatch.from_struct_array(rows.to_struct_array().combine_chunks())


def plain(found: dict[str, Any]) -> dict[str, list[Any]]:
    """Columns as lists of Python values."""
    return {name: list(pa.array(values).to_pylist()) for name, values in found.items()}


@contextmanager
def asking(endpoint: Endpoint, answers: Path, **spec: Any) -> Iterator[ModelSpec]:
    """The scripted endpoint as a model that signals in this process may ask, on a store in the folder `answers`."""
    with closing(AnswerStore(answers / "answers.db")) as store, account(store):
        yield ModelSpec(endpoint=endpoint.url, model="rater", **spec)
