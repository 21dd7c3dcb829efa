"""Rows that Python holds: a list, a `datasets.Dataset`, a DataFrame of pandas or polars, a table of Arrow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import orjson
import pyarrow as pa

from dataflywheel.contracts import UsageError
from dataflywheel.rows.containers.arrow_values import plain_value

if TYPE_CHECKING:
    from datasets import Dataset
    from pandas import DataFrame

ACCEPTED = (
    "a list of dicts, a `datasets.Dataset`, a DataFrame of pandas or polars, a table of Arrow, or the path of a file"
)
OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


class Held(Protocol):
    """Rows of one container. `at` are positions from 0, in any order."""

    container: str
    """What its pieces make when they are written one after the other."""

    def __len__(self) -> int: ...

    def pieces(self) -> Iterator[bytes]:
        """All rows in their order, as a file of that container."""

    def records(self, at: Sequence[int]) -> list[Any]:
        """Rows as they were given, those of tables as dicts."""

    def frame(self, at: Sequence[int]) -> DataFrame: ...

    def dataset(self, at: Sequence[int]) -> Dataset: ...


@dataclass(frozen=True)
class Records:
    """Records one by one."""

    rows: Sequence[Any]
    container = "jsonl"

    def __len__(self) -> int:
        return len(self.rows)

    def pieces(self) -> Iterator[bytes]:
        for row in self.rows:
            yield line_of(row) + b"\n"

    def records(self, at: Sequence[int]) -> list[Any]:
        return [self.rows[i] for i in at]

    def frame(self, at: Sequence[int]) -> DataFrame:
        from pandas import DataFrame

        return DataFrame(self.records(at), index=list(at))

    def dataset(self, at: Sequence[int]) -> Dataset:
        from datasets import Dataset

        return Dataset.from_list(self.records(at))


@dataclass(frozen=True)
class Tabular:
    """A table of Arrow, or a DataFrame of polars as one."""

    table: pa.Table
    container = "arrow"

    def __len__(self) -> int:
        return len(self.table)

    def pieces(self) -> Iterator[bytes]:
        return arrow_pieces(self.table)

    def records(self, at: Sequence[int]) -> list[Any]:
        return list(self.table.take(list(at)).to_pylist())

    def frame(self, at: Sequence[int]) -> DataFrame:
        return self.table.take(list(at)).to_pandas().set_axis(list(at))

    def dataset(self, at: Sequence[int]) -> Dataset:
        from datasets import Dataset

        return Dataset(self.table.take(list(at)))


@dataclass(frozen=True)
class HubRows:
    """A `datasets.Dataset`, its order and selections included."""

    rows: Dataset
    container = "arrow"

    def __len__(self) -> int:
        return len(self.rows)

    def pieces(self) -> Iterator[bytes]:
        return arrow_pieces(self.rows.with_format("arrow")[:])

    def records(self, at: Sequence[int]) -> list[Any]:
        return [self.rows[i] for i in at]

    def frame(self, at: Sequence[int]) -> DataFrame:
        return self.rows.select(at).to_pandas().set_axis(list(at))

    def dataset(self, at: Sequence[int]) -> Dataset:
        return self.rows.select(at)


@dataclass(frozen=True)
class Frame:
    """A DataFrame of pandas. Cells without a value (None, NaN, NaT) are absent fields, as in a file of columns."""

    rows: DataFrame
    container = "jsonl"

    def __len__(self) -> int:
        return len(self.rows)

    def pieces(self) -> Iterator[bytes]:
        for row in self.rows.to_dict("records"):
            yield line_of({name: value for name, value in row.items() if not _missing(value)}) + b"\n"

    def records(self, at: Sequence[int]) -> list[Any]:
        return list(self.rows.iloc[list(at)].to_dict("records"))

    def frame(self, at: Sequence[int]) -> DataFrame:
        return self.rows.iloc[list(at)]

    def dataset(self, at: Sequence[int]) -> Dataset:
        from datasets import Dataset

        return Dataset.from_pandas(self.rows.iloc[list(at)], preserve_index=False)


def held(rows: object) -> Held:
    """The rows of a container, as they are now.

    Raises:
        UsageError: it is none that is known, or holds no rows, several sets of them, or one column twice.
    """
    found = _held(rows)
    if not len(found):
        raise UsageError("there are no rows: the container is empty")
    return found


def _held(rows: object) -> Held:
    library, name = type(rows).__module__.partition(".")[0], type(rows).__name__
    given: Any = rows
    if library == "datasets" and name.endswith("DatasetDict"):
        raise UsageError(f"a {name} holds several sets of rows; name one of them: {', '.join(map(repr, given))}")
    if library == "datasets" and name == "Dataset":
        return HubRows(given.with_format(None))
    if library == "pandas" and name == "DataFrame":
        if not given.columns.is_unique:
            raise UsageError("the DataFrame has two columns of one name; rename one")
        return Frame(given.copy(deep=False))
    if library == "polars" and name in ("DataFrame", "LazyFrame"):
        return Tabular((given.collect() if name == "LazyFrame" else given).to_arrow())
    if isinstance(rows, pa.RecordBatch):
        return Tabular(pa.Table.from_batches([rows]))
    if isinstance(rows, pa.Table):
        return Tabular(rows)
    if isinstance(rows, Mapping):
        raise UsageError(f"a {name} is one row or a set of columns; give {ACCEPTED}")
    if isinstance(rows, str | bytes) or not isinstance(rows, Iterable):
        raise UsageError(f"rows are {ACCEPTED}; this is a {name}")
    return Records(tuple(rows))


def line_of(record: object) -> bytes:
    """A record as one line of JSON. One that JSON cannot hold becomes a text that says why: no reader takes it for a
    row."""
    try:
        return orjson.dumps(record, option=OPTIONS)
    except TypeError:
        pass  # whole numbers beyond 64 bits, half characters, bytes, types of other libraries
    try:
        return json.dumps(plain_value(record)).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        return orjson.dumps(f"{UNWRITTEN}{error}".encode("utf-8", "replace").decode())


UNWRITTEN = "cannot be written as JSON: "


def arrow_pieces(table: pa.Table) -> Iterator[bytes]:
    """A stream of Arrow that holds the table, what libraries note beside the columns left out."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema.remove_metadata()) as out:
        out.write_table(table.replace_schema_metadata(None))
    yield sink.getvalue().to_pybytes()


def _missing(value: object) -> bool:
    """Whether a cell of a DataFrame has no value."""
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
    )
