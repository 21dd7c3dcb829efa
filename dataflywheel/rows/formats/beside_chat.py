"""What stands beside a chat and belongs to it: its answer, a worse one, a history, thoughts, marks for learning."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from dataflywheel.rows.formats.chat_answers import ANSWERED, answered
from dataflywheel.rows.formats.draft import Draft, ReadError, Record
from dataflywheel.rows.formats.flat import SWITCHES, long, said_by
from dataflywheel.rows.formats.history import history_turns
from dataflywheel.rows.formats.names import (
    COMPLETIONS,
    JUDGED,
    THOUGHTS,
    by_name,
    folded,
    quoted,
)
from dataflywheel.rows.formats.prompt_names import DOCUMENTS, HISTORY
from dataflywheel.rows.formats.replies import opened
from dataflywheel.rows.formats.tool_specs import take_tools
from dataflywheel.rows.formats.turn_thoughts import thoughts_in
from dataflywheel.rows.formats.turns import ROLES, speaker
from dataflywheel.rows.formats.two_chats import SAME_CHAT, one_chat
from dataflywheel.rows.formats.unnamed import unsaid
from dataflywheel.rows.schema import Message, message

MASKS = ("loss_mask", "loss_masks", "train_mask", "turn_mask", "train", "learn", "trainable", "weights", "turn_weights")
"""Columns that say for each turn whether it is to be learned."""


def marked(turns: Any, record: Record) -> Any:
    """The turns with what a column beside them says of each: whether it is to be learned.

    Raises:
        ReadError: it does not say so of every turn, or it cannot be told which ones are meant.
    """
    names = by_name(frozenset(record))
    if (
        not telling(frozenset(record))
        or not isinstance(turns, list)
        or not all(isinstance(turn, dict) for turn in turns)
    ):
        return turns
    meant = record.get(names.get("mask", names.get("masks", "")))
    learned = [speaker(turn) == "assistant" for turn in turns]
    if isinstance(meant, list) or (isinstance(meant, str) and ROLES.get(meant.strip().lower()) == "assistant"):
        raise ReadError("mask", "may mean what is learned or what is not; write train: true or false in the turns")
    if any(isinstance(turn.get("label"), str) for turn in turns) and record.get("type") in STEERED:
        raise ReadError("type", "turns that are learned with attributes (SteerLM); write these into the text")
    for name in MASKS:
        given = record.get(names.get(name, ""))
        if not isinstance(given, list) or not given:
            continue
        if len(given) == sum(learned) != len(turns):
            each = iter(given)
            given = [next(each) if answer else None for answer in learned]
        if len(given) != len(turns):
            raise ReadError(name, f"{len(given)} marks for {len(turns)} turns; write train: true or false in the turns")
        key = "weight" if "weight" in name else "train"
        return [turn if one is None else {**turn, key: one} for turn, one in zip(turns, given, strict=True)]
    return turns


SETTINGS = "chat_template_kwargs"
TOOL_SETTINGS = ("tools", "xml_tools", "python_tools")
TOLD = frozenset((
    *ANSWERED, *DOCUMENTS, *HISTORY, *THOUGHTS, *MASKS, *SAME_CHAT, SETTINGS, "instructions", "mask", "masks", "type",
))  # fmt: skip
"""Names of all that may belong to a chat beside it."""


@lru_cache(maxsize=4096)
def telling(keys: frozenset[str]) -> bool:
    """Whether one of the keys may belong to a chat beside them."""
    return not TOLD.isdisjoint(by_name(keys))


STEERED = ("TEXT_TO_VALUE", "VALUE_TO_TEXT")
"""NeMo's marks for chats whose turns are learned with labels of their own."""


def thoughts_beside(draft: Draft, record: Record, chat: str) -> bool:
    """Give the last answer the thoughts of a column beside the chat, unless a turn says them.

    Raises:
        ReadError: the answer has others, or they may be those of a judge.
    """
    names, last = by_name(frozenset(record)), draft.messages[-1]
    key = next((names[name] for name in THOUGHTS if name in names), None)
    thoughts = "" if key is None else thoughts_in(record[key])
    if key is None or not thoughts.strip() or thoughts.strip().lower() in SWITCHES or last["role"] != "assistant":
        return False
    said = [text for turn in draft.messages for text in (turn["content"], turn["reasoning"] or "")]
    if any(thoughts.strip() in text for text in said):
        return False
    if folded(key) == "reasoning" and not JUDGED.isdisjoint(names):
        raise ReadError(
            key, "may be what the answer was thought of, or a judge's reasons; where the first: columns: "
            f"{{messages: {chat}, reasoning: {quoted(key)}}}; where the second: columns: {{messages: {chat}}}",
        )  # fmt: skip
    if last["reasoning"] is not None or draft.rejected is not None:
        raise ReadError(key, "other thoughts than those of the answer; keep one of them, in the turn")
    last["reasoning"] = thoughts
    del record[key]
    return True


