"""How hard an exchange is to a student: what the prompt does for its answer, and the answer for its prompt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dataflywheel.contracts import FloatArray, Status
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.templates.chat import Chat, chat_of
from dataflywheel.proposing.rewritten import exchange_of
from dataflywheel.rows.schema import Row, message

GUESS = "Which instruction is this an answer to?"
"""What stands behind an answer whose instruction is to be predicted."""


def ratios(model: LanguageModel, chats: Sequence[Chat], max_length: int) -> FloatArray:
    """Perplexity of each last answer given what stands before it over that of the answer alone, shape (n,). NaN where
    the conversation is longer than `max_length` tokens, has no answer, or cannot be shown by the model's template."""
    if not chats:
        return np.zeros(0)
    rows = model.encode(chats, max_length)
    given = model.answer_scores(rows).loss.astype(np.float64)
    alone = model.answer_scores(rows, alone=True).loss.astype(np.float64)
    whole = np.asarray([row.status == Status.OK for row in rows])
    with np.errstate(over="ignore", invalid="ignore"):
        value = np.exp(given - alone)
    return np.where(whole & np.isfinite(value), value, np.nan)


def difficulty(model: LanguageModel, rows: Sequence[Row], max_length: int) -> FloatArray:
    """Instruction-following difficulty of each row, shape (n,): how little its turns before help to predict its
    answer."""
    return ratios(model, [chat_of(row["messages"], row["tools"], None, None) for row in rows], max_length)


def reversed_difficulty(model: LanguageModel, rows: Sequence[Row], max_length: int) -> FloatArray:
    """The same the other way round, shape (n,): how little the answer helps to predict the last instruction."""
    asked = [exchange_of(row) for row in rows]
    turned = [[message("user", f"{one.answer}\n\n{GUESS}"), message("assistant", one.instruction)] for one in asked]
    return ratios(model, [chat_of(turns, None, None, None) for turns in turned], max_length)
