"""Rows as LLaMA-Factory reads them, ShareGPT or Alpaca formatted, and their entry in `dataset_info.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path

import orjson

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.formats.alpaca import Alpaca
from dataflywheel.rows.formats.draft import CannotHold, Draft, Record
from dataflywheel.rows.formats.tool_calls import spaced
from dataflywheel.rows.formats.written_turns import SHAREGPT
from dataflywheel.rows.reading import stem
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
    with_thoughts,
)

TAGS = {
    "role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt",
    "observation_tag": "observation", "function_tag": "function_call", "system_tag": "system",
}  # fmt: skip
RANKING = {"chosen": "chosen", "rejected": "rejected"}


def sharegpt(kind: Kind, row: Row) -> Record:
    """One ShareGPT-formatted record; the system prompt is a column of its own.

    Raises:
        CannotHold: what the factory would drop without an error or show to no model: turns that do not alternate, a
            turn that must not be learned, text beside tool calls, names of speakers, results that stand away from
            their calls.
    """
    if kind == "text":
        return document(row) | beside(row, kind)
    media = opened(row)
    record: Record
    if kind == "preference":
        prompt, chosen, rejected = pair_of(row)
        pictures.in_the_prompt(media, [chosen, rejected])
        system, turns = split_system(pictures.marked(prompt, media))
        alternate([*turns, chosen])
        record = {"conversations": spoken(turns), "chosen": turn(chosen), "rejected": turn(rejected)}
    else:
        system, turns = split_system(pictures.marked(conversation(row), media))
        alternate(turns)
        if kind == "kto":
            judged(turns[-1])
            pictures.in_the_prompt(media, turns[-1:])
        else:
            all_learned(turns)
        record = {"conversations": spoken(turns)}
        if kind == "kto":
            record["label"] = LABELS[str(row["label"])]
    record |= {"system": system, "tools": tools_text(row)}
    return record | {f"{type}s": held for type, held in media.items()} | beside(row, kind)


def alpaca(kind: Kind, row: Row) -> Record:
    """One Alpaca-formatted record; several turns go to `history`.

    Raises:
        CannotHold: tool calls, turns that do not alternate or must not be learned, media in answers to compare.
    """
    if kind == "text":
        return document(row) | beside(row, kind)
    media = opened(row)
    rejected = None
    if kind == "preference":
        prompt, chosen, worse = pair_of(row)
        pictures.in_the_prompt(media, [chosen, worse])
        turns, rejected = [*pictures.marked(prompt, media), chosen], [folded(worse)]
    else:
        turns = pictures.marked(conversation(row), media)
        if kind == "kto":
            judged(turns[-1])
            pictures.in_the_prompt(media, turns[-1:])
    all_learned(turns)
    rendered = Alpaca("alpaca", "input", "output").render(Draft(list(map(folded, turns)), rejected))
    record = {"system": "", "history": [], **rendered}
    if tools := tools_text(row):
        record["tools"] = tools
    record |= {f"{type}s": held for type, held in media.items()} | beside(row, kind)
    return {**record, "label": row["label"] == "true"} if kind == "kto" else record


def opened(row: Row) -> dict[MediaType, list[str]]:
    """The media of a row by type.

    Raises:
        CannotHold: an image or a sound that is not a file: the factory opens no addresses; or a mark in the text that
            the factory would look for a medium for.
    """
    media = pictures.addresses(row)
    for type in ("image", "audio"):
        if any(map(pictures.remote, media.get(type, ()))):
            raise CannotHold(f"{pictures.NAMES[type]} that is not a file")
    for type in pictures.TYPES:
        if type not in media and pictures.marks([*row["messages"], *(row["rejected"] or ())], type):
            raise CannotHold(f"a mark <{type}> in the text that stands for nothing")
    return media


def folded(message: Message) -> Message:
    """A turn with its thoughts in its content."""
    return {**message, "content": with_thoughts(message, message["content"]), "reasoning": None}


def turn(message: Message) -> Record:
    """`{from, value}`; tool calls are the value of a turn from `function_call`.

    The factory reads nothing else of a turn. Ids of calls and results, and marks on turns of a prompt, which are never
    learned, stand beside for whoever reads the file again.

    Raises:
        CannotHold: text beside tool calls, arguments that are no object, or a speaker's name.
    """
    record: Record = {"from": SHAREGPT[message["role"]], "value": message["content"]}
    if message["tool_calls"] is not None:
        if message["content"]:
            raise CannotHold("text and tool calls in one turn")
        if any(not isinstance(call["function"]["arguments"], dict) for call in orjson.loads(message["tool_calls"])):
            raise CannotHold("a tool call whose arguments are not a JSON object")
        calls = [
            {"name": call["function"]["name"], "arguments": call["function"]["arguments"]}
            | ({"id": call["id"]} if "id" in call else {})
            for call in orjson.loads(message["tool_calls"])
        ]
        record = {"from": "function_call", "value": spaced(calls[0] if len(calls) == 1 else calls)}
    record["value"] = with_thoughts(message, record["value"])
    if message["name"] is not None:
        if message["role"] != "tool":
            raise CannotHold("speakers' names")
        record["name"] = message["name"]
    if message["tool_call_id"] is not None:
        record["tool_call_id"] = message["tool_call_id"]
    if message["learn"] is False:
        record[TRAIN] = False
    return record


def spoken(turns: list[Message]) -> list[Record]:
    """The turns, once it is sure that each result stands after its call: that is how the factory tells them apart.

    Raises:
        CannotHold: an id or a name says otherwise.
    """
    for before, after in zip([None, *turns], turns, strict=False):
        if after["role"] != "tool":
            continue
        calls = orjson.loads(before["tool_calls"]) if before and before["tool_calls"] else []
        said, named = after["tool_call_id"], after["name"]
        if said is not None and said not in [call.get("id", said) for call in calls]:
            raise CannotHold("the result of a tool that does not stand after its call")
        if named is not None and named not in [call["function"]["name"] for call in calls]:
            raise CannotHold("the name of a tool that was not called in the turn before")
    return [turn(m) for m in turns]


def tools_text(row: Row) -> str:
    """The specifications of tools as the text of a JSON list, "" where there are none."""
    tools = tools_of(row)
    one = isinstance(orjson.loads(row["tools"] or "[]"), dict)
    return orjson.dumps(tools).decode() if one else (row["tools"] or "") if tools else ""


def judged(answer: Message) -> None:
    """Check that a KTO answer says something: the factory tells good from bad by which of two answers is empty."""
    if not answer["content"] and answer["tool_calls"] is None and answer["reasoning"] is None:
        raise CannotHold("an empty answer in a KTO row")


def split_system(messages: list[Message]) -> tuple[str, list[Message]]:
    """The text of the system turn, which a column holds, and the other turns.

    Raises:
        CannotHold: it has a speaker's name.
    """
    if messages and messages[0]["role"] == "system":
        if messages[0]["name"] is not None:
            raise CannotHold("speakers' names")
        return messages[0]["content"], messages[1:]
    return "", messages


def alternate(turns: list[Message]) -> None:
    """Check that the user's (or a tool's) turns and the assistant's follow each other, the assistant last."""
    speakers = [turn["role"] for turn in turns]
    wrong = [i for i, who in enumerate(speakers) if (who == "assistant") != (i % 2 == 1) or who == "system"]
    if wrong or len(turns) % 2:
        shown = ", ".join([*speakers[:12], *(["..."] if len(speakers) > 12 else [])])
        raise CannotHold(f"turns that do not alternate between user or tool and assistant ({shown})")


