"""The answers to a chat that stand beside it: the one, the better and the worse, or an endpoint's reply."""

from __future__ import annotations

from typing import Any

from dataflywheel.rows.formats.draft import Draft, ReadError, Record
from dataflywheel.rows.formats.flat import long, turns_of
from dataflywheel.rows.formats.names import (
    CHOSEN,
    COMPLETIONS,
    LESS,
    LISTS,
    REJECTED,
    SOLUTIONS,
    by_name,
    folded,
    others,
)
from dataflywheel.rows.formats.replies import is_reply, opened, replied
from dataflywheel.rows.schema import Message

CHAT = frozenset({"messages"})
REPLIES = ("response", "response_body", "completion", "output", "outputs", "choices", "reply", "result", "generation")
"""Columns that may hold an endpoint's reply to the turns."""


WORSE = ("rejected_messages", "rejected_response", "rejected_answer", "rejected")
"""Columns that hold the worse answer to a chat that ends with the better one (ms-swift)."""
ANSWERED = frozenset((*CHOSEN, *REJECTED, *WORSE, *REPLIES, *COMPLETIONS, *SOLUTIONS, *LESS, *LISTS))
"""Names of all that may be an answer to a chat."""


def answered(draft: Draft, record: Record) -> bool:
    """Take the answers beside a chat; whether there were any.

    Raises:
        ReadError: there are several, or others than the chat's own.
    """
    ended = draft.messages[-1]["role"] == "assistant"
    names = by_name(frozenset(record))
    better, lesser = (next((names[name] for name in known if name in names), "") for known in (CHOSEN, REJECTED))
    both = bool(better and lesser)
    if both and (not ended or isinstance(record[better], dict)):
        chosen, draft.rejected = (turns_of(record, key, "assistant", draft.media) for key in (better, lesser))
        del record[better], record[lesser]
        draft.prompt_turns = len(draft.messages)
        draft.messages = [*draft.messages, *chosen]
        return True
    if not ended:
        return answer_beside(draft, record)
    return (not both or says_again(record[better], draft.messages[-1])) and worse_beside(draft, record)


def answer_beside(draft: Draft, record: Record) -> bool:
    """Take the answer to the turns from a column beside them, where exactly one is named as an answer, or is a reply.

    Raises:
        ReadError: several columns are, or the reply is an error or cut off.
    """
    for key in REPLIES:
        if key in record and is_reply(answer := opened(record[key])):
            draft.messages = [*draft.messages, *replied(answer, key, draft.media)]
            del record[key]
            return True
    keys = [key for key in others(frozenset(record), CHAT) if record[key] not in ("", [], {})]
    held = [key for key in keys if folded(key) in COMPLETIONS]
    held = held or [key for key in keys if folded(key) in SOLUTIONS] or [key for key in keys if folded(key) in LESS]
    held = held or [key for key in keys if folded(key) in CHOSEN]
    if len(held) > 1:
        raise ReadError(held[1], f"an answer beside {held[0]}; say which: columns: {{answer: {held[0]}}}")
    held = held or [key for key in keys if folded(key) in LISTS and isinstance(record[key], list)]
    if not held or isinstance(record[held[0]], bool):
        return False
    answer = turns_of(record, held[0], "assistant", draft.media)
    if isinstance(record.pop(held[0]), str) and len(answer) == 1:
        draft.names["completion"] = held[0]
    draft.messages = [*draft.messages, *answer]
    return True


def worse_beside(draft: Draft, record: Record) -> bool:
    """Take the worse answer from a column beside a whole chat.

    Raises:
        ReadError: it is no answer, or a chat that goes another way before its last turn.
    """
    names = by_name(frozenset(record))
    key = next((names[name] for name in WORSE if name in names and worse(record[names[name]], name)), None)
    if key is None:
        return False
    turns = turns_of(record, key, "assistant", draft.media)
    cut = len(draft.messages) - 1
    rejected = turns if turns[0]["role"] == "assistant" else turns[cut:]
    if (
        len(rejected) != 1
        or rejected[0]["role"] != "assistant"
        or (len(turns) > 1 and turns[:cut] != draft.messages[:cut])
    ):
        raise ReadError(
            key, "expected one worse answer to the same turns; write the row as prompt, chosen and rejected"
        )
    draft.rejected, draft.prompt_turns = rejected, cut
    del record[key]
    return True


def says_again(chosen: Any, last: Message) -> bool:
    """Whether the better answer is the chat's last turn.

    Raises:
        ReadError: it is another answer.
    """
    if not isinstance(chosen, str | list | dict) or not chosen:
        return False
    turns = turns_of({"chosen": chosen}, "chosen", "assistant", [])
    if turns[-1]["content"] != last["content"]:
        raise ReadError("chosen", "another answer than the last turn of the chat; leave that turn or this column out")
    return True


def worse(value: Any, name: str) -> bool:
    """Whether a column of such a name holds an answer, and not whether the row was rejected."""
    return isinstance(value, list | dict) or (isinstance(value, str) and (name != "rejected" or long(value)))
