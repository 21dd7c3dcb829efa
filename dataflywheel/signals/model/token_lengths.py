"""Exact lengths in the tokens of a model that is named."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
from pydantic import model_validator

from dataflywheel.contracts import AnyArray, Card, Signal, Status, UsageError
from dataflywheel.models.files import folder_digest, named_like_a_path, tokenizer_folder
from dataflywheel.models.language.pool_tokenizer import load_tokenizer
from dataflywheel.models.templates.chat import ChatFormat, chats_of
from dataflywheel.rows.text import part_of

LONGEST = 1 << 30
"""Nothing is cut."""


class TokenLengths(Signal):
    """How long rows are for a model's own tokenizer, where the estimate of `text` is not good enough.

    - `prompt`, `answer`: tokens of the texts alone, of what stands before the final answer and of that answer.
    - `whole`: tokens of the conversation as a training reads it, by the model's chat template; null where the tokenizer
      has none, or the template cannot show the row.

    `signals: {mine: {token_lengths: {tokenizer: ./my-model}}}` gives `mine.whole`, to bound in `filter`. Status EMPTY
    where a row has no text.
    """

    card: ClassVar[Card] = Card(
        title="Neural Machine Translation of Rare Words with Subword Units",
        authors="Sennrich et al.",
        year=2016,
        paper="1508.07909",
        category="signals",
        subcategory="model",
        summary="Exact lengths in tokens of a named tokenizer, of the texts and of the whole conversation.",
        cost="¢",
        checked="plain transformers: each text by itself, and the conversation by apply_chat_template",
        pays="A context or a price that must hold to the token, and scripts or code where the estimate of `text` is "
        "off.",
        fails="Its counts hold for this tokenizer and template alone, and are null where the template cannot show a "
        "row: to choose by length take `text`.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"prompt": pa.int32(), "answer": pa.int32(), "whole": pa.int32()}
    uses_model: ClassVar[bool] = True

    tokenizer: str
    """A folder that holds a tokenizer, such as the model's, or a hub name, from which no weights are fetched."""

    @model_validator(mode="after")
    def _there(self) -> Self:
        if named_like_a_path(self.tokenizer):
            try:
                tokenizer_folder(self.tokenizer)
            except UsageError as error:
                raise ValueError(f"tokenizer: {error}") from None
        return self

    def model_digest(self) -> str:
        return folder_digest(tokenizer_folder(self.tokenizer))

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        tokenizer = load_tokenizer(tokenizer_folder(self.tokenizer))
        rows = batch["messages"].to_pylist()
        found: dict[str, pa.Array | AnyArray] = {}
        empty = np.array([not part_of(row, "all").strip() for row in rows], dtype=bool)
        for name in ("prompt", "answer"):
            texts = [part_of(row, name) for row in rows]
            ids = tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
            found[name] = pa.array(np.array([len(one) for one in ids], dtype=np.int32), mask=empty)
        whole = np.zeros(len(rows), dtype=np.int32)
        if tokenizer.chat_template is not None:
            for one in ChatFormat(tokenizer).examples(chats_of(batch), LONGEST, "last"):
                whole[one.row] += len(one.ids)
        found["whole"] = pa.array(whole, mask=whole == 0)
        return found | {"status": np.where(empty, Status.EMPTY, Status.OK).astype(np.uint8)}
