"""What every record shape shares: reading a record into rows, writing a row as a record, losing nothing on the way.

A shape knows only the plain spelling of its fields (`parse`, `render`). Where a record spells the same content in
another way, the difference is remembered under `flywheel` in `extra`, and writing the row in that shape restores it.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from dataflywheel.rows.formats.draft import CannotHold, Draft, ReadError, Record
from dataflywheel.rows.formats.media import media_columns, placed, take_cells, take_media
from dataflywheel.rows.formats.patch import PatchError, apply, difference
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row

OURS = "flywheel"
FACTS = frozenset({"extra", "source", "tags", "copies", "parents", "made_by", "round"})
"""What the key `flywheel` of a written record may hold."""


class Shape(ABC):
    """One way of writing a training example as a JSON object. Most shapes hold one row a record."""

    name: str

    @abstractmethod
    def matches(self, keys: frozenset[str]) -> bool:
        """Whether a record with these keys may be of this shape."""

    def accepts(self, record: Mapping[str, Any]) -> bool:
        """Whether this record is of this shape, where the keys alone do not tell."""
        return True

    @abstractmethod
    def parse(self, record: Record) -> Draft:
        """Take the shape's own fields out of `record` (a copy, which may be changed); the rest becomes `extra`.

        Raises:
            ReadError: a field is missing or of the wrong type.
        """

    @abstractmethod
    def render(self, draft: Draft) -> Record:
        """The shape's own fields in their plain spelling; fields of `draft.extra` that they absorb are popped.

        Raises:
            CannotHold: the shape has no place for the row.
        """

    def read(self, record: Record, source: str = "") -> list[Row]:
        """The rows of one record.

        Raises:
            ReadError: the record cannot become a row.
        """
        rest = dict(record)
        facts = take_facts(rest)
        if facts:
            record = dict(rest)
        tags = take_tags(rest)
        label = take_label(rest)
        media = take_media(rest)
        cells = take_cells(rest)
        draft = self.parse(rest)
        draft.label, draft.cells = label, cells
        if media or draft.media:
            draft.media = placed(draft.media, media, [*draft.messages, *(draft.rejected or ())])
        if not draft.exact or draft.media or cells is not None:
            self._remember(draft, tags, record)
        return [finish(draft, source, tags, facts)]

    def write(self, row: Row, lineage: bool = True, source: str = "") -> Record:
        """The record of one row; `source` is what a reader would give it by default.

        With `lineage`, source, copies, parents, made_by and round are added under `flywheel` where not the default.

        Raises:
            CannotHold: the shape has no place for the row.
        """
        extra: Record = orjson.loads(row["extra"])
        for record in self._spellings(row, extra):
            try:
                back = self.read(record)
            except ReadError:
                continue
            if len(back) == 1 and same_content(back[0], row):
                return with_lineage(record, row, source) if lineage else record
        raise CannotHold("this content so that it reads back the same")

    def write_all(self, rows: Iterable[Row], lineage: bool = True, source: str = "") -> Iterator[tuple[Row, Record]]:
        """Records in order, each with the first row it holds; shapes that hold several rows a record override this."""
        for row in rows:
            yield row, self.write(row, lineage, source)

    def _remember(self, draft: Draft, tags: list[str], record: Record) -> None:
        patch = difference(self._compose(draft, tags), record)
        ours = {"patch": patch} if patch else {}
        if draft.prompt_turns is not None and draft.prompt_turns != len(draft.messages) - 1:
            ours["prompt_turns"] = draft.prompt_turns  # type: ignore[assignment]
        if ours:
            draft.extra[OURS] = ours

    def _compose(self, draft: Draft, tags: list[str]) -> Record:
        """The plain spelling of a draft, `extra` beside it; on a clash of names the shape's own field wins."""
        extra = {key: value for key, value in draft.extra.items() if key != OURS}
        shown = replace(draft, extra=extra)
        own = self.render(shown)
        own |= media_columns(shown.media)
        if draft.cells is not None:
            own["cells"] = orjson.loads(draft.cells)
        if draft.label is not None:
            own["label"] = {"true": True, "false": False}.get(draft.label, draft.label)
        if tags:
            own["tags"] = tags
        return {**extra, **own}

    def _spellings(self, row: Row, extra: Record) -> Iterator[Record]:
        """Ways to write the row, best first; the caller takes the first that reads back the same."""
        ours = extra.get(OURS)
        ours = ours if isinstance(ours, dict) else {}
        draft = draft_of(row)
        shared = ours.get("prompt_turns")
        record = self._compose(replace(draft, extra=extra, prompt_turns=shared), row["tags"])
        with contextlib.suppress(PatchError):
            yield apply(record, ours.get("patch", []))
        bare = self._compose(replace(draft, extra={}, prompt_turns=shared), row["tags"])
        beside = {key: value for key, value in extra.items() if key != OURS and key not in bare}
        hidden = {key: value for key, value in extra.items() if key not in beside}
        yield {**beside, **bare, OURS: {"extra": hidden}}
        yield {**bare, OURS: {"extra": extra}}
        yield {**self._compose(replace(draft, extra={}), []), OURS: {"extra": extra, "tags": row["tags"]}}


