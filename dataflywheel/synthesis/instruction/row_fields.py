"""Rows by fields of one's own: what of a seed is shown, and which fields of an answer become what of a row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from dataflywheel.models.endpoint.instructions import retold
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Message, Row, message
from dataflywheel.rows.text import part_of
from dataflywheel.signals.rating.answer_fields import Type, check_kind, kind_of

PARTS = ("prompt", "answer", "system", "label")
"""What of a row a field may become; prompt and system may be made of several, with a blank line between."""
JOINED = ("prompt", "system")
USUAL = ("prompt", "answer")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_OF_ROW = re.compile(r"(?<![\w\\}^$])\{\{?\s*([A-Za-z_]\w*)\s*\}?\}")
OWN = ("text", "tags", "source", *PARTS)
"""What any row has to show; other names are those of its further fields."""


def places(text: str) -> list[str]:
    """The names that stand in braces in a prompt, each once.

    >>> places("Like {prompt}, as {{ topic }}, and {prompt} again; {1, 2}, f{x} and a^{b} are none.")
    ['prompt', 'topic']
    """
    return list(dict.fromkeys(_OF_ROW.findall(text)))


def by_name(text: str) -> str:
    """The prompt with names in braces as names of what is shown: no text of a row comes into it.

    >>> by_name("Make {prompt} harder.")
    'Make `prompt` harder.'
    """
    return retold(_OF_ROW.sub(lambda found: f"`{found[1]}`", text), text)


def check_fields(fields: Mapping[str, Type], columns: Mapping[str, str | Sequence[str]], tags: Sequence[str]) -> None:
    """Raises ValueError: fields of no kind, a part of a row made of no field, or rows without an answer."""
    for name, kind in fields.items():
        if not NAME.fullmatch(name):
            raise ValueError(f"the field {name!r} is no name: letters, digits and _ after a letter")
        check_kind(name, kind)
    for part, named in columns.items():
        if part not in PARTS:
            raise ValueError(f"columns: a row is made of {', '.join(PARTS)}, and {part!r} is none of these")
        if not isinstance(named, str) and part not in JOINED:
            raise ValueError(f"columns.{part}: one field; only prompt and system are joined from several")
    used = [*columns.values(), tags]
    for name in (name for one in used for name in ([one] if isinstance(one, str) else one)):
        if name not in fields:
            raise ValueError(f"there is no field {name!r} to make a row of; the fields are {', '.join(fields)}")
    if "answer" not in parts_of_row(fields, columns):
        raise ValueError(
            "no field becomes the answer of the row: name one `answer`, or say which it is, `columns: {answer: NAME}`"
        )


def parts_of_row(fields: Iterable[str], columns: Mapping[str, str | Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The fields that each part of a row is made of: as told, else the one of that name.

    >>> parts_of_row(["question", "answer", "topic"], {"prompt": "question"})
    {'prompt': ('question',), 'answer': ('answer',)}
    """
    told = {part: (named,) if isinstance(named, str) else tuple(named) for part, named in columns.items()}
    taken = {name for names in told.values() for name in names}
    found = {part: told.get(part, (part,) if part in fields and part not in taken else ()) for part in PARTS}
    return {part: names for part, names in found.items() if names}


def shown(row: Row, names: Sequence[str]) -> dict[str, str]:
    """The texts of a row by these names; what it does not have is not among them."""
    found = {name: _text(row, name) for name in names}
    return {name: text for name, text in found.items() if text.strip()}


def _text(row: Row, name: str) -> str:
    turns = row["messages"]
    if name in ("prompt", "answer", "text"):
        return part_of(turns, "all" if name == "text" else name)  # type: ignore[arg-type]
    if name == "system":
        return "\n\n".join(turn["content"] for turn in turns if turn["role"] == "system")
    if name == "tags":
        return ", ".join(row["tags"])
    if name in ("label", "source"):
        return row[name] or ""  # type: ignore[literal-required]
    return as_text(orjson.loads(row["extra"] or "{}").get(name))


def as_text(value: Any) -> str:
    """A value as a row's text holds it: yes and no as true and false, as labels are written."""
    if value is None or isinstance(value, str):
        return value or ""
    return orjson.dumps(value).decode()


def row_of(
    values: Mapping[str, Any],
    parts: Mapping[str, Sequence[str]],
    tags: Sequence[str],
    parents: Sequence[Row],
    method: str,
    round: int,
) -> tuple[Row | None, str]:
    """The row that an answer's fields make, or why they make none: what is no part of it and no tag is kept beside it
    under its name, and lineage, source and tags are those of the rows shown."""
    held = {part: [as_text(values[name]).strip() for name in names] for part, names in parts.items()}
    texts = {part: "\n\n".join(filter(None, found)) for part, found in held.items()}
    blank = next((part for part in texts if not texts[part]), "")
    if blank:
        return None, f"empty {blank}"
    roles = (("system", "system"), ("prompt", "user"), ("answer", "assistant"))
    turns: list[Message] = [message(role, texts[part]) for part, role in roles if part in texts]
    taken = {name for names in (*parts.values(), tags) for name in names}
    given = [tag for tag in (as_text(values[name]).strip() for name in tags) if tag]
    row = make_row(
        turns,
        label=texts.get("label"),
        source=parents[0]["source"] if parents else method,
        tags=dict.fromkeys([*(parents[0]["tags"] if parents else ()), *given]),
        extra={name: value for name, value in values.items() if name not in taken},
        parents=dict.fromkeys(row["id"] for row in parents),
        made_by=method,
        round=round,
    )
    return row, ""


def plain_values(fields: Mapping[str, Type], answer: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an answer, `yes_no` as true and false."""
    yes = {name for name, kind in fields.items() if kind_of(kind) == "yes_no"}
    return {name: value == "yes" if name in yes else value for name, value in answer.items()}
