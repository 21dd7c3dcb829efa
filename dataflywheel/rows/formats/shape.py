"""What every record shape shares: reading a record into rows, writing a row as a record, and losing nothing on the way.

A shape knows only the plain spelling of its fields (`parse`, `render`). Where a record spells the same content in another
way, the difference is remembered under `flywheel` in the row's `extra`, and writing the row in that shape restores it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from dataflywheel.rows.formats.patch import PatchError, apply, difference
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Message, Row

Record = dict[str, Any]
OURS = "flywheel"
FACTS = frozenset({"extra", "source", "tags", "copies", "parents", "made_by", "round"})
"""What the key `flywheel` of a written record may hold."""


class ReadError(Exception):
    """A record that cannot become a row: `field` is where, `reason` what is wrong and what was expected."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field, self.reason = field, reason


class CannotHold(Exception):  # noqa: N818 - says what happened: the shape has no place for the row
    """The shape has no place for something in the row; the text says for what."""


@dataclass
class Draft:
    """The content of a row before it has an identity, with `extra` still a dict.

    `prompt_turns` counts the turns that `messages` and `rejected` share; None means all turns but the last.
    `exact` says that rendering the draft is known to give the record back.
    """

    messages: list[Message]
    rejected: list[Message] | None = None
    tools: str | None = None
    label: str | None = None
    extra: Record = field(default_factory=dict)
    prompt_turns: int | None = None
    exact: bool = False

    def pair(self) -> tuple[list[Message], list[Message], list[Message]]:
        """Prompt, chosen continuation and rejected continuation.

        Raises:
            CannotHold: the row has no rejected answer.
        """
        if self.rejected is None:
            raise CannotHold("a row without a rejected answer")
        cut = len(self.messages) - 1 if self.prompt_turns is None else self.prompt_turns
        return self.messages[:cut], self.messages[cut:], self.rejected

    def turn(self) -> tuple[str, str]:
        """The prompt and the answer of a row that is one plain user turn and one plain assistant turn.

        Raises:
            CannotHold: the row has other turns, or a rejected answer.
        """
        if self.rejected is not None:
            raise CannotHold("a rejected answer")
        if [m["role"] for m in self.messages] != ["user", "assistant"]:
            raise CannotHold(f"turns other than user, assistant (it has {roles(self.messages)})")
        return plain(self.messages[0]), plain(self.messages[1])


def roles(messages: Iterable[Message]) -> str:
    return ", ".join(m["role"] for m in messages)


def plain(message: Message) -> str:
    """The content of a message that has nothing else.

    Raises:
        CannotHold: it has tool calls or a name.
    """
    if message["tool_calls"] is not None or message["name"] is not None:
        raise CannotHold("tool calls or a speaker's name")
    return message["content"]


def text(record: Record, key: str) -> str:
    """Take a text field out of a record.

    Raises:
        ReadError: the field is not text.
    """
    value = record.pop(key)
    if not isinstance(value, str):
        raise ReadError(key, f"expected text, got {kind(value)}")
    return value


def kind(value: Any) -> str:
    """The JSON name of a value's type, for messages to people."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


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
        draft = self.parse(rest)
        draft.label = label
        if not draft.exact:
            self._remember(draft, tags, record)
        return [finish(draft, source, tags, facts)]

    def write(self, row: Row, lineage: bool = True, source: str = "") -> Record:
        """The record of one row; `source` is what a reader would give it by default.

        With `lineage`, source, copies, parents, made_by and round are added under `flywheel` where they are not the default.

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
        shown = Draft(draft.messages, draft.rejected, draft.tools, draft.label, extra, draft.prompt_turns)
        own = self.render(shown)
        if draft.label is not None:
            own["label"] = {"true": True, "false": False}.get(draft.label, draft.label)
        if tags:
            own["tags"] = tags
        return {**extra, **own}

    def _spellings(self, row: Row, extra: Record) -> Iterator[Record]:
        """Ways to write the row, best first; the caller takes the first that reads back the same."""
        ours = extra.get(OURS)
        ours = ours if isinstance(ours, dict) else {}
        content = row["messages"], row["rejected"], row["tools"], row["label"]
        record = self._compose(Draft(*content, extra, ours.get("prompt_turns")), row["tags"])
        try:
            yield apply(record, ours.get("patch", []))
        except PatchError:
            pass
        bare = self._compose(Draft(*content, {}, ours.get("prompt_turns")), row["tags"])
        beside = {key: value for key, value in extra.items() if key != OURS and key not in bare}
        hidden = {key: value for key, value in extra.items() if key not in beside}
        yield {**beside, **bare, OURS: {"extra": hidden}}
        yield {**bare, OURS: {"extra": extra}}
        yield {**self._compose(Draft(*content), []), OURS: {"extra": extra, "tags": row["tags"]}}


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
    """Take `label` as text: `true` and `false` for KTO, a class otherwise; lists, objects and fractions stay in extra."""
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
    if not any(m["content"] or m["tool_calls"] for m in draft.messages):
        raise ReadError("", "no content: every turn is empty")
    try:
        row = make_row(
            draft.messages, rejected=draft.rejected, tools=draft.tools, label=draft.label, source=source,
            tags=tags, extra={**draft.extra, **facts["extra"]} if "extra" in facts else draft.extra,
        )  # fmt: skip
    except TypeError as error:
        raise ReadError("", f"cannot be stored: {error}") from None
    for key in facts.keys() - {"extra"}:
        row[key] = facts[key]  # type: ignore[literal-required]
    return row


def same_content(a: Row, b: Row) -> bool:
    """Equal in everything but lineage."""
    return all(a[key] == b[key] for key in ("messages", "rejected", "tools", "label", "tags", "extra"))  # type: ignore[literal-required]


def with_lineage(record: Record, row: Row, source: str) -> Record:
    """`record` with the lineage that a reader would not give by default."""
    default = {"source": source, "copies": 1, "parents": [], "made_by": "", "round": 0}
    facts = {key: row[key] for key, usual in default.items() if row[key] != usual}  # type: ignore[literal-required]
    if not facts:
        return record
    return {**record, OURS: {**record.get(OURS, {}), **facts}}
