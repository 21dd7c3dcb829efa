"""Records that are nothing but texts in their usual places, straight to flat columns: no object a turn, none a row.

Most rows of most files are such: chats of `{role, content}` or `{from, value}`, Alpaca's three fields, a prompt and its
answer. This is several times faster than the way by records, drafts and rows. What is anything else, in the least, is
left to that way; rows and identities are the same by either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple
from unicodedata import normalize

import numpy as np
import orjson
import pyarrow as pa

from dataflywheel.rows.formats import SHAPES, Shape, candidates
from dataflywheel.rows.formats.alpaca import Alpaca
from dataflywheel.rows.formats.beside import beside, inner_thoughtful
from dataflywheel.rows.formats.draft import Record
from dataflywheel.rows.formats.prompt_completion import PromptCompletion
from dataflywheel.rows.formats.turns import CANONICAL
from dataflywheel.rows.formats.written_turns import SHAREGPT
from dataflywheel.rows.identity import DIGEST_BYTES, hex_ids
from dataflywheel.rows.schema import MESSAGE, ROW_SCHEMA

ROLES = sorted(CANONICAL)
CODES = {role: code for code, role in enumerate(ROLES)}
ASKED = [CODES["user"], CODES["assistant"]]

NEUTRAL = frozenset((
    "id", "uuid", "uid", "idx", "index", "row_id", "prompt_id", "question_id", "conversation_id", "conversation_hash",
    "hash", "source", "dataset", "origin", "subset", "split", "category", "categories", "domain", "topic", "subject",
    "language", "lang", "model", "model_name", "generator", "timestamp", "created_at", "date", "url", "license",
    "metadata", "meta", "num_turns", "turn", "n_tokens", "num_tokens", "token_count", "difficulty", "quality",
))  # fmt: skip
"""Names of fields that no shape has a say in: a row keeps them as they stand. A field of any other name may say what is
learned, and the shapes decide."""

Said = tuple[list[int], list[str], list[tuple[str, str, None, None]]]
"""Roles, as positions in `ROLES`; contents; and turns as they enter the identity: role, content, no calls, no name."""


class Way(NamedTuple):
    """How records of one shape are read in a short way: `read` gives their turns, or None where they are not plain."""

    shape: str
    own: frozenset[str]
    """The fields that the row does not keep."""
    read: Callable[[Record], Said | None]
    kept: frozenset[str] = frozenset()
    """Fields that the row keeps too, unless they are empty."""
    before: tuple[Shape, ...] = ()
    """Shapes that take such a record where it holds what they look for."""


def chats(shape: str, key: str, role_key: str, content_key: str, names: Mapping[str, str]) -> Way:
    """A list of turns that are exactly a role in its usual spelling and a text, the last of them an answer."""

    def read(record: Record) -> Said | None:
        turns = record[key]
        if type(turns) is not list or not turns:
            return None
        roles, contents, said = [], [], []
        for turn in turns:
            role, content = names[turn[role_key]], turn[content_key]
            if len(turn) != 2 or type(content) is not str:
                return None
            roles.append(CODES[role])
            contents.append(content)
            said.append((role, content, None, None))
        return (roles, contents, said) if role == "assistant" else None

    return Way(shape, frozenset({key}), read)


def pairs(shape: PromptCompletion) -> Way:
    """Two texts."""
    prompt, completion = shape.prompt, shape.completion

    def read(record: Record) -> Said | None:
        asked, answer = record[prompt], record[completion]
        return answered(asked, answer) if type(asked) is type(answer) is str else None

    return Way(shape.name, shape.own, read)


def instructions(shape: Alpaca) -> Way:
    """An instruction, its input, which may be empty but must be there, and the output."""
    input_key, output_key = shape.input_key, shape.output_key

    def read(record: Record) -> Said | None:
        instruction, given, output = record["instruction"], record[input_key], record[output_key]
        if not (type(instruction) is type(given) is type(output) is str):
            return None
        return answered(f"{instruction}\n\n{given}" if given and instruction else given or instruction, output)

    return Way(shape.name, frozenset({"instruction", output_key}), read, frozenset({input_key}))


def answered(prompt: str, answer: str) -> Said:
    return ASKED, [prompt, answer], [("user", prompt, None, None), ("assistant", answer, None, None)]


WAYS = {way.shape: way for way in (
    chats("messages", "messages", "role", "content", {role: role for role in ROLES}),
    chats("sharegpt", "conversations", "from", "value", {name: role for role, name in SHAREGPT.items()}),
    *(pairs(shape) for shape in SHAPES if isinstance(shape, PromptCompletion)),
    *(instructions(shape) for shape in SHAPES if isinstance(shape, Alpaca)),
)}  # fmt: skip


@lru_cache(maxsize=4096)
def plain_way(keys: frozenset[str]) -> Way | None:
    """The short way of records with these keys, where every other field is kept as it stands."""
    before: list[Shape] = []
    for shape, doubts in candidates(keys):
        way = WAYS.get(shape.name)
        if doubts or beside(keys):
            break
        if way is not None:
            return way._replace(before=tuple(before)) if keys <= way.own | NEUTRAL | way.kept else None
        before.append(shape)
    return None


class PlainChats:
    """The plain chats of one block, in order, as flat columns."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.digests: list[bytes] = []
        self.sizes: list[int] = []
        self.roles: list[int] = []
        self.contents: list[str] = []
        self.extras: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.digests)

    def take(self, record: Any, shape: str | None = None) -> str | None:
        """The shape of the record where it is a plain one, of that `shape` if given; then it is among the rows."""
        if type(record) is not dict:
            return None
        try:
            way = plain_way(frozenset(record))
            if way is None or (shape is not None and way.shape != shape) or (said := way.read(record)) is None:
                return None
            roles, contents, turns = said
            if not any(contents) or any(other.accepts(record) for other in way.before):
                return None
            text = orjson.dumps((turns, None, None, None))
            extra = None
            if len(record) > len(way.own):
                kept = record.keys() - way.own
                rest = {key: record[key] for key in kept if record[key] or key not in way.kept}
                if None in rest.values() or inner_thoughtful(rest):
                    return None
                extra = orjson.dumps(rest, option=orjson.OPT_SORT_KEYS).decode() if rest else None
        except (KeyError, TypeError):
            return None
        if not text.isascii():
            text = normalize("NFC", text.decode()).encode()
        if extra is not None:
            self.extras[len(self.digests)] = extra
        self.digests.append(blake2b(text, digest_size=DIGEST_BYTES).digest())
        self.sizes.append(len(contents))
        self.roles += roles
        self.contents += contents
        return way.shape

    def chars(self) -> int:
        """Characters of the rows' texts, as `text_of` puts the turns together."""
        return sum(map(len, self.contents)) + 2 * (len(self.contents) - len(self))

    def table(self) -> pa.Table:
        """The rows in the row schema."""
        n = len(self)
        columns = {field.name: pa.nulls(n, field.type) for field in ROW_SCHEMA}
        offsets = np.zeros(n + 1, np.int32)
        np.cumsum(self.sizes, out=offsets[1:])
        turns = len(self.contents)
        codes = pa.array(np.array(self.roles, np.int8))
        held = {
            "role": pa.DictionaryArray.from_arrays(codes, pa.array(ROLES, pa.string())).cast(pa.string()),
            "content": pa.array(self.contents, pa.string()),
        }
        fields = [held.get(field.name, pa.nulls(turns, field.type)) for field in MESSAGE]
        columns["messages"] = pa.ListArray.from_arrays(
            pa.array(offsets), pa.StructArray.from_arrays(fields, fields=list(MESSAGE))
        )
        columns["id"] = hex_ids(b"".join(self.digests))
        columns["source"] = pa.repeat(pa.scalar(self.source, pa.string()), n)
        columns["made_by"] = pa.repeat(pa.scalar("", pa.string()), n)
        columns["copies"] = pa.array(np.ones(n, np.int32))
        columns["round"] = pa.array(np.zeros(n, np.int32))
        empty = pa.ListArray.from_arrays(pa.array(np.zeros(n + 1, np.int32)), pa.array([], pa.string()))
        columns["tags"] = columns["parents"] = empty
        extras = self.extras
        columns["extra"] = (
            pa.array([extras.get(i, "{}") for i in range(n)], pa.string())
            if extras
            else pa.repeat(pa.scalar("{}", pa.string()), n)
        )
        return pa.table(columns, schema=ROW_SCHEMA)
