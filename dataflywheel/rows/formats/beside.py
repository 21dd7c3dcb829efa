"""What any record may have beside its shape's own fields: tags, a system text, and what a writer of ours put there."""

from __future__ import annotations

import math
from functools import lru_cache

from dataflywheel.rows.formats.content import read_content
from dataflywheel.rows.formats.draft import Draft, ReadError, Record, has_words, texts_in
from dataflywheel.rows.formats.ends import BESIDE
from dataflywheel.rows.formats.media import FILE, OF_REJECTED, media_keys
from dataflywheel.rows.formats.names import THOUGHTS, by_name, folded, label_key, system_key, thinks
from dataflywheel.rows.formats.row_model import OURS as OURS
from dataflywheel.rows.formats.row_model import model_of
from dataflywheel.rows.formats.tool_specs import tools_keys
from dataflywheel.rows.formats.turn_thoughts import UNREADABLE, is_sealed, objects_in
from dataflywheel.rows.schema import Row

FACTS = frozenset(
    {"extra", "source", "tags", "copies", "parents", "made_by", "round", "label", "weight", "id", "model", "format"}
)
"""What the key `flywheel` of a written record may hold."""
TEXTS, NUMBERS = ("id", "source", "made_by", "model"), ("copies", "round")
FORM = "format"
"""Says which shape a record has, of those that nothing else tells."""
ORIGIN = (*TEXTS, *NUMBERS, "parents")
"""What a data set tells of every row."""
SENTENCE = 6
"""Texts with fewer words in a column that only sounds like thoughts are notes on them, such as their kind."""


@lru_cache(maxsize=4096)
def beside(keys: frozenset[str]) -> frozenset[str]:
    """Which of the things that any shape may have beside its own fields a record with these keys may hold."""
    held = {
        "tags": "tags" in keys,
        "label": "label" in by_name(keys) or label_key(keys) is not None,
        "tools": bool(tools_keys(keys)),
        "media": bool(media_keys(keys)) or FILE in keys or not keys.isdisjoint(OF_REJECTED),
        "cells": "cells" in keys,
        "system": system_key(keys) is not None,
        "end": not keys.isdisjoint(BESIDE),
    }
    return frozenset(name for name, is_there in held.items() if is_there)


def take_facts(record: Record) -> Record:
    """Take what a writer of ours put under `flywheel`; anything else under that name stays where it is."""
    facts = record.get(OURS)
    if not isinstance(facts, dict) or not facts or not facts.keys() <= FACTS:
        return {}
    facts = {key: value for key, value in facts.items() if value is not None}  # columns of tables fill up with nulls
    if not isinstance(facts.get("extra", {}), dict) or not well_typed(facts):
        return {}
    del record[OURS]
    held = {key: value for key, value in facts.items() if key not in ("id", FORM) and (key, value) != ("source", "")}
    if isinstance(parents := facts.get("parents"), str):
        held["parents"] = parents.split()
    return {**held, **take_weight(facts)}


def well_typed(facts: Record) -> bool:
    """Whether texts are texts and numbers numbers: what somebody else wrote under that name may be anything."""
    parents = facts.get("parents", "")
    listed = isinstance(parents, list) and all(isinstance(one, str) for one in parents)
    return (
        all(isinstance(facts.get(key, ""), str) for key in TEXTS)
        and all(type(facts.get(key, 0)) is int for key in NUMBERS)
        and (listed or isinstance(parents, str))
    )


def origin_of(row: Row, model: str = "") -> Record:
    """What a data set tells of a row under `flywheel`: which it is, where it comes from, who made it of what.

    The same keys with values of the same kind in every record, none of them null or a list: loaders take the kinds of
    the first records for those of all. Ids of `parents` stand in one text, with blanks between.
    """
    return {
        "id": row["id"],
        "source": row["source"],
        "made_by": row["made_by"],
        "model": model or model_of(row["extra"]),
        "parents": " ".join(row["parents"]),
        "round": row["round"],
        "copies": row["copies"],
    }


