"""The shapes that a record may have, and which one a record is of."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from dataflywheel.contracts import UsageError, nearest
from dataflywheel.rows.formats.alpaca import Alpaca
from dataflywheel.rows.formats.beside import FORM, OURS
from dataflywheel.rows.formats.canonical import Canonical
from dataflywheel.rows.formats.chats import Chats
from dataflywheel.rows.formats.columns import Columns
from dataflywheel.rows.formats.conversation import Conversation
from dataflywheel.rows.formats.draft import CannotHold, ReadError, Record, texts_in
from dataflywheel.rows.formats.flat import left_over
from dataflywheel.rows.formats.logs import Logs
from dataflywheel.rows.formats.lone_turns import TOGETHER, is_conversation
from dataflywheel.rows.formats.names import others
from dataflywheel.rows.formats.oasst_tree import OasstTree
from dataflywheel.rows.formats.openai_messages import OpenAIMessages
from dataflywheel.rows.formats.preference import ImplicitPreference, Preference, TurnsPreference
from dataflywheel.rows.formats.prompt_completion import Prompt, PromptCompletion, TurnsCompletion
from dataflywheel.rows.formats.proposal import propose
from dataflywheel.rows.formats.ranked import Ranked
from dataflywheel.rows.formats.self_instruct import SelfInstruct
from dataflywheel.rows.formats.shape import Shape
from dataflywheel.rows.formats.sharegpt import ShareGPT
from dataflywheel.rows.formats.spans import Spans
from dataflywheel.rows.formats.spoken_text import SpokenText
from dataflywheel.rows.formats.table import Table
from dataflywheel.rows.formats.text import Text
from dataflywheel.rows.formats.tool_answers import ToolAnswers
from dataflywheel.rows.formats.transcript import Transcript
from dataflywheel.rows.schema import Row, message

OF_NAMED = ("message", "children", "Human")
"""What a turn has that stands under a name of its own."""

__all__ = ["SHAPES", "CannotHold", "ReadError", "Record", "Shape", "detect", "holding", "shape_named"]

TABLE = Table()
# The first that matches is taken, so what is told by more or rarer keys comes before what is told by fewer.
SHAPES: tuple[Shape, ...] = (
    Canonical(),
    OasstTree(),
    SelfInstruct(),
    ShareGPT(),
    OpenAIMessages(),
    Alpaca("alpaca", "input", "output"),
    Ranked(),
    ToolAnswers(),
    Spans(),
    Logs(),
    Transcript(),
    TurnsPreference(),
    ImplicitPreference(),
    Preference(),
    PromptCompletion("prompt", "completion"),
    TurnsCompletion(),
    PromptCompletion("prompt", "response"),
    Alpaca("dolly", "context", "response"),
    PromptCompletion("question", "answer"),
    PromptCompletion("query", "response"),
    Prompt(),
    Text(),
    Chats(),
    SpokenText(),
    Columns(),
    TABLE,
)


@lru_cache(maxsize=4096)
def candidates(keys: frozenset[str]) -> tuple[tuple[Shape, tuple[str, ...]], ...]:
    """The shapes that a record with these keys may be of, each with the keys that would be left over by their name."""
    return tuple((shape, others(keys, shape.own) if shape.own else ()) for shape in SHAPES if shape.matches(keys))


@lru_cache(maxsize=4096)
def _sure(keys: frozenset[str]) -> Conversation | None:
    """The chat that a record with these keys is, whatever it holds, unless the chat's own field is null."""
    found = candidates(keys)
    shape, doubts = found[0] if len(found) == 1 else (None, ())
    return shape if isinstance(shape, Conversation) and not doubts else None


def detect(record: Record) -> Shape:
    """The shape of a record, told from its keys; a field that is null is absent.

    Raises:
        ReadError: no shape has such keys.
    """
    if type(ours := record.get(OURS)) is dict and ours.get(FORM) == Table.name:
        return TABLE
    chat = _sure(frozenset(record))
    if chat is not None and record[chat.key] is not None:
        return chat
    if None in record.values():
        record = {key: value for key, value in record.items() if value is not None}
    found = candidates(frozenset(record))
    for shape, doubts in found:
        sure = len(found) == 1 and shape.by_keys and not doubts
        if sure or (shape.accepts(record) and not (doubts and loses(record, shape, doubts))):
            return shape
    raise ReadError("", unknown(record))


def loses(record: Record, shape: Shape, doubts: tuple[str, ...]) -> bool:
    """Whether one of the doubtful fields says what the shape's own do not."""
    own = [text for key in shape.own if key in record for text in texts_in(record[key])]
    pair = "chosen" in shape.own and {"chosen", "rejected"} <= record.keys()
    return left_over(record, doubts, [message("", text) for text in own], pair) is not None


def unknown(record: Record) -> str:
    """Why a record is of no shape."""
    keys = ", ".join(list(record)[:12]) or "none"
    if is_conversation([record]):
        return f"one turn, of the {record.get('role', record.get('from'))}; {TOGETHER}"
    turn = next((value for value in record.values() if isinstance(value, dict) and is_conversation([value])), None)
    if turn is not None and not any(isinstance(value, list) for value in record.values()):
        return f"one turn, of the {turn.get('role', turn.get('from'))}; {TOGETHER}"
    named = next((key for key, value in record.items() if holds_named_turns(value)), None)
    if named is not None:
        return f"{named} holds turns by name, and which follows which is not read; {TOGETHER}"
    proposal = propose(record)
    if proposal:
        return f"no known shape has the keys {keys}; try {proposal}"
    return (
        f"no known shape has the keys {keys}; expected such as messages, conversations, "
        "instruction and output, prompt and completion, chosen and rejected, or text"
    )


def holds_named_turns(value: Any) -> bool:
    """Whether a value holds the turns of a chat as a tree (ChatGPT's export) or by number (MOSS), and not as a list."""
    held = list(value.values()) if isinstance(value, dict) else []
    return bool(held) and all(isinstance(one, dict) and not one.keys().isdisjoint(OF_NAMED) for one in held)


def shape_named(name: str) -> Shape:
    """The shape of that name.

    Raises:
        UsageError: there is none.
    """
    for shape in SHAPES:
        if shape.name == name:
            return shape
    raise UsageError(f"no format {name!r}{nearest(name, [shape.name for shape in SHAPES])}")


def holding(row: Row) -> str:
    """The name of a shape that has a place for all of the row; canonical has one for every row."""
    for name in (*([Table.name] if row["cells"] else []), "messages", "turns_preference", "sharegpt"):
        try:
            shape_named(name).write(row)
        except CannotHold:
            continue
        return name
    return "canonical"