def take_facts(record: Record) -> Record:
    """Take what a writer of ours put under `flywheel`; anything else under that name stays where it is."""
    facts = record.get(OURS)
    if not isinstance(facts, dict) or not facts or not facts.keys() <= FACTS:
        return {}
    if not isinstance(facts.get("extra", {}), dict):
        return {}
    del record[OURS]
    return facts


def take_tags(record: Record) -> list[str]:
    """Take `tags` where it is a list of texts that is not empty."""
    tags = record.get("tags")
    if isinstance(tags, list) and tags and all(isinstance(tag, str) for tag in tags):
        del record["tags"]
        return tags
    return []


def take_label(record: Record) -> str | None:
    """Take `label` as text: `true` and `false` for KTO, a class otherwise; other types stay in extra."""
    label = record.get("label")
    if isinstance(label, bool):
        label = "true" if label else "false"
    elif isinstance(label, int):
        label = str(label)
    if not isinstance(label, str):
        return None
    del record["label"]
    return label


def finish(draft: Draft, source: str, tags: list[str], facts: Record) -> Row:
    """Give a draft its identity and its lineage.

    Raises:
        ReadError: no text in it, or text that is not valid Unicode.
    """
    for turn in draft.messages:
        if turn["content"] or turn["tool_calls"] or turn["reasoning"]:
            break
    else:
        raise ReadError("", "no content: every turn is empty")
    try:
        row = make_row(
            draft.messages, rejected=draft.rejected, tools=draft.tools, label=draft.label, source=source,
            tags=tags, extra={**draft.extra, **facts["extra"]} if "extra" in facts else draft.extra,
            media=draft.media, cells=draft.cells,
        )  # fmt: skip
    except TypeError as error:
        raise ReadError("", f"cannot be stored: {error}") from None
    for key in facts.keys() - {"extra"}:
        row[key] = facts[key]  # type: ignore[literal-required]
    return row


CONTENT: Final = ("messages", "rejected", "tools", "label", "media", "cells", "tags", "extra")


def draft_of(row: Row) -> Draft:
    """The content of a row on its way out, with nothing in `extra`."""
    content = row["messages"], row["rejected"], row["tools"], row["label"]
    return Draft(*content, media=list(row["media"] or ()), cells=row["cells"])


def same_content(a: Row, b: Row) -> bool:
    """Equal in everything but lineage."""
    return all(a[key] == b[key] for key in CONTENT)


def with_lineage(record: Record, row: Row, source: str) -> Record:
    """`record` with the lineage that a reader would not give by default."""
    default = {"source": source, "copies": 1, "parents": [], "made_by": "", "round": 0}
    facts = {key: row[key] for key, usual in default.items() if row[key] != usual}  # type: ignore[literal-required]
    if not facts:
        return record
    return {**record, OURS: {**record.get(OURS, {}), **facts}}
