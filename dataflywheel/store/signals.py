"""The signal store: what was measured, by row content, signal version, parameters and model digest.

One directory per signal key holds immutable parts, each written whole. A row measured once is never measured again,
except where its measurement failed.

Runs share the store without a lock: a part has a name of its own, appears by rename and is never changed or removed, so
that a reader sees whole parts only. Two runs that measure the same rows at once both append what they found; either
value serves, since a measurement depends on nothing but row, parameters and model.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from dataflywheel.contracts import AnyArray, Status
from dataflywheel.rows.lookup import Groups
from dataflywheel.rows.parts import GROUP_ROWS, part_paths
from dataflywheel.store.atomic import atomic_path, set_aside, sweep

DIGITS = 16
"""Of the digest in a part's name."""


class SignalStore:
    """Values under `root/<signal key>/part-*.parquet`; columns `id`, the values, `status`, `seconds`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def missing(self, key: str, ids: pa.Array) -> AnyArray:
        """Boolean mask over `ids`: not in the store, or there only as failed."""
        held = _index(whole_parts(self.root / key))
        done = held.filter(pc.not_equal(held["status"], int(Status.FAILED)))["id"].combine_chunks()
        return np.asarray(pc.is_null(pc.index_in(ids, value_set=done)))

    def append(self, key: str, values: pa.Table) -> None:
        """Add a part; it is there whole or not at all."""
        written = pa.BufferOutputStream()
        options = {"compression": "zstd", "compression_level": 1, "row_group_size": GROUP_ROWS}
        pq.write_table(values, written, use_dictionary=repeating(values.schema), **options)
        content = written.getvalue()
        # Parts sort by name, later ones last; the digest in it tells a part that was changed.
        name = f"part-{time.time_ns():020d}-{xxhash.xxh3_64_hexdigest(memoryview(content))}.parquet"
        with atomic_path(self.root / key / name) as aside:
            aside.write_bytes(memoryview(content))

    def read(self, key: str, ids: pa.Array, columns: Sequence[str] | None = None) -> pa.Table:
        """Values of the given ids, in their order. A repaired failure wins over the failure, and of failures the last.

        Of the values, only the row groups that hold one asked for are read.

        Raises:
            KeyError: an id was never measured.
        """
        groups, places = self.places(key, ids)
        return groups.read(places, None if columns is None else list(dict.fromkeys(["id", "status", *columns])))

    def places(self, key: str, ids: pa.Array) -> tuple[Groups, AnyArray]:
        """Where the values of the given ids are, for who reads them a row group at a time.

        Raises:
            KeyError: an id was never measured.
        """
        paths = whole_parts(self.root / key)
        held = _index(paths)
        if not paths:
            raise KeyError(f"{key}: nothing measured yet")
        failed = np.asarray(held["status"]) == int(Status.FAILED)
        measured_first = pa.array(np.concatenate([np.flatnonzero(~failed), np.flatnonzero(failed)[::-1]]))
        index = pc.index_in(ids, value_set=held["id"].take(measured_first).combine_chunks())
        if index.null_count:
            raise KeyError(f"{key}: {index.null_count} of {len(ids)} rows were not measured")
        return Groups(paths), np.asarray(measured_first.take(index))

    def seconds(self, key: str, ids: pa.Array) -> float:
        """What measuring these rows cost, whenever that was."""
        return float(pc.sum(self.read(key, ids, ["seconds"])["seconds"]).as_py() or 0.0)

    def sweep(self, older_than: float = 3600.0) -> None:
        """Forget half-written parts of killed processes; of which none of this machine is known to have ended, one of
        the last hour may be in the making."""
        for directory in self.root.iterdir() if self.root.is_dir() else ():
            sweep(directory, older_than)


def repeating(schema: pa.Schema) -> list[str]:
    """The columns that are likely to hold few different values: to look for such among vectors, fractions and ids takes
    three times as long as to write them."""
    return [field.name for field in schema if field.name != "id" and not continuous(field.type)]


def continuous(kind: pa.DataType) -> bool:
    return bool(pa.types.is_nested(kind) or pa.types.is_floating(kind) or pa.types.is_binary(kind))


def whole_parts(directory: Path) -> list[Path]:
    """The parts of a signal that can be read. One that was cut or changed, or that is something else, is set aside
    under a name of its own, with a warning, and its rows are measured again."""
    found = []
    for path in part_paths(directory):
        stat = path.stat()
        wrong = _wrong(path, stat.st_mtime_ns, stat.st_size)
        if not wrong:
            found.append(path)
            continue
        set_aside(path, wrong, "its rows are measured again")
    return found


@lru_cache(maxsize=4096)
def _wrong(path: Path, changed: int, size: int) -> str:
    """Why a part cannot be used, "" where it can; looked at once a process."""
    said = path.stem.rpartition("-")[2]
    try:
        if len(said) == DIGITS:
            with path.open("rb") as file:
                digest = xxhash.xxh3_64()
                while block := file.read(1 << 22):
                    digest.update(block)
            return "" if digest.hexdigest() == said else "damaged (its content is not what was written)"
        with pq.ParquetFile(path) as part:  # of an earlier version, whose names say nothing of the content
            if not {"id", "status", "seconds"} <= set(part.schema_arrow.names):
                return "not a part of a signal"
            for _ in part.iter_batches():
                pass
    except (pa.ArrowException, OSError) as error:
        return f"damaged ({str(error).splitlines()[0][:100]})"
    return ""


def _index(paths: Sequence[Path]) -> pa.Table:
    """Columns `id` and `status` of everything in these parts, one after the other."""
    schema = pa.schema({"id": pa.string(), "status": pa.uint8()})
    tables = [pq.ParquetFile(path).read(columns=schema.names) for path in paths]
    return pa.concat_tables([schema.empty_table(), *tables])