def instructions_beside(draft: Draft, record: Record, chat: str) -> bool:
    """Put instructions that stand beside a chat before it, as its system text.

    Raises:
        ReadError: the chat begins with another one.
    """
    key = by_name(frozenset(record)).get("instructions", "")
    said, first = record.get(key), draft.messages[0]
    if not isinstance(said, str) or not said.strip() or any(said.strip() in turn["content"] for turn in draft.messages):
        return False
    if first["role"] == "system":
        raise ReadError(
            key, f"another text than the system turn; where it is not for the model: columns: {{messages: {chat}}}"
        )
    draft.messages = [message("system", said), *draft.messages]
    draft.prompt_turns = None if draft.prompt_turns is None else draft.prompt_turns + 1
    return True


def template_settings(draft: Draft, record: Record) -> bool:
    """Take tools and a system text out of the settings of the chat template that stand beside a chat (SmolTalk 2).

    Raises:
        ReadError: tools that are no specifications.
    """
    given = record.get(SETTINGS)
    given = opened(given) if isinstance(given, str) else given
    if not isinstance(given, dict):
        return False
    taken = False
    for name in TOOL_SETTINGS:
        if given.get(name) and draft.tools is None and "tools" not in record:
            draft.tools, taken = take_tools({"available_tools": given[name]}), True
            if draft.tools is None:
                raise ReadError(f"{SETTINGS}.{name}", "tools that are no JSON specifications; write them as tools")
    said = given.get("custom_instructions")
    if isinstance(said, str) and said.strip() and draft.messages[0]["role"] != "system":
        draft.messages = [message("system", said), *draft.messages]
        draft.prompt_turns = None if draft.prompt_turns is None else draft.prompt_turns + 1
        taken = True
    return taken


def nothing_left(draft: Draft, record: Record, chat: str) -> None:
    """Check that the turns say the documents and the answer that stand beside them.

    Raises:
        ReadError: they do not.
    """
    names = by_name(frozenset(record))
    for name in COMPLETIONS:
        other = record.get(names.get(name, ""))
        if isinstance(other, str) and long(other) and not said_by(other, draft.messages):
            raise ReadError(
                names[name], f"another answer than those of the turns; where these are to be learned: columns: "
                f"{{messages: {chat}}}",
            )  # fmt: skip
    for name in (*DOCUMENTS, *HISTORY):
        key = names.get(name)
        if key is None or (name in HISTORY and not isinstance(record[key], str)):
            continue
        if long(record[key]) and not said_by(record[key], draft.messages):
            raise ReadError(
                key, f"would be left out beside the turns; where the model is to see it: columns: {{messages: {chat}, "
                f"system: {quoted(key)}}}; where not: columns: {{messages: {chat}}}",
            )  # fmt: skip


def before_chat(record: Record, messages: list[Message]) -> list[Message]:
    """The turns of a history beside a chat that the chat does not say itself."""
    names = by_name(frozenset(record))
    key = next((names[name] for name in HISTORY if isinstance(record.get(names.get(name, "")), list)), None)
    turns = [] if key is None else history_turns(record[key], key)
    known = {turn["content"] for turn in messages}
    return [] if all(turn["content"] in known for turn in turns) else turns


def completed(draft: Draft, record: Record, key: str, sure: bool) -> bool:
    """Give a chat under `key` what stands beside it; whether that was nothing. Where somebody said what the chat is
    (`sure`), only what is called an answer is taken, and nothing is doubted.

    Raises:
        ReadError: something belongs to the chat, and it cannot be told where.
    """
    exact = not telling(frozenset(record)) or not taken(draft, record, key, sure)
    if record and not sure and draft.messages[-1]["role"] != "assistant":
        references = [name for name in record if "reference" in folded(name)]  # of an evaluation (MT-bench)
        left = unsaid(record, references, [*draft.messages, *(draft.rejected or ())], "answer")
        if left is not None:
            raise ReadError(
                left, f"may be the answer to the turns; where it is: columns: {{messages: {key}, answer: "
                f"{quoted(left)}}}; where not: columns: {{messages: {key}}}",
            )  # fmt: skip
    return exact


def taken(draft: Draft, record: Record, key: str, sure: bool) -> bool:
    """Give a chat what stands beside it, where a name says so; whether anything did."""
    before = before_chat(record, draft.messages)
    if before:
        first = int(draft.messages[0]["role"] == "system")
        draft.messages = [*draft.messages[:first], *before, *draft.messages[first:]]
    found = [bool(before), answered(draft, record)]
    if SETTINGS in record:
        found.append(template_settings(draft, record))
    if record and not sure:
        found += [thoughts_beside(draft, record, key), instructions_beside(draft, record, key)]
        nothing_left(draft, record, key)
        one_chat(draft, record, key)
    return any(found)