def entry(path: Path, kind: Kind, formatting: str, held: Collection[str] = ()) -> Record:
    """The description of a data file: columns, tags, and whether it is for ranking; `held` are its records' columns."""
    if kind == "text":
        return {"file_name": path.name, "columns": {"prompt": "text"}}
    columns = {"prompt": "instruction", "query": "input", "system": "system", "history": "history"}
    if formatting == "sharegpt":
        columns = {"messages": "conversations", "system": "system", "tools": "tools"}
    elif kind != "preference":
        columns["response"] = "output"
    record: Record = {"file_name": path.name, "formatting": formatting}
    if kind == "preference":
        columns |= RANKING
        record["ranking"] = True
    if kind == "kto":
        columns["kto_tag"] = "label"
    record["columns"] = columns | {name: name for name in sorted({"tools", *pictures.COLUMNS}.intersection(held))}
    return {**record, "tags": TAGS} if formatting == "sharegpt" else record


def describe(path: Path, kind: Kind, columns: Collection[str], place: Path, formatting: str) -> list[Path]:
    """Enter the file in the `dataset_info.json` beside it, under its name without suffix; other entries stay.

    Raises:
        FlywheelError: the file there is not a JSON object.
    """
    info = path.parent / "dataset_info.json"
    entries: Record = {}
    if info.is_file():
        try:
            entries = json.loads(info.read_text(encoding="utf-8"))
        except ValueError as error:
            raise FlywheelError(f"{info}: not JSON ({error}); mend or remove it, then convert again") from None
        if not isinstance(entries, dict):
            raise FlywheelError(f"{info}: expected an object of data sets; mend or remove it, then convert again")
    entries[stem(path)] = entry(path, kind, formatting, columns)
    aside = info.with_name(".dataset_info.json.partial")
    aside.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(aside, info)
    return [info]
