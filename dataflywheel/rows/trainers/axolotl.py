"""Rows as Axolotl reads them (`chat_template` data), and the `datasets:` part of its configuration."""

from __future__ import annotations

from pathlib import Path

import yaml

from dataflywheel.rows.formats.draft import CannotHold, Record
from dataflywheel.rows.reading import stem
from dataflywheel.rows.schema import Row
from dataflywheel.rows.trainers.kind import Kind, answered, pair_of, tools_of
from dataflywheel.rows.trainers.trl import turn


def record(kind: Kind, row: Row) -> Record:
    """One record: `messages`, with `chosen` and `rejected` for preferences; `text` for documents.

    Raises:
        CannotHold: KTO rows, rows without an answer to learn, answers several turns long.
    """
    if kind == "text":
        return {"text": row["messages"][0]["content"]}
    if kind == "kto":
        raise CannotHold("KTO rows")
    if kind == "preference":
        prompt, chosen, rejected = pair_of(row)
        return {"messages": [turn(m) for m in prompt], "chosen": turn(chosen), "rejected": turn(rejected)}
    answered(row)
    return {"messages": [turn(m) for m in row["messages"]], **tools_of(row)}


def configuration(path: Path, kind: Kind) -> Record:
    """What to paste into the trainer's YAML."""
    dataset: Record = {"path": str(path), "ds_type": "json"}
    if kind == "text":
        return {"datasets": [{**dataset, "type": "completion", "field": "text"}]}
    mapping = {"field_messages": "messages", "message_property_mappings": {"role": "role", "content": "content"}}
    if kind == "preference":
        fields = {"field_chosen": "chosen", "field_rejected": "rejected"}
        return {"rl": "dpo", "datasets": [{**dataset, "type": "chat_template.default", **mapping, **fields}]}
    return {"datasets": [{**dataset, "type": "chat_template", **mapping}]}


def describe(path: Path, kind: Kind) -> list[Path]:
    """Write the configuration beside the data as `<name>.axolotl.yaml`."""
    target = path.with_name(f"{stem(path)}.axolotl.yaml")
    target.write_text(yaml.safe_dump(configuration(path, kind), sort_keys=False), encoding="utf-8")
    return [target]
