"""Rows as Axolotl reads them (`chat_template` data), and the `datasets:` part of its configuration."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import orjson
import yaml

from dataflywheel.rows.formats.draft import CannotHold, Record
from dataflywheel.rows.reading import stem
from dataflywheel.rows.schema import MediaType, Message, Row
from dataflywheel.rows.trainers import pictures
from dataflywheel.rows.trainers.kind import (
    TRAIN,
    Kind,
    beside,
    conversation,
    document,
    pair_of,
    tools_of,
    with_thoughts,
)
from dataflywheel.rows.trainers.trl import turn as trl_turn

TURN = ("role", "content", "reasoning_content", "tool_calls", "tool_call_id", "name")
"""What a turn may hold: everything that the configuration maps to the template."""


def record(kind: Kind, row: Row) -> Record:
    """One record: `messages`, with `chosen` and `rejected` for preferences; `text` for documents.

    Raises:
        CannotHold: KTO rows, rows without an answer to learn, answers several turns long, and in preferences, of whose
            turns Axolotl reads role and content alone, tools, media, and answers that it would not find again.
    """
    if kind == "text":
        return document(row) | beside(row, kind)
    if kind == "kto":
        raise CannotHold("KTO rows: it reads them as texts without a chat template")
    if kind == "preference":
        prompt, chosen, rejected = pair_of(row)
        if row["tools"] or row["media"]:
            raise CannotHold("tools or media in preference rows")
        found: Record = {"messages": [bare(m) for m in prompt], "chosen": bare(chosen), "rejected": bare(rejected)}
        for answer in (chosen, rejected):
            if answer["content"] != answer["content"].strip() or not answer["content"]:
                # It cuts the rendered answer out at the place where it finds the content, which templates trim.
                raise CannotHold("an answer to compare that is empty or has blanks around it")
        return found | beside(row, kind)
    media = pictures.addresses(row)
    turns = pictures.marked(conversation(row), media)
    if media and any(m["learn"] is False for m in turns):
        raise CannotHold("a turn that must not be learned in a row with media")
    places = {type: iter(held) for type, held in media.items()}
    messages = [turn(m, media) for m in turns]
    for part in (part for m in messages if media for part in m["content"] if part["type"] in places):
        address = next(places[part["type"]])
        part["url" if pictures.remote(address) else "path"] = address
    record: Record = {"messages": messages}
    if tools := tools_of(row):
        record["tools"] = tools
    return record | beside(row, kind)


def turn(message: Message, media: Collection[MediaType] = ()) -> Record:
    """A turn as TRL's, with arguments of tool calls as JSON text, since Axolotl takes empty fields out of objects.

    Raises:
        CannotHold: arguments that are not an object.
    """
    record = trl_turn(message, media)
    for call in record.get("tool_calls", ()):
        if not isinstance(call["function"]["arguments"], dict):
            raise CannotHold("a tool call whose arguments are not a JSON object")
        call["function"]["arguments"] = orjson.dumps(call["function"]["arguments"]).decode()
    return record


def bare(message: Message) -> Record:
    """A turn of a preference row: role and content, thoughts as a block before it.

    Raises:
        CannotHold: it has tool calls or a name.
    """
    for key, what in (("tool_calls", "tool calls"), ("tool_call_id", "results of tools"), ("name", "speakers' names")):
        if message[key] is not None:  # type: ignore[literal-required]
            raise CannotHold(f"{what} in preference rows")
    record: Record = {"role": message["role"], "content": with_thoughts(message, message["content"])}
    return record if message["learn"] is None else {**record, TRAIN: message["learn"]}


def configuration(path: Path, kind: Kind, columns: Collection[str] = ()) -> Record:
    """What to paste into the trainer's YAML."""
    dataset: Record = {"path": str(path), "ds_type": "json"}
    if kind == "text":
        return {"datasets": [{**dataset, "type": "completion", "field": "text"}]}
    dataset["field_messages"] = "messages"
    if kind == "preference":
        names = {"role": "role", "content": "content"}
        fields = {"field_chosen": "chosen", "field_rejected": "rejected", "message_property_mappings": names}
        return {"rl": "dpo", "datasets": [{**dataset, "type": "chat_template.default", **fields}]}
    dataset |= {"type": "chat_template", "message_property_mappings": {name: name for name in TURN}}
    dataset["message_field_training"] = TRAIN
    if "tools" in columns:
        dataset["field_tools"] = "tools"
    seeing: Record = {"processor_type": "AutoProcessor", "skip_prepare_dataset": True}
    seeing |= {"remove_unused_columns": False, "sample_packing": False}
    return {"datasets": [dataset], **(seeing if pictures.COLUMNS.intersection(columns) else {})}


def describe(path: Path, kind: Kind, columns: Collection[str], place: Path) -> list[Path]:
    """Write the configuration beside the data, which will lie at `place`, as `<name>.axolotl.yaml`."""
    target = path.with_name(f"{stem(path)}.axolotl.yaml")
    target.write_text(yaml.safe_dump(configuration(place, kind, columns), sort_keys=False), encoding="utf-8")
    return [target]
