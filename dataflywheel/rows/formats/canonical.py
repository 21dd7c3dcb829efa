"""Our own schema as JSON: nothing is guessed and nothing is moved; the identity is made anew from the content."""

from __future__ import annotations

from typing import Any

import orjson

from dataflywheel.rows.formats.beside import take_weight
from dataflywheel.rows.formats.draft import Draft, ReadError, Record, kind
from dataflywheel.rows.formats.media import medium
from dataflywheel.rows.formats.shape import Shape, finish
from dataflywheel.rows.formats.turns import read_turns
from dataflywheel.rows.schema import ROW_SCHEMA, Row

KEYS = frozenset(ROW_SCHEMA.names)
LINEAGE: dict[str, tuple[type, Any]] = {
    "copies": (int, 1), "source": (str, ""), "parents": (list, []), "made_by": (str, ""), "round": (int, 0),
}  # fmt: skip


class Canonical(Shape):
    """A row as it is; absent or null fields take their default, fields beyond the schema go to `extra`."""

    name = "canonical"

    def matches(self, keys: frozenset[str]) -> bool:
        return {"messages", "copies", "extra", "made_by"} <= keys

    def parse(self, record: Record) -> Draft:
        messages, _ = read_turns(record["messages"], "messages")
        rejected = None if record.get("rejected") is None else read_turns(record["rejected"], "rejected")[0]
        texts = {key: as_text(record.get(key), key) for key in ("tools", "label", "cells")}
        media = [medium(one["type"], one["ref"], "media") for one in record.get("media") or ()]
        return Draft(messages, rejected, texts["tools"], texts["label"], media=media, cells=texts["cells"])

    def render(self, draft: Draft) -> Record:
        return {"messages": draft.messages, "rejected": draft.rejected, "tools": draft.tools, "label": draft.label}

    def read(self, record: Record, source: str = "") -> list[Row]:
        draft = self.parse(record)
        draft.extra = {**read_extra(record.get("extra")), **{k: v for k, v in record.items() if k not in KEYS}}
        facts: Record = {}
        for key, (expected, default) in LINEAGE.items():
            value = default if record.get(key) is None else record[key]
            if not isinstance(value, expected):
                raise ReadError(key, f"expected {kind(default)}, got {kind(value)}")
            facts[key] = value
        tags = record.get("tags") or []
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in [*tags, *facts["parents"]]):
            raise ReadError("tags", "expected lists of texts in tags and parents")
        facts["source"] = facts["source"] or source
        facts |= take_weight(record)
        return [finish(draft, source, tags, facts)]

    def write(self, row: Row, lineage: bool = True, source: str = "") -> Record:
        fields = {key: value for key, value in row.items() if value is not None}
        for key in ("messages", "rejected"):
            if key in fields:
                fields[key] = [{k: v for k, v in turn.items() if v is not None} for turn in row[key] or ()]
        return fields


def as_text(value: Any, key: str) -> str | None:
    """A text, or for tools and cells what the text would hold.

    Raises:
        ReadError: anything else.
    """
    if key != "label" and isinstance(value, list | dict):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    if isinstance(value, str | None):
        return value
    raise ReadError(key, f"expected {'text' if key == 'label' else 'JSON'} or null, got {kind(value)}")


def read_extra(value: Any) -> Record:
    """`extra` as an object, given as JSON text or as an object.

    Raises:
        ReadError: neither.
    """
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise ReadError("extra", "expected a JSON object, got other text") from None
    if value is not None and not isinstance(value, dict):
        raise ReadError("extra", f"expected an object, got {kind(value)}")
    return value or {}
