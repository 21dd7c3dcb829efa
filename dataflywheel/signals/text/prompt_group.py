"""Prompt group: which rows are answers to the same prompt."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Card, Signal, Status
from dataflywheel.rows.identity import row_id
from dataflywheel.rows.text import split_answer


class PromptGroup(Signal):
    """Column `key`: 32 hex digits over everything before the final assistant turn, and the tools on offer.

    Equal prompts have equal keys (after Unicode NFC), and prompts that differ in as little as a sign do not. EMPTY, and
    no key, for a row without a prompt.
    """

    card: ClassVar[Card] = Card(
        title="The Best Instruction-Tuning Data are Those That Fit",
        authors="Zhang et al.",
        year=2025,
        paper="2502.04194",
        category="signals",
        subcategory="text",
        summary="A key that rows with the same prompt share.",
        checked="groups against comparing the messages themselves",
        pays="Several answers to one prompt, from several teachers or draws, of which `grape` keeps one.",
        fails="A blank or a sign more makes another prompt: tidy prompts before; `text.prompt_key` forgives case, "
        "spaces and punctuation and shows how much that is.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {"key": pa.string()}
    reads: ClassVar[tuple[str, ...]] = ("messages", "tools")

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        rows = zip(batch["messages"].to_pylist(), batch["tools"].to_pylist(), strict=True)
        prompts = [(split_answer(messages or [])[0], tools) for messages, tools in rows]
        keys = [row_id(prompt, None, tools, None) if prompt else None for prompt, tools in prompts]
        status = [Status.EMPTY if key is None else Status.OK for key in keys]
        return {"key": pa.array(keys, pa.string()), "status": np.array(status, dtype=np.uint8)}
