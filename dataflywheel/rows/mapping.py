"""Columns and roles of a file under any names: which holds the prompt, which the answer, who speaks."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from dataflywheel.contracts import UsageError, nearest
from dataflywheel.rows.formats import detect, shape_named
from dataflywheel.rows.formats.chats import chat, pair_keys
from dataflywheel.rows.formats.columns import Told
from dataflywheel.rows.formats.draft import ReadError, Record, kind
from dataflywheel.rows.formats.names import ANSWERS, Found, folded, others, resolve
from dataflywheel.rows.formats.openai_messages import ToldMessages
from dataflywheel.rows.formats.paths import MISSING, paths_of, value_at, without
from dataflywheel.rows.formats.serialized import in_text
from dataflywheel.rows.formats.shape import OURS, Shape
from dataflywheel.rows.formats.turns import CANONICAL
from dataflywheel.rows.mapped_turns import beside_turns, retold

FIELDS = {
    "prompt": "prompt", "answer": "completion", "system": "system", "rejected": "rejected", "messages": "messages",
    "role": "role", "content": "content", "label": "label", "reasoning": "reasoning", "tools": "tools",
    "images": "images", "weight": "weight", "text": "text", "source": "source", "tags": "tags",
}  # fmt: skip
"""What a mapping may name, with the name that the shapes have for it."""
IN_TURNS = ("role", "content", "reasoning", "weight")
"""Fields of a turn, where the columns name a chat or its turns."""
JOINED = ("prompt", "text", "system")
"""Fields that may be made of several columns, put together with a blank line between."""
ASIDE = "unmapped"
"""Where a column goes whose name a mapped one takes."""


@dataclass(frozen=True)
class ColumnMapping:
    """Which columns hold what, and which names of roles mean user, assistant, system or tool.

    A column is a name or a path (`data.question`, `choices[0].text`); with `?` behind it, a record may lack it.
    """

    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    roles: tuple[tuple[str, str], ...] = ()

    def read(self, record: Record) -> tuple[Record, Shape]:
        """The record under the names of the shapes, and its shape.

        Raises:
            ReadError: a column is missing or of the wrong type, or the record has no shape under its new names.
        """
        record, given = self.taken(record)
        turns = {field: names[0] for field, names in self.columns if field in IN_TURNS}
        flat = not ("messages" in given or "role" in turns or "content" in turns)
        values = {FIELDS[field]: value for field, value in given.items() if not (field in IN_TURNS and not flat)}
        aside = {key: record[key] for key in values if key in record and key not in ("source", "tags")}
        record = {key: value for key, value in record.items() if key not in values} | values
        if aside:
            record[ASIDE] = aside
        if "source" in values:
            record[OURS] = {"source": str(record.pop("source"))}
        if "tags" in values:
            tags = record["tags"]
            record["tags"] = [str(tag) for tag in (tags if isinstance(tags, list) else [tags])]
        if self.roles or (turns and not flat):
            renamed = dict(self.roles)
            record = {key: retold(value, renamed, {} if flat else turns) for key, value in record.items()}
        if "messages" in record and not flat:
            record = beside_turns(record, turns)
        return self.shaped(record, given, flat)

    def explained(self, reason: str) -> str:
        """A reason with what the fields that it names were called in the record, where it proposes a mapping."""
        called = [f"{field} is {', '.join(names)}" for field, names in self.columns if (field,) != names]
        return f"{reason}, where {' and '.join(called)}" if called and "columns: {" in reason else reason

    def taken(self, record: Record) -> tuple[Record, dict[str, Any]]:
        """The record without its mapped columns, and their values by field; null is absent."""
        given: dict[str, Any] = {}
        rest = record
        chat = any(field in ("messages", "role", "content") for field, _ in self.columns)
        for field, names in self.columns:
            if chat and field in IN_TURNS:
                continue
            values = [held for name in names if (held := self.value(record, name, field)) is not None]
            for name in names:
                rest = without(rest, name.removesuffix("?"))
            if values:
                given[field] = values[0] if len(names) == 1 else joined(values, field, names)
        return rest, given

    def value(self, record: Record, name: str, field: str) -> Any:
        optional, name = name.endswith("?") and name not in record, name if name in record else name.removesuffix("?")
        value = value_at(record, name)
        if value is not MISSING:
            return value
        if optional:
            return None
        close = difflib.get_close_matches(name, paths_of(record), n=3, cutoff=0.5) or paths_of(record, 1)[:8]
        raise ReadError(
            name, f"no such column for {field}; the nearest are {', '.join(close)} ({name}? where a record may lack it)"
        )

    def shaped(self, record: Record, given: Mapping[str, Any], flat: bool) -> tuple[Record, Shape]:
        """The shape that the named fields decide; where they leave it open, it is told from the keys."""
        if "answer" in given or "rejected" in given:
            if "messages" in given:
                record["prompt"] = record.pop("messages")
            for key in ("prompt", "completion"):
                if isinstance(record.get(key), str) and record[key].lstrip()[:2] in ("[{", "[ "):
                    record[key] = in_text(record[key])
            if "weight" in given and flat and isinstance(record.get("completion"), str):
                said = {"role": "assistant", "content": record["completion"], "weight": record.pop("weight")}
                record["completion"] = said
            return record, Told(self.found(record, given))
        if "messages" in given:
            if isinstance(record["messages"], str):
                record["messages"] = in_text(record["messages"])
            value = record["messages"]
            if chat(value, "conversation") and (isinstance(value[0], str) or pair_keys(value) is not None):
                record["conversation"] = record.pop("messages")
                return record, shape_named("chat")
            return record, ToldMessages()
        if "text" in given:
            return record, shape_named("text")
        if "prompt" in given and not others(frozenset(record), frozenset({"prompt"})):
            return record, Told(Found(prompt="prompt"))
        return record, detect(record)

    def found(self, record: Record, given: Mapping[str, Any]) -> Found:
        """What a flat record's keys hold, the named ones first."""
        keys = frozenset(key for key, value in record.items() if value is not None and value not in ("", [], {}))
        told = resolve(keys) or Found()
        prompt = "prompt" if "prompt" in record and ("prompt" in given or "messages" in given) else told.prompt
        if prompt is None and "rejected" not in given and "prompt" not in dict(self.columns):
            raise ReadError("", f"no column is known to hold the prompt to {dict(self.columns)['answer'][0]}; name it "
                            "too: columns: {prompt: ...}, or name a document: columns: {text: ...}")  # fmt: skip
        sure = "prompt" in given or "messages" in given
        doubts = () if sure else tuple(key for key in told.doubts if folded(key) not in ANSWERS)
        return replace(
            Found(), prompt=prompt, context=None if sure else told.context, doubts=doubts,
            answer="completion" if "answer" in given else told.answer,
            rejected="rejected" if "rejected" in given else None,
            thoughts="reasoning" if "reasoning" in given else told.thoughts if not sure else None,
        )  # fmt: skip


