"""New rows with where they come from."""

from __future__ import annotations

from collections.abc import Iterable

from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row


def child(method: str, parent: Row, prompt: str, answer: str, others: Iterable[Row] = ()) -> Row:
    """A one-turn row made from `parent` and, where there are, `others`: with the source and tags of `parent`."""
    return prompt_answer_row(
        prompt,
        answer,
        source=parent["source"],
        tags=parent["tags"],
        parents=list(dict.fromkeys([parent["id"], *(row["id"] for row in others)])),
        made_by=method,
        round=parent["round"],
    )
