"""What stands beside the text of a turn, and would change what is learned if it were left there."""

from __future__ import annotations

from dataflywheel.rows.formats.draft import ReadError, Record, texts_in
from dataflywheel.rows.formats.ends import whole_beside
from dataflywheel.rows.formats.prompt_names import DOCUMENTS

OUTSIDE = (*DOCUMENTS, "attachments", "analysis", "rejected", "rejected_response", "rejected_content")
"""Fields of a turn that hold what the model saw or thought beside its text, or a worse answer."""
WORDS = 3
"""A text of fewer words is a name or a note."""


def nothing_beside(turn: Record, said: str, role: str, field: str) -> None:
    """Check that the turn is whole, and that its text says what other fields of it hold.

    Raises:
        ReadError: the answer was cut off, or a field says more than the text.
    """
    if role == "assistant":
        whole_beside(turn, field)
    for key in OUTSIDE:
        if key not in turn:
            continue
        lost = (text for text in texts_in(turn[key]) if len(text.split(maxsplit=WORDS)) >= WORDS)
        if any(text.strip() not in said for text in lost):
            raise ReadError(
                f"{field}.{key}", "would be left out beside the text of its turn; write it into the text, or thoughts "
                "as reasoning_content, or a worse answer as a column rejected; or take it out",
            )  # fmt: skip
