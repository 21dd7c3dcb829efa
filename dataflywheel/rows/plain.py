"""Chats that are nothing but `{role, content}` turns, straight to flat columns: no object a turn and none a row.

Most rows of most files are such, and this is several times faster than the way by records, drafts and rows. What is
anything else, in the least, is left to that way; rows and identities are the same by either.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Any
from unicodedata import normalize

import numpy as np
import orjson
import pyarrow as pa

from dataflywheel.rows.formats import candidates
from dataflywheel.rows.formats.beside import beside
from dataflywheel.rows.formats.turns import CANONICAL
from dataflywheel.rows.identity import DIGEST_BYTES, hex_ids
from dataflywheel.rows.schema import MESSAGE, ROW_SCHEMA

NAME = "messages"
ROLES = sorted(CANONICAL)
CODES = {role: code for code, role in enumerate(ROLES)}


NEUTRAL = frozenset((
    "id", "uuid", "uid", "idx", "index", "row_id", "prompt_id", "question_id", "conversation_id", "conversation_hash",
    "hash", "source", "dataset", "origin", "subset", "split", "category", "categories", "domain", "topic", "subject",
    "language", "lang", "model", "model_name", "generator", "timestamp", "created_at", "date", "url", "license",
    "metadata", "meta", "num_turns", "turn", "n_tokens", "num_tokens", "token_count", "difficulty", "quality",
))  # fmt: skip
"""Names of fields that no shape has a say in: a row keeps them as they stand. A field of any other name may say what is
learned, and the shapes decide."""


@lru_cache(maxsize=4096)
def plain_keys(keys: frozenset[str]) -> bool:
    """Whether a record with these keys is a chat whose other fields are kept as they stand."""
    if not keys <= NEUTRAL | {NAME} or beside(keys):
        return False
    shape, doubts = next(iter(candidates(keys)), (None, ()))
    return shape is not None and shape.name == NAME and not doubts


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

    def take(self, record: Any) -> bool:
        """Whether the record was a plain chat; then it is among the rows."""
        try:
            turns = record["messages"]
            if type(turns) is not list or not turns or (len(record) > 1 and not plain_rest(record)):
                return False
            roles, contents, content_of = [], [], []
            for turn in turns:
                role, content = turn["role"], turn["content"]
                if len(turn) != 2 or type(content) is not str:
                    return False
                roles.append(CODES[role])
                contents.append(content)
                content_of.append((role, content, None, None))
            if role != "assistant" or not any(contents):
                return False
            text = orjson.dumps((content_of, None, None, None))
            extra = None
            if len(record) > 1:
                rest = {key: value for key, value in record.items() if key != "messages"}
                extra = orjson.dumps(rest, option=orjson.OPT_SORT_KEYS).decode()
        except (KeyError, TypeError):
            return False
        if not text.isascii():
            text = normalize("NFC", text.decode()).encode()
        if extra is not None:
            self.extras[len(self.digests)] = extra
        self.digests.append(blake2b(text, digest_size=DIGEST_BYTES).digest())
        self.sizes.append(len(contents))
        self.roles += roles
        self.contents += contents
        return True

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


def plain_rest(record: dict[str, Any]) -> bool:
    """Whether the other fields of a record are kept as they stand; a null is not."""
    return None not in record.values() and plain_keys(frozenset(record))
