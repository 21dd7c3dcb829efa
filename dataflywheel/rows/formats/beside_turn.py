"""What stands beside the text of a turn, and would change what is learned if it were left there."""

from __future__ import annotations

from dataflywheel.rows.formats.draft import ReadError, Record, has_words, texts_in
from dataflywheel.rows.formats.ends import whole_beside
from dataflywheel.rows.formats.names import folded
from dataflywheel.rows.formats.prompt_names import DOCUMENTS
from dataflywheel.rows.formats.tool_calls import CALLS, canonical_calls
from dataflywheel.rows.formats.turn_thoughts import objects_in, read_thoughts
from dataflywheel.rows.schema import Message

OUTSIDE = (*DOCUMENTS, "attachments", "analysis", "rejected", "rejected_response", "rejected_content")
"""Fields of a turn that hold what the model saw or thought beside its text, or a worse answer."""
REPLIES = frozenset(("answer", "response", "completion", "output", "reply"))
"""Words in the names of what may hold the answer."""
WORDS = 3
"""A text of fewer words is a name or a note."""


def nothing_beside(turn: Record, said: str, role: str, field: str) -> None:
    """Check that the turn is whole, and that its text says what other fields of it hold.

    Raises:
        ReadError: the answer was cut off, or a field says more than the text.
    """
    if role == "assistant":
        whole_beside(turn, field)
        if not said:
            no_answer_within(turn, field)
    for key in OUTSIDE:
        if key not in turn:
            continue
        lost = (text for text in texts_in(turn[key]) if has_words(text, WORDS))
        if any(text.strip() not in said for text in lost):
            raise ReadError(
                f"{field}.{key}", "would be left out beside the text of its turn; write it into the text, or thoughts "
                "as reasoning_content, or a worse answer as a column rejected; or take it out",
            )  # fmt: skip


def no_answer_within(turn: Record, field: str) -> None:
    """Check that a turn that says nothing does not hold its answer in an object.

    Raises:
        ReadError: it does.
    """
    for path, held in objects_in(turn):
        for key, value in held.items():
            if not REPLIES.isdisjoint(folded(key).split("_")) and texts_in(value):
                raise ReadError(f"{field}.{path}.{key}", "an answer beside an empty content; write it as the content")


def beside_blocks(turns: list[Message], turn: Record, role: str, field: str, learn: bool | None) -> list[Message]:
    """Turns made of blocks with what stands beside the blocks: thoughts, calls, a name, whether they are learned.

    Raises:
        ReadError: it says something else than the blocks.
    """
    for one in turns:
        one["learn"] = learn
    own = next((one for one in turns if one["role"] == role), None)
    if own is None:
        return turns
    own["reasoning"] = read_thoughts(turn, field, own["content"], own["reasoning"]) or own["reasoning"]
    calls = next((turn[key] for key in CALLS if turn.get(key)), None)
    written = canonical_calls(calls, field) if calls else own["tool_calls"]
    if own["tool_calls"] not in (None, written):
        raise ReadError(f"{field}.tool_calls", "other calls than those in the content; keep one of them")
    own["tool_calls"] = written
    if isinstance(turn.get("name"), str):
        own["name"] = turn["name"]
    nothing_beside(turn, own["content"], role, field)
    return turns
