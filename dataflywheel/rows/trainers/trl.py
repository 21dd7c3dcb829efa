"""Rows as TRL reads them: `messages`; `prompt`, `chosen`, `rejected`; `prompt`, `completion`, `label`; or `text`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

import orjson

from dataflywheel.rows.formats.beside_chat import SETTINGS, TOOL_SETTINGS
from dataflywheel.rows.formats.draft import CannotHold, Record
from dataflywheel.rows.schema import MediaType, Message, Row
from dataflywheel.rows.trainers import pictures
from dataflywheel.rows.trainers.kind import (
    LABELS,
    TRAIN,
    Kind,
    all_learned,
    beside,
    conversation,
    document,
    pair_of,
    tools_of,
)

READ: Final[tuple[MediaType, ...]] = ("image",)
"""The media that TRL reads."""


def turn(message: Message, media: Collection[MediaType] = ()) -> Record:
    """A turn as chat templates take it: thoughts as `reasoning_content`, tool calls as objects, arguments too.

    Where the row has `media` in its text, a content is a list of parts. `train: false` marks what must not be learned.
    """
    content = message["content"]
    record: Record = {"role": message["role"], "content": pictures.parts(content, media) if media else content}
    if message["reasoning"] is not None:
        record["reasoning_content"] = message["reasoning"]
    if message["tool_calls"] is not None:
        record["tool_calls"] = orjson.loads(message["tool_calls"])
    if message["tool_call_id"] is not None:
        record["tool_call_id"] = message["tool_call_id"]
    if message["name"] is not None:
        record["name"] = message["name"]
    if message["learn"] is False:
        record[TRAIN] = False
    return record


def record(kind: Kind, row: Row) -> Record:
    """One training record, always conversational (lists of turns) unless the row is a document.

    Raises:
        CannotHold: no answer to learn, an answer several turns long, a turn of a chat that must not be learned (TRL
            has no mark for it), or media that TRL does not read.
    """
    if kind == "text":
        return document(row) | beside(row, kind)
    media = pictures.addresses(row, known=READ)
    record: Record
    if kind == "preference":
        prompt, chosen, rejected = pair_of(row)
        pictures.in_the_prompt(media, [chosen, rejected])
        shown = _shown(prompt, media)
        record = {"prompt": [turn(m, shown) for m in prompt]}
        record |= {"chosen": [turn(chosen, shown)], "rejected": [turn(rejected, shown)]}
    elif kind == "kto":
        *prompt, answer = conversation(row)
        pictures.in_the_prompt(media, [answer])
        shown = _shown(prompt, media)
        record = {"prompt": [turn(m, shown) for m in prompt], "completion": [turn(answer, shown)]}
        record["label"] = LABELS[str(row["label"])]
    else:
        turns = conversation(row)
        all_learned(turns)
        shown = _shown(turns, media)
        record = {"messages": [turn(m, shown) for m in turns]}
    if tools := tools_of(row):
        record["tools"] = tools
    if settings := settings_of(row):
        record[SETTINGS] = settings
    return record | {f"{type}s": held for type, held in media.items()} | beside(row, kind)


def settings_of(row: Row) -> Record:
    """What a row says to the chat template, less the tools and the system text, which are in the row itself."""
    held = orjson.loads(row["extra"]).get(SETTINGS) if SETTINGS in row["extra"] else None
    held = held if isinstance(held, dict) else {}
    return {key: value for key, value in held.items() if key not in (*TOOL_SETTINGS, "custom_instructions")}


def _shown(turns: list[Message], media: dict[MediaType, list[str]]) -> Collection[MediaType]:
    """The media that marks place. What has no mark, TRL itself shows before the first question."""
    if not media:
        return ()
    if any("<image>" in turn["content"] for turn in turns if turn["role"] == "tool"):
        raise CannotHold("an image in the result of a tool")
    if pictures.unmarked(turns, media):
        pictures.first_question(turns)
        return ()
    return media.keys()


def describe(path: Path, kind: Kind, columns: Collection[str], place: Path) -> list[Path]:
    """TRL needs nothing beside the data."""
    return []
