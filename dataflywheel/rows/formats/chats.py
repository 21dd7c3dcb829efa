"""Chats under other names than `messages`: WildChat and LMSYS, pairs as in Capybara, texts in turn as in UltraChat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataflywheel.rows.formats.beside_chat import completed, marked
from dataflywheel.rows.formats.draft import CannotHold, Draft, ReadError, Record, plain
from dataflywheel.rows.formats.names import ANSWERS, PROMPTS, by_name, folded
from dataflywheel.rows.formats.shape import Shape
from dataflywheel.rows.formats.turns import CONTENT_KEYS, ROLE_KEYS, read_turns
from dataflywheel.rows.formats.written_turns import openai_turn
from dataflywheel.rows.schema import Medium, Message, message

CHATS = (
    "messages", "conversations", "conversation", "dialogue", "dialog", "chat", "turns", "data", "utterances",
    "chat_messages", "contents", "texts", "traj", "trajectory", "transcript", "thread",
    "rounds", "exchanges",
)  # fmt: skip
"""Names of a chat, the surest first."""
EXACT = ("messages", "conversations")
"""Those are shapes of their own."""
ASKED = frozenset({"turns"})
"""Where a list of texts is what the user says in turn (MT-bench), and not both sides."""


class Chats(Shape):
    """A list of turns, of pairs of what was asked and answered, or of texts in turn."""

    name = "chat"
    by_keys = False

    def matches(self, keys: frozenset[str]) -> bool:
        names = by_name(keys)
        return any(name in names and names[name] not in EXACT for name in CHATS)

    def accepts(self, record: Mapping[str, Any]) -> bool:
        return chat_key(record) is not None

    def parse(self, record: Record) -> Draft:
        key = chat_key(record)
        if key is None:
            raise ReadError("", f"expected a list of turns in one of {', '.join(CHATS)}")
        media: list[Medium] = []
        value = marked(record.pop(key), record)
        if folded(key) in ASKED and all(isinstance(turn, dict) and turn.keys() == {"content"} for turn in value):
            value = [turn["content"] for turn in value]  # what the user says in turn (Arena-Hard)
        turns, form = told(value, key, media)
        draft = Draft(turns, extra=record, media=media, names={"messages": key, **({"form": form} if form else {})})
        completed(draft, record, key, sure=False)
        return draft

    def render(self, draft: Draft) -> Record:
        key, form = draft.names.get("messages", "conversation"), draft.names.get("form")
        turns, record = draft.messages, Record()
        if draft.rejected is not None:
            turns, *answers = draft.pair()
            if any(len(answer) != 1 for answer in answers) or not turns:
                raise CannotHold("answers to compare that are several turns long, or without a prompt")
            record = {name: openai_turn(one[0]) for name, one in zip(("chosen", "rejected"), answers, strict=True)}
        elif "completion" in draft.names and turns[-1]["role"] == "assistant":
            record, turns = {draft.names["completion"]: plain(turns[-1])}, turns[:-1]
        if form is None:
            return {key: [openai_turn(turn) for turn in turns], **record}
        return {key: retold(turns, form), **record}


def chat_key(record: Mapping[str, Any]) -> str | None:
    """The key of the first list that looks like a chat."""
    names = by_name(frozenset(record))
    held = [(name, names[name]) for name in CHATS if name in names and names[name] not in EXACT]
    return next((key for name, key in held if chat(record[key], name)), None)


def chat(value: Any, name: str) -> bool:
    if not isinstance(value, list) or not value:
        return False
    if all(isinstance(turn, dict) for turn in value):
        if name == "texts":  # captions beside images; pairs of them are a chat (the Cauldron)
            return pair_keys(value) is not None
        if name in ASKED and all(turn.keys() == {"content"} for turn in value):
            return True
        return (
            any(not turn.keys().isdisjoint(ROLE_KEYS) and not turn.keys().isdisjoint(CONTENT_KEYS) for turn in value)
            or (name != "data" and pair_keys(value) is not None)  # records under a key are no chat
        )
    return (
        all(isinstance(turn, str) for turn in value)
        and name != "texts"
        and (len(value) > 1 or name in (*ASKED, *EXACT))
    )


def pair_keys(turns: list[Record]) -> tuple[str, str] | None:
    """The keys of what was asked and answered in a list of pairs."""
    names = by_name(frozenset(turns[0]))
    asked = next((names[name] for name in PROMPTS if name in names), None)
    answered = next((names[name] for name in sorted(ANSWERS) if name in names), None)
    return None if asked is None or answered is None or asked == answered else (asked, answered)


def in_form(value: Any) -> bool:
    """Whether a list holds texts in turn, or pairs of what was asked and answered, and no turns."""
    if not isinstance(value, list) or not value or not chat(value, "messages"):
        return False
    return isinstance(value[0], str) or (pair_keys(value) is not None and value[0].keys().isdisjoint(ROLE_KEYS))


def retold(turns: Sequence[Message], form: str) -> list[Any]:
    """The turns in the form in which a chat was given.

    Raises:
        CannotHold: they do not alternate.
    """
    roles, texts = [turn["role"] for turn in turns], [plain(turn) for turn in turns]
    if form == "asked" and set(roles) == {"user"}:
        return texts
    if roles != (["user", "assistant"] * len(roles))[: len(roles)]:
        raise CannotHold("turns that do not alternate")
    if form == "texts":
        return texts
    names = form.split("\n")[:2]
    return [dict(zip(names, texts[i : i + 2], strict=False)) for i in range(0, len(texts), 2)]


def told(value: list[Any], key: str, media: list[Medium]) -> tuple[list[Message], str]:
    """The turns of a chat, and the form in which it was given where that is not a list of turns.

    Raises:
        ReadError: a turn or a pair without its text.
    """
    if all(isinstance(turn, str) for turn in value):
        if folded(key) in ASKED:
            return [message("user", text) for text in value], "asked"
        return [message(("user", "assistant")[i % 2], text) for i, text in enumerate(value)], "texts"
    pair = pair_keys(value)
    if pair is None or not value[0].keys().isdisjoint(ROLE_KEYS):
        return read_turns(value, key, media)[0], ""
    turns: list[Message] = []
    for position, one in enumerate(value):
        for name, role in zip(pair, ("user", "assistant"), strict=True):
            text = one.get(name) if isinstance(one, dict) else None
            if not isinstance(text, str) and (name == pair[0] or position + 1 < len(value)):
                raise ReadError(f"{key}[{position}].{name}", "expected text")
            if isinstance(text, str):
                turns.append(message(role, text))
    return turns, "\n".join(pair)
