"""What every record shape shares: reading a record into rows, writing a row as a record, losing nothing on the way.

A shape knows only the plain spelling of its fields (`parse`, `render`). Where a record spells the same content in
another way, the difference is remembered under `flywheel` in `extra`, and writing the row in that shape restores it.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import orjson

from dataflywheel.rows.formats.beside import OURS as OURS
from dataflywheel.rows.formats.beside import beside, no_thoughts_left, take_system, take_tags
from dataflywheel.rows.formats.beside import take_facts as take_facts
from dataflywheel.rows.formats.beside import with_lineage as with_lineage
from dataflywheel.rows.formats.draft import CannotHold, Draft, ReadError, Record, draft_of, plain, same_content
from dataflywheel.rows.formats.ends import whole_beside
from dataflywheel.rows.formats.label import add_label, no_answer, take_label
from dataflywheel.rows.formats.media import media_columns, no_boxes, placed, take_cells, take_media
from dataflywheel.rows.formats.patch import PatchError, apply, difference
from dataflywheel.rows.formats.row_model import extra_of, without_model
from dataflywheel.rows.formats.tool_specs import take_tools, tool_list
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Medium, Row, message


class Shape(ABC):
    """One way of writing a training example as a JSON object. Most shapes hold one row a record."""

    name: str
    own: frozenset[str] = frozenset()
    """The fields that hold prompt and answers, where other fields of such a name would be lost beside them."""
    by_keys = True
    """Whether the keys alone tell the shape where no other has them."""
    system_column = False
    """Whether a system text is written as a column of its own, and not as a turn."""
    sure = False  # whether somebody said what the chat is: nothing beside it is doubted then
    marked = False  # whether a record that tells its origin tells its shape, too, since nothing else does
    told = False  # whether somebody said what the columns hold: their names say nothing then

    @abstractmethod
    def matches(self, keys: frozenset[str]) -> bool:
        """Whether a record with these keys may be of this shape."""

    def accepts(self, record: Mapping[str, Any]) -> bool:
        """Whether this record is of this shape, where the keys alone do not tell."""
        return True

    def takes_label(self, record: Record) -> bool:
        """Whether `label` is a label, and not which of two answers is better."""
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
        record = dict(rest) if (facts := take_facts(rest)) else record
        nulls: Record = {key: None for key, value in rest.items() if value is None} if None in rest.values() else {}
        if nulls:
            rest = {key: value for key, value in rest.items() if value is not None}
        there = beside(frozenset(rest))
        tags, media = list[str](), list[Medium]()
        label = tools = cells = system = None
        if there:
            tags = take_tags(rest) if "tags" in there else tags
            label = take_label(rest) if "label" in there and self.takes_label(rest) else None
            tools = take_tools(rest) if "tools" in there else None
            media = take_media(rest) if "media" in there else media
            cells = take_cells(rest) if "cells" in there else None
            system = take_system(rest) if "system" in there else None
        draft = self.parse(rest)
        if "end" in there and draft.messages and draft.messages[-1]["role"] == "assistant":
            whole_beside(record)
        if not self.told and not self.sure:
            no_thoughts_left(draft)
        draft.extra.update(nulls)
        draft.cells = cells
        if tools is not None:
            draft.tools, draft.exact = tools, False
        if system is not None:
            record = self.add_system(draft, *system, record)
        if label is not None:
            add_label(draft, *label, () if self.told else record.keys())
            no_answer(draft, *label)
        if media or draft.media:
            turns = [*draft.messages, *(draft.rejected or ())]
            draft.media = placed(draft.media, media, turns)
            no_boxes(draft.extra, turns)
        if not draft.exact or draft.media or cells is not None or nulls:
            self._remember(draft, tags, record)
        draft.label = facts.get("label", draft.label)
        return [finish(draft, source, tags, facts)]

    def add_system(self, draft: Draft, key: str, said: str, record: Record) -> Record:
        """Put the system text of a column before the other turns; gives the record that writing is to restore.

        Raises:
            ReadError: the turns begin with another one.
        """
        if draft.messages and draft.messages[0]["role"] == "system":
            if draft.messages[0]["content"] != said:
                raise ReadError(key, "another text than the system turn at the head of the turns; keep one of them")
            draft.extra[key] = said
            return record
        draft.messages.insert(0, message("system", said))
        draft.exact = False
        if draft.prompt_turns is not None:
            draft.prompt_turns += 1
        if not self.system_column or key != "system":
            draft.names["system"] = key
        return record

    def write(self, row: Row, lineage: bool = True, source: str = "") -> Record:
        """The record of one row; `source` is what a reader would give it by default.

        With `lineage`, source, copies, parents, made_by and round are added under `flywheel` where not the default; a
        weight always.

        Raises:
            CannotHold: the shape has no place for the row.
        """
        bare = without_model(row)
        for record in self._spellings(bare, orjson.loads(bare["extra"])):
            try:
                back = self.read(record)
            except ReadError:
                continue
            if len(back) == 1 and same_content(back[0], bare):
                return with_lineage(record, row, source, lineage)
        raise CannotHold("this content so that it reads back the same")

    def write_all(self, rows: Iterable[Row], lineage: bool = True, source: str = "") -> Iterator[tuple[Row, Record]]:
        """Records in order, each with the first row it holds; shapes that hold several rows a record override this."""
        for row in rows:
            yield row, self.write(row, lineage, source)

    def tools(self, tools: str) -> Any:
        """Tool specifications as the shape writes them."""
        return tool_list(tools)

    def _remember(self, draft: Draft, tags: list[str], record: Record) -> None:
        try:
            plain = self._compose(draft, tags)
        except CannotHold:  # it was spelled as this shape does not write it: all of the spelling is kept
            plain = {key: value for key, value in draft.extra.items() if key != OURS}
        patch = difference(plain, record)
        ours: Record = {"patch": patch} if patch else {}
        usual = "prompt" in draft.names and all(key == name for key, name in draft.names.items())
        if draft.whole or (draft.names and not (usual and draft.names.keys().isdisjoint(("context", "history")))):
            ours["names"] = {**draft.names, "shape": self.name}
        if draft.whole:
            ours["whole"] = draft.whole
        if draft.prompt_turns is not None and draft.prompt_turns != len(draft.messages) - 1:
            ours["prompt_turns"] = draft.prompt_turns
        if ours:
            draft.extra[OURS] = ours

    def _compose(self, draft: Draft, tags: list[str]) -> Record:
        """The plain spelling of a draft, `extra` beside it; on a clash of names the shape's own field wins."""
        extra = {key: value for key, value in draft.extra.items() if key != OURS}
        shown = replace(draft, extra=extra, tools=None)
        system = shown.names.get("system", "system" if self.system_column else None)
        first = shown.messages[0] if shown.messages else None
        if system is None or first is None or first["role"] != "system":
            own = self.render(shown)
        else:
            cut = None if shown.prompt_turns is None else max(0, shown.prompt_turns - 1)
            own = self.render(replace(shown, messages=shown.messages[1:], prompt_turns=cut))
            own[system] = plain(first)
        if draft.tools is not None:
            own["tools"] = self.tools(draft.tools)
        own |= media_columns(shown.media)
        if draft.cells is not None:
            own["cells"] = orjson.loads(draft.cells)
        if draft.label is not None:
            own[shown.names.get("label", "label")] = {"true": True, "false": False}.get(draft.label, draft.label)
        if tags:
            own["tags"] = tags
        return {**extra, **own}

    def _spellings(self, row: Row, extra: Record) -> Iterator[Record]:
        """Ways to write the row, best first; the caller takes the first that reads back the same."""
        ours = extra.get(OURS)
        ours = ours if isinstance(ours, dict) else {}
        draft = draft_of(row)
        turns = ours.get("prompt_turns")
        shared = turns if type(turns) is int and 0 <= turns <= len(row["messages"]) else None
        names, whole = (dict(held) if isinstance(held := ours.get(key), dict) else {} for key in ("names", "whole"))
        if names.pop("shape", None) == self.name and all(isinstance(name, str) for name in names.values()):
            with contextlib.suppress(PatchError, CannotHold):
                told = replace(draft, extra=extra, prompt_turns=shared, names=names, whole=whole)
                yield apply(self._compose(told, row["tags"]), ours.get("patch", []))
        else:
            record = self._compose(replace(draft, extra=extra, prompt_turns=shared), row["tags"])
            with contextlib.suppress(PatchError):
                yield apply(record, ours.get("patch", []))
        bare = self._compose(replace(draft, extra={}, prompt_turns=shared), row["tags"])
        beside = {key: value for key, value in extra.items() if key != OURS and key not in bare}
        hidden = {key: value for key, value in extra.items() if key not in beside}
        yield {**beside, **bare, OURS: {"extra": hidden}}
        yield {**bare, OURS: {"extra": extra}}
        rest: Record = {"extra": extra, "tags": row["tags"]}
        yield {**self._compose(replace(draft, extra={}), []), OURS: rest}
        if row["label"] is not None:
            yield {**self._compose(replace(draft, extra={}, label=None), []), OURS: {**rest, "label": row["label"]}}


def finish(draft: Draft, source: str, tags: list[str], facts: Record) -> Row:
    """Give a draft its identity and its lineage.

    Raises:
        ReadError: no text in it, or text that is not valid Unicode.
    """
    if not any(turn["content"] or turn["tool_calls"] or turn["reasoning"] for turn in draft.messages):
        raise ReadError("", "no content: every turn is empty")
    try:
        row = make_row(
            draft.messages, rejected=draft.rejected, tools=draft.tools, label=draft.label, source=source,
            tags=tags, extra=extra_of(draft, facts),
            media=draft.media, cells=draft.cells,
        )  # fmt: skip
    except TypeError as error:
        raise ReadError("", f"cannot be stored: {error}") from None
    for key in facts.keys() - {"extra", "model"}:
        row[key] = facts[key]  # type: ignore[literal-required]
    return row