def without_origin(record: Record) -> Record:
    """A record of a data set without what it tells of where its row comes from."""
    facts = record.get(OURS)
    if not isinstance(facts, dict) or not facts.keys() >= set(ORIGIN):
        return record
    rest = {key: value for key, value in facts.items() if key not in (*ORIGIN, FORM)}
    return {key: value for key, value in record.items() if key != OURS} | ({OURS: rest} if rest else {})


def take_weight(facts: Record) -> Record:
    """`weight` as a row holds it, nothing where there is none.

    Raises:
        ReadError: it is not a number from 0.
    """
    weight = facts.get("weight")
    if weight is None:
        return {}
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
        raise ReadError("weight", f"expected a number from 0, got {weight!r}")
    return {"weight": float(weight)}


def take_tags(record: Record) -> list[str]:
    """Take `tags` where it is a list of texts that is not empty."""
    tags = record.get("tags")
    if isinstance(tags, list) and tags and all(isinstance(tag, str) for tag in tags):
        del record["tags"]
        return tags
    return []


def take_system(record: Record) -> tuple[str, str] | None:
    """Take the system text of a record with the name of its column.

    Raises:
        ReadError: a system text that is no text.
    """
    key = system_key(frozenset(record))
    if key is None:
        return None
    value = record[key]
    if isinstance(value, dict) and value:
        value = next((value[name] for name in ("content", "text", "parts") if value.get(name)), None)
        if not isinstance(value, str | list):
            raise ReadError(key, "expected a text, got an object")
    if isinstance(value, list) and value:
        value = read_content(value, key)
    if not isinstance(value, str) or not value:
        return None
    del record[key]
    return key, value


@lru_cache(maxsize=4096)
def thoughtful(keys: frozenset[str]) -> tuple[str, ...]:
    """The keys that by their name may hold thoughts."""
    return tuple(sorted(k for k in keys if thinks(folded(k)) or folded(k) in THOUGHTS or is_sealed(k, "x")))


def inner_thoughtful(record: Record) -> Record:
    """The fields of the objects within a record that by their name may hold thoughts, by their paths."""
    return {f"{path}.{key}": held[key] for path, held in objects_in(record) for key in thoughtful(frozenset(held))}


def no_thoughts_left(draft: Draft) -> None:
    """Check that nothing beside the turns is what the answer was thought of, by its name, and stands in no turn.

    Raises:
        ReadError: something is.
    """
    if not draft.extra or not draft.messages or draft.messages[-1]["role"] != "assistant":
        return
    beside = {key: draft.extra[key] for key in thoughtful(frozenset(draft.extra))} | inner_thoughtful(draft.extra)
    if not beside:
        return
    turns = [*draft.messages, *(draft.rejected or ())]
    said = [text for turn in turns for text in (turn["content"], turn["reasoning"] or "")]
    for key, value in beside.items():
        if is_sealed(key.rpartition(".")[2], value) and not any(turn["reasoning"] for turn in draft.messages):
            raise ReadError(key, UNREADABLE)
        lost = [text for text in texts_in(value) if has_words(text, SENTENCE)]
        if not all(any(text.strip() in one for one in said) for text in lost):
            raise ReadError(
                key, "would be left out beside the turns, and may be what the answer was thought of; where it is, "
                "write it into the answer's turn as reasoning_content, or name it with `columns` as its reasoning; "
                "where not, name the other columns",
            )  # fmt: skip


def with_lineage(record: Record, row: Row, source: str, lineage: bool = True) -> Record:
    """`record` with the row's weight, since that changes what is learned, and with the lineage that a reader would not
    give by default where it is wanted."""
    default = {"source": source, "copies": 1, "parents": [], "made_by": "", "round": 0} if lineage else {}
    default["weight"] = None
    facts = {key: row[key] for key, usual in default.items() if row[key] != usual}  # type: ignore[literal-required]
    facts |= {"model": model} if lineage and (model := model_of(row["extra"])) else {}
    if not facts:
        return record
    return {**record, OURS: {**record.get(OURS, {}), **facts}}
