"""The columns of flat records: texts or turns in them, and whether one says what the row does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from dataflywheel.rows.formats.draft import CannotHold, ReadError, Record, has_words, kind, plain, texts_in
from dataflywheel.rows.formats.ends import whole_beside
from dataflywheel.rows.formats.names import (
    ANSWERS,
    COMPLETIONS,
    PROMPTS,
    TASKS,
    THOUGHTS,
    by_name,
    folded,
    quoted,
    thoughtful,
)
from dataflywheel.rows.formats.prompt_names import HISTORY, UNPLACED
from dataflywheel.rows.formats.proposal import texts_of
from dataflywheel.rows.formats.serialized import in_text, turns_in_text
from dataflywheel.rows.formats.speech import split, waits
from dataflywheel.rows.formats.turn_thoughts import thoughts_in
from dataflywheel.rows.formats.turns import ROLE_KEYS, read_turn, read_turns
from dataflywheel.rows.formats.written_turns import openai_turn
from dataflywheel.rows.schema import Medium, Message, message

SWITCHES = frozenset({"on", "off", "true", "false", "yes", "no", "none", "low", "medium", "high"})
"""What a column named `reasoning` holds where it says whether there is any."""
WORDS = 3
"""A text of fewer words is a name, a number or a note, unless its column is named as a prompt or an answer."""


SAYING = frozenset(("text", "full_text", "content", "value", "body", *PROMPTS, *ANSWERS))
"""Fields of an object that may hold what it says."""


def turns_of(record: Record, key: str, role: str, media: list[Medium]) -> list[Message]:
    """The turns of one column: a text, or a number as an answer, is one of `role`; else a turn or a list of turns.

    Raises:
        ReadError: the column holds anything else.
    """
    value = record[key]
    if isinstance(value, str):
        if (written := turns_in_text(value)) is None:
            return [message(role, value)]
        value = written
    if role == "assistant" and isinstance(value, int | float) and not isinstance(value, bool):
        return [message(role, str(value))]
    if isinstance(value, dict):
        whole_beside(value, key)
        if value and value.keys().isdisjoint((*ROLE_KEYS, "type")):
            if (lone := only_text(value)) is not None:
                return [message(role, lone)]
            if value.keys() == {"base64"}:
                raise ReadError(key, "expected text, got bytes that are not UTF-8; save the column as text")
            texts = list(texts_of(value)) or ["..."]
            raise ReadError(
                key,
                f"expected text or turns, got an object; name its text: columns: {place(role, f'{key}.{texts[0]}')}",
            )
        return read_turn(value, key, media)
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        if len(set(value)) > 1:
            raise ReadError(key, f"expected one text, got {len(value)}; name one: columns: {place(role, f'{key}[0]')}")
        return [message(role, value[0])]
    if isinstance(value, list):
        return read_turns(value, key, media)[0]
    raise ReadError(key, f"expected text or turns, got {kind(value)}")


def only_text(value: Record) -> str | None:
    """What an object says where one of its fields is named as a text, and no other says anything."""
    named = [key for key, held in value.items() if folded(key) in SAYING and isinstance(held, str)]
    others = (text for key, held in value.items() if key not in named for text in texts_in(held))
    return str(value[named[0]]) if len(named) == 1 and not any(map(long, others)) else None


def place(role: str, path: str) -> str:
    """A mapping that names the path for a turn of the role."""
    return (
        f"{{prompt: ..., answer: {quoted(path)}}}"
        if role == "assistant"
        else f"{{prompt: {quoted(path)}, answer: ...}}"
    )


def texts_of_json(value: Any) -> list[str]:
    """The texts of a JSON list of texts; none of anything else."""
    found = in_text(value) if isinstance(value, str) and value[:2] == '["' else None
    return found if isinstance(found, list) and all(isinstance(text, str) for text in found) else []


def in_turns(record: Record, prompt: str, two: tuple[str, str]) -> Record:
    """A record whose prompts and answers are lists of texts, written as JSON, as whole conversations (LMSYS).

    Raises:
        ReadError: not as many prompts as answers.
    """
    asked, *answers = (texts_of_json(record[key]) for key in (prompt, *two))
    if not asked or not all(answers):
        return record
    if any(len(texts) != len(asked) for texts in answers):
        raise ReadError(prompt, "not as many prompts as answers")
    chats: Record = {}
    for key, texts in zip(two, answers, strict=True):
        turns = [text for pair in zip(asked, texts, strict=True) for text in pair]
        chats[key] = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(turns)]
    return {**record, **chats}


def in_speech(record: Record, prompt: str) -> Record:
    """A record whose prompt is a transcript that waits for the assistant (Anthropic's HH data), with turns for it; the
    space between its last mark and an answer belongs to the mark."""
    value = record[prompt]
    if not waits(value):
        return record
    turns = [{"role": turn["role"], "content": turn["content"]} for turn in split(value.rstrip())[:-1]]
    said = {key: text.removeprefix(" ") for key, text in record.items() if key != prompt and isinstance(text, str)}
    return {**record, **said, prompt: turns}


def spoken(turns: Sequence[Message], role: str) -> str | list[Record]:
    """One plain turn of `role` as its text, others as a list of turns.

    Raises:
        CannotHold: no turn.
    """
    if not turns:
        raise CannotHold("a row without turns")
    if [turn["role"] for turn in turns] == [role]:
        try:
            return plain(turns[0])
        except CannotHold:
            pass
    return [openai_turn(turn) for turn in turns]


def thoughts_of(record: Record, key: str) -> str | None:
    """The thoughts of a column; None where it only says whether there are any."""
    said = thoughts_in(record[key])
    return said if said.strip() and said.strip().lower() not in SWITCHES else None


def thoughts_apart(record: Mapping[str, Any]) -> dict[str, str]:
    """The keys of the thoughts of a better and a worse answer that stand beside them (`chosen_reasoning`)."""
    named = apart(frozenset(record))
    return {which: key for which, key in named.items() if thoughts_of(dict(record), key) is not None} if named else {}


@lru_cache(maxsize=4096)
def apart(keys: frozenset[str]) -> dict[str, str]:
    """The keys of thoughts of a better and a worse answer by their names."""
    names = by_name(keys)
    found: dict[str, str] = {}
    for which in ("chosen", "rejected"):
        spelled = (name for thoughts in THOUGHTS for name in (f"{which}_{thoughts}", f"{thoughts}_{which}"))
        key = next((names[name] for name in spelled if name in names), None)
        if key is not None:
            found[which] = key
    return found


def left_over(record: Record, doubts: Iterable[str], turns: Sequence[Message], pair: bool = False) -> str | None:
    """The first of the doubtful keys that says what none of the turns does; beside a `pair`, an answer is long."""
    for key in doubts:
        name, value = folded(key), record.get(key)
        if name in THOUGHTS and thoughts_of(record, key) is None:
            continue
        if name in HISTORY and value:
            return key  # short turns may stand in others by chance
        doubtful = name in UNPLACED or name in TASKS or name == "code" or thoughtful(name)
        doubtful = doubtful or (pair and name in COMPLETIONS)
        if doubtful and not (name in PROMPTS or long(value)):
            continue
        if name == "text" and isinstance(value, str) and all(t["content"].strip() in value for t in turns):
            continue
        if name in ("options", "choices") and any(turn["content"] in texts_in(value) for turn in turns):
            continue  # the answer says which, in full
        if not said_by(value, turns):
            return key
    return None


def said_by(value: Any, turns: Sequence[Message]) -> bool:
    """Whether the turns say all texts within a value."""
    return all(any(text.strip() in turn["content"] for turn in turns) for text in texts_in(value))


def long(value: Any) -> bool:
    return any(has_words(text, WORDS) for text in texts_in(value)) or isinstance(value, dict | list)
