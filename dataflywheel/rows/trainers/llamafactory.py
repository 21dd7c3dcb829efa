"""Rows as LLaMA-Factory reads them, ShareGPT or Alpaca formatted, and their entry in `dataset_info.json`."""

from __future__ import annotations

import json
import os
from pathlib import Path

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.formats.alpaca import Alpaca
from dataflywheel.rows.formats.draft import CannotHold, Draft, Record
from dataflywheel.rows.formats.turns import sharegpt_turn
from dataflywheel.rows.reading import stem
from dataflywheel.rows.schema import Message, Row
from dataflywheel.rows.trainers.kind import Kind, answered, pair_of

TAGS = {
    "role_tag": "from", "content_tag": "value", "user_tag": "human", "assistant_tag": "gpt",
    "observation_tag": "observation", "function_tag": "function_call", "system_tag": "system",
}  # fmt: skip
RANKING = {"chosen": "chosen", "rejected": "rejected"}


def sharegpt(kind: Kind, row: Row) -> Record:
    """One ShareGPT-formatted record; the system prompt is a column of its own.

    Raises:
        CannotHold: the turns do not alternate as LLaMA-Factory demands, which would drop the row without an error.
    """
    if kind == "text":
        return {"text": row["messages"][0]["content"]}
    record: Record
    if kind == "preference":
        prompt, chosen, rejected = pair_of(row)
        system, turns = split_system(prompt)
        alternate([*turns, chosen])
        record = {"conversations": [sharegpt_turn(m) for m in turns], "chosen": sharegpt_turn(chosen)}
        record["rejected"] = sharegpt_turn(rejected)
    else:
        answered(row)
        system, turns = split_system(row["messages"])
        alternate(turns)
        record = {"conversations": [sharegpt_turn(m) for m in turns]}
        if kind == "kto":
            record["label"] = row["label"] == "true"
    return {**record, "system": system, "tools": row["tools"] or ""}


def alpaca(kind: Kind, row: Row) -> Record:
    """One Alpaca-formatted record; several turns go to `history`.

    Raises:
        CannotHold: tool calls, or turns that do not alternate.
    """
    if kind == "text":
        return {"text": row["messages"][0]["content"]}
    if kind == "preference":
        pair_of(row)
    rendered = Alpaca("alpaca", "input", "output").render(Draft(row["messages"], row["rejected"], row["tools"]))
    record = {"system": "", "history": [], **rendered}
    return {**record, "label": row["label"] == "true"} if kind == "kto" else record


def split_system(messages: list[Message]) -> tuple[str, list[Message]]:
    if messages and messages[0]["role"] == "system":
        return messages[0]["content"], messages[1:]
    return "", messages


def alternate(turns: list[Message]) -> None:
    """Check that the user's (or a tool's) turns and the assistant's follow each other, the assistant last."""
    speakers = ["assistant" if m["role"] == "assistant" else m["role"] for m in turns]
    wrong = [i for i, who in enumerate(speakers) if (who == "assistant") != (i % 2 == 1) or who == "system"]
    if wrong or len(turns) % 2:
        raise CannotHold(f"turns that do not alternate between user or tool and assistant ({', '.join(speakers)})")


def entry(path: Path, kind: Kind, formatting: str) -> Record:
    """The description of a data file: columns, tags, and whether it is for ranking."""
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
    record["columns"] = columns
    return {**record, "tags": TAGS} if formatting == "sharegpt" else record


def describe(path: Path, kind: Kind, formatting: str) -> list[Path]:
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
    entries[stem(path)] = entry(path, kind, formatting)
    aside = info.with_name(".dataset_info.json.partial")
    aside.write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(aside, info)
    return [info]