def joined(values: Sequence[Any], field: str, names: Sequence[str]) -> Any:
    """Several columns as one: texts with a blank line between, images one after the other.

    Raises:
        ReadError: a column holds something else.
    """
    parts = [part for value in values for part in (value if isinstance(value, list) else [value])]
    if field == "images":
        return parts
    for part in parts:
        if not isinstance(part, str):
            raise ReadError(names[0], f"expected texts to put together, got {kind(part)} in {', '.join(names)}")
    return "\n\n".join(part for part in parts if part)


def column_mapping(
    columns: Mapping[str, str | Sequence[str]] | None = None, roles: Mapping[str, str] | None = None
) -> ColumnMapping | None:
    """A mapping from what a recipe or a command says; None where it says nothing.

    Raises:
        UsageError: a field or a role that is not known, or fields that do not go together.
    """
    for field in columns or ():
        if field not in FIELDS:
            usual = {"completion": "answer", "chosen": "answer", "response": "answer", "output": "answer"}.get(field)
            hint = f"; the good answer is called {usual!r}" if usual else nearest(field, list(FIELDS))
            raise UsageError(f"columns: no field {field!r}{hint}")
    for name, role in (roles or {}).items():
        if role not in CANONICAL:
            raise UsageError(f"roles: {name!r} cannot be {role!r}{nearest(role, sorted(CANONICAL))}")
    held = {field: (names,) if isinstance(names, str) else tuple(names) for field, names in (columns or {}).items()}
    for field, names in held.items():
        if not names or not all(names):
            raise UsageError(f"columns: {field} names no column")
        if len(names) > 1 and field not in (*JOINED, "images"):
            raise UsageError(f"columns: {field} is one column, not {len(names)}; only {', '.join(JOINED)} are joined")
    if "rejected" in held and "answer" not in held:
        raise UsageError("columns: `rejected` is the worse answer; name the better one too: columns: {answer: ...}")
    if "text" in held and not held.keys().isdisjoint(("prompt", "answer", "messages")):
        raise UsageError("columns: `text` is a document, and has neither prompt nor answer beside it")
    if "prompt" in held and "messages" in held:
        raise UsageError("columns: name `messages` or `prompt`, not both")
    return ColumnMapping(tuple(held.items()), tuple((roles or {}).items())) if held or roles else None


def from_options(columns: Sequence[str], roles: Sequence[str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """What `--columns prompt=q,answer=a` and `--roles customer=user` say; `prompt=context+question` joins columns.

    A name with a comma, a plus or an equals sign is given as a recipe has it: `--columns "{prompt: 'q, long'}"`.

    Raises:
        UsageError: something else than NAME=VALUE.
    """
    fields: dict[str, list[str]] = {}
    for name, value in named_values("--columns", columns, "prompt=q,answer=a").items():
        fields[name] = list(map(str, value)) if isinstance(value, list) else value.split("+")
    renamed = named_values("--roles", roles, "customer=user")
    return fields, {name: str(role) for name, role in renamed.items()}


def named_values(option: str, given: Sequence[str], example: str) -> dict[str, Any]:
    """NAME=VALUE pairs of an option, or the values of a YAML object: names in lists, which are not divided."""
    text = ",".join(given).strip().removeprefix(f"{option[2:]}:").strip()
    if text.startswith("{"):
        try:
            held = yaml.safe_load(text)
        except yaml.YAMLError:
            held = None
        if isinstance(held, dict) and held and all(isinstance(name, str) for name in held):
            whole = option == "--columns"
            return {name: [value] if whole and not isinstance(value, list) else value for name, value in held.items()}
    pairs = [one.partition("=") for one in text.split(",") if one.strip()]
    if not all(name.strip() and value.strip() for name, _, value in pairs):
        raise UsageError(
            f"{option} takes NAME=VALUE, such as {option} {example}, or what stands in a recipe: "
            f'{option} "{{{example.replace("=", ": ").replace(",", ", ")}}}"; not {text!r}'
        )
    return {name.strip(): value.strip() for name, _, value in pairs}
