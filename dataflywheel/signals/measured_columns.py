"""Hands selectors what was measured: one column a name, in the order of the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Columns, Signal, Status
from dataflywheel.rows.lookup import Groups
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.text import Part, texts
from dataflywheel.store.signals import SignalStore

FACTS = ("row.source", "row.tags", "row.copies")
"""What is known of every row without measuring; it is always there."""
TEXTS: Mapping[str, Part] = MappingProxyType({"row.text": "all", "row.prompt": "prompt", "row.answer": "answer"})
"""Texts of rows, for who names them."""
LABEL = "row.label"
"""The label of each row, for who names it; null where a row has none."""


def columns(rows: Path, names: Iterable[str], signals: Mapping[str, Signal], store: SignalStore) -> Columns:
    """Measured values of a directory's rows, in row order, under `signal.column` names, with the row facts.

    `signals` are those that the names begin with; one may stand there several times, under names of its own. A
    signal's status comes along with any of its columns; `row.source`, `row.tags` and `row.copies` always; `row.text`,
    `row.prompt`, `row.answer` and `row.label` where they are among the names.
    """
    names = list(names)
    facts = read_rows(rows, ["id", "source", "tags", "copies"])
    found = Columns(np.asarray(facts["id"].to_pylist(), dtype=object))
    sources = facts["source"].combine_chunks().dictionary_encode()  # a text a source, and not one a row
    found.values["row.source"] = np.array(sources.dictionary.to_pylist(), dtype=object)[sources.indices.to_numpy()]
    tags = np.empty(len(facts), dtype=object)
    tags[:] = facts["tags"].to_pylist()
    found.values["row.tags"] = tags
    found.values["row.copies"] = facts["copies"].to_numpy()
    found.values |= _texts(rows, [name for name in TEXTS if name in names])
    if LABEL in names:
        found.values[LABEL] = np.array(read_rows(rows, ["label"])["label"].to_pylist(), dtype=object)
    by_signal: dict[str, list[str]] = {}
    for name in names:
        signal, _, column = name.partition(".")
        if signal != "row":
            by_signal.setdefault(signal, []).append(column)
    for name, wanted in by_signal.items():
        groups, places = store.places(signals[name].key(), facts["id"].combine_chunks())
        vectors = [column for column in wanted if _is_vector(groups.schema.field(column).type)]
        others = [column for column in dict.fromkeys([*wanted, "status"]) if column not in vectors]
        held = groups.read(places, others)
        found.values |= {f"{name}.{column}": _numpy(held[column]) for column in others}
        failed = np.flatnonzero(found.values[f"{name}.status"] == Status.FAILED)
        if len(failed):
            errors = np.full(len(places), None, dtype=object)
            errors[failed] = groups.read(np.asarray(places)[failed], ["error"])["error"].to_pylist()
            found.values[f"{name}.error"] = errors
        found.values |= {f"{name}.{column}": _matrix(groups, places, column) for column in vectors}
    return found


def _texts(rows: Path, names: list[str]) -> dict[str, AnyArray]:
    """Texts of all rows: they are held whole, so only those that somebody reads."""
    if not names:
        return {}
    messages = read_rows(rows, ["messages"])["messages"]
    return {name: np.array(texts(messages, TEXTS[name]), dtype=object) for name in names}


def _matrix(groups: Groups, places: AnyArray, column: str) -> AnyArray:
    """The vectors at some places, filled in a row group at a time so that they are held once; a null one becomes NaN
    (float) or zeros (whole numbers, by status)."""
    kind = np.dtype(groups.schema.field(column).type.value_type.to_pandas_dtype())
    matrix = np.empty((len(places), 0), kind)
    for where, rows in groups.blocks(places, [column]):
        values = rows[column].combine_chunks()
        if values.null_count == len(values):
            continue
        there = values.drop_null()
        if not matrix.shape[1]:
            matrix = np.full((len(places), len(there[0])), np.nan if kind.kind == "f" else 0, kind)
        known = values.is_valid().to_numpy(zero_copy_only=False)
        matrix[where[known]] = there.flatten().to_numpy(zero_copy_only=False).reshape(-1, matrix.shape[1])
    return matrix


def _is_vector(kind: pa.DataType) -> bool:
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return bool(lists and pa.types.is_primitive(kind.value_type))


def _numpy(values: pa.ChunkedArray) -> AnyArray:
    """Lists of texts stay lists, in an array of objects."""
    if not pa.types.is_nested(values.type):
        return np.asarray(values.to_numpy())
    lists = np.empty(len(values), dtype=object)
    lists[:] = values.to_pylist()
    return lists
