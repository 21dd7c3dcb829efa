"""Measures what is not yet in the store.

Rows stream in batches through threads of this machine, or through Daft on a Ray cluster, where each signal is one
batch UDF. Values are kept by row id.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.contracts import FlywheelError, Signal, Status
from dataflywheel.models.endpoint.deferred import DEFERRED
from dataflywheel.models.endpoint.request import Outcome
from dataflywheel.plugins.carried import Carried
from dataflywheel.plugins.place import place
from dataflywheel.rows.parts import count_rows, iter_among, part_paths, read_rows, whole_batches
from dataflywheel.rows.schema import upgraded
from dataflywheel.signals.engine import Engine
from dataflywheel.signals.side_by_side import side_by_side
from dataflywheel.store.signals import SignalStore

APPEND_ROWS = 8192  # a killed process loses at most this many measurements

_ONE_MODEL = threading.Lock()
"""A model keeps all cores busy with one batch; a second beside it would only take memory and slow both."""

Progress = Callable[[str, int, int], None]
"""(signal name, rows measured, rows to measure)"""
Failed = dict[str, set[str]]
"""By signal key, the rows whose measurement failed in this execution: another step need not try them again."""


def measured_batch(signal: Signal, batch: pa.RecordBatch) -> pa.StructArray:
    """`signal.measure` on one batch with its time shared out over the rows.

    Rows whose batch fails are measured one by one, so that a bad row fails alone, with the error kept beside it.
    """
    started = time.perf_counter()
    try:
        arrays = _arrays(signal, signal.measure(batch), len(batch))
    except (FlywheelError, ImportError, MemoryError):
        raise
    except Exception as error:
        if len(batch) > 1:
            return pa.concat_arrays([measured_batch(signal, batch.slice(i, 1)) for i in range(len(batch))])
        failed = {
            "status": np.array([Status.FAILED], dtype=np.uint8),
            "error": [f"{type(error).__name__}: {error}{place(error)}"],
        }
        arrays = _arrays(signal, {name: pa.nulls(1, kind) for name, kind in signal.columns.items()} | failed, 1)
    arrays["seconds"] = pa.array(np.full(len(batch), (time.perf_counter() - started) / max(len(batch), 1)))
    types = stored_columns(signal)
    fields = [pa.field(name, kind) for name, kind in types.items()]
    return pa.StructArray.from_arrays([arrays[name] for name in types], fields=fields)


def _arrays(signal: Signal, measured: Any, rows: int) -> dict[str, pa.Array]:
    """What a signal measured as it is kept, but for the time.

    Raises:
        Exception: a column is missing, is of another type, or has not one value a row.
    """
    values = {"error": pa.nulls(rows, pa.string()), **measured}
    kinds = {name: kind for name, kind in stored_columns(signal).items() if name != "seconds"}
    if missing := kinds.keys() - values.keys():
        raise ValueError(
            f"{signal.name} gave no {', '.join(sorted(missing))}; wanted is one value a row for each of its columns, "
            "and `status`: 0 where there is a value, as np.zeros(len(batch), np.uint8)"
        )
    arrays = {name: _array(values[name], kind) for name, kind in kinds.items()}
    if any(len(array) != rows for array in arrays.values()) or arrays["status"].null_count:
        lengths = ", ".join(f"{len(arrays[name])} of {name}" for name in kinds if name != "error")
        raise ValueError(f"{signal.name} gave not one value and one status for each of {rows:,} rows: {lengths}")
    if rows and (worst := pc.max(arrays["status"]).as_py()) > max(Status):
        known = ", ".join(f"{status:d} {status.name}" for status in Status)
        raise ValueError(f"{signal.name} gave the status {worst}; there is {known}")
    return arrays


def in_turn(signal: Signal, batch: pa.RecordBatch) -> pa.StructArray:
    """`measured_batch`, one batch at a time where a model works."""
    with _ONE_MODEL if signal.uses_model else nullcontext():
        return measured_batch(signal, batch)


def stored_columns(signal: Signal) -> dict[str, pa.DataType]:
    """What the store keeps of a row beside its id: the values, how it went, and what it cost.

    Vectors are kept as plain lists: Parquet readers stumble over nulls among lists of fixed size.
    """
    values = {
        name: pa.list_(kind.value_type) if pa.types.is_fixed_size_list(kind) else kind
        for name, kind in signal.columns.items()
    }
    return {**values, "status": pa.uint8(), "seconds": pa.float64(), "error": pa.string()}


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if isinstance(values, np.ndarray) and values.ndim == 2:
        flat = pa.array(np.ascontiguousarray(values).reshape(-1), type=kind.value_type)
        return pa.ListArray.from_arrays(np.arange(len(values) + 1, dtype=np.int32) * values.shape[1], flat).cast(kind)
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, type=kind, from_pandas=True)


def _udf(daft: Any, signal: Signal, engine: Engine) -> Any:
    """The signal as a Daft batch UDF over the row columns that it reads."""
    fields = stored_columns(signal)
    kind = daft.DataType.struct({name: daft.DataType.from_arrow_type(t) for name, t in fields.items()})

    class Measured:
        def __init__(self, signal: Signal | Carried[Signal]) -> None:
            self.signal = signal.value if isinstance(signal, Carried) else signal

        @daft.method.batch(return_dtype=kind, batch_size=signal.batch_size)  # type: ignore[untyped-decorator]
        def measure(self, *columns: Any) -> pa.Array:
            names = ["id", *self.signal.reads]
            arrays = [upgraded(c.to_arrow(), name) for c, name in zip(columns, names, strict=True)]
            batch = pa.RecordBatch.from_arrays(arrays, names=names)
            return in_turn(self.signal, batch)

    options = {"max_concurrency": engine.concurrency, "gpus": engine.gpus} if signal.uses_model else {}
    return daft.cls(Measured, **options)(Carried(signal) if signal.source else signal).measure


def measure(
    rows: Path,
    signals: Sequence[Signal],
    store: SignalStore,
    engine: Engine,
    progress: Progress | None = None,
    failed: Failed | None = None,
) -> dict[str, int]:
    """Measure each signal for the rows of a directory that lack it; gives how many were measured, by signal.

    A row whose measurement failed lacks it still. Those in `failed` were tried before and are left alone; those that
    fail now are entered there.
    """
    failed = {} if failed is None else failed
    ids = read_rows(rows, ["id"])["id"].combine_chunks()
    done: dict[str, int] = {}
    for signal in signals:
        known = failed.setdefault(signal.key(), set())
        lacking = ids.filter(pa.array(store.missing(signal.key(), ids)))
        lacking = lacking.filter(pc.invert(pc.is_in(lacking, value_set=pa.array(sorted(known), pa.string()))))
        done[signal.name] = done.get(signal.name, 0) + len(lacking)
        if len(lacking):
            known |= _measure_one(rows, signal, lacking, store, engine, progress)
    return done


def _measure_one(
    rows: Path, signal: Signal, lacking: pa.Array, store: SignalStore, engine: Engine, progress: Progress | None
) -> set[str]:
    """Measure one signal for the rows that lack it; gives the rows that failed."""
    waiting: list[pa.Table] = []
    without_value: set[str] = set()
    held = finished = failed = unasked = 0
    for batch in _measured(rows, signal, lacking, engine):
        last = _flat(batch)
        waiting.append(last)
        held += len(batch)
        finished += len(batch)
        failed += len(last) - last["error"].null_count
        unasked += not_asked(last["error"])
        without_value.update(last.filter(pc.equal(last["status"], int(Status.FAILED)))["id"].to_pylist())
        if progress:
            progress(signal.name, finished, len(lacking))
        if held >= APPEND_ROWS:
            store.append(signal.key(), pa.concat_tables(waiting))
            waiting, held = [], 0
    if not finished:
        raise FlywheelError(f"{rows}: removed while it was read; the same command makes it anew")
    if failed == count_rows(rows) and not unasked:  # fewer that all fail are those that failed before, tried again
        said = last["error"][-1].as_py()
        named = f"{signal.name} of plugin {signal.origin}" if signal.origin else signal.name
        raise FlywheelError(f"signal {named}: all {failed} rows failed; the last one said: {said}")
    if waiting:
        store.append(signal.key(), pa.concat_tables(waiting))
    return without_value


def not_asked(errors: pa.ChunkedArray) -> int:
    """How many rows' errors say that a model was not asked about them: a cap was reached, or it is to be in a batch."""
    return pc.sum(pc.match_substring_regex(errors, f"^({Outcome.OVER_BUDGET}|{DEFERRED})")).as_py() or 0


def _measured(rows: Path, signal: Signal, lacking: pa.Array, engine: Engine) -> Iterator[pa.RecordBatch]:
    """Batches of `id` and `value`. A signal that asks a model stays in this process, where the account is kept."""
    if engine.ray and not signal.asks:
        yield from _on_a_cluster(rows, signal, lacking, engine)
        return
    among = iter_among(rows, lacking, ["id", *signal.reads])

    def measured(batch: pa.RecordBatch) -> pa.RecordBatch:
        return pa.record_batch([batch["id"], in_turn(signal, batch)], names=["id", "value"])

    # Of a signal that asks, two batches at a time, so that the end of one does not leave the endpoint idle.
    yield from side_by_side(whole_batches(among, signal.batch_size), measured, 2 if signal.asks else engine.threads)


def _on_a_cluster(rows: Path, signal: Signal, lacking: pa.Array, engine: Engine) -> Iterator[pa.RecordBatch]:
    daft = engine.start()
    frame = daft.read_parquet([str(path) for path in part_paths(rows)])
    if len(lacking) < count_rows(rows):
        frame = frame.join(daft.from_arrow(pa.table({"id": lacking})), on="id", how="semi")
    measured = _udf(daft, signal, engine)(*(daft.col(name) for name in ("id", *signal.reads)))
    yield from frame.select(daft.col("id"), measured.alias("value")).to_arrow_iter()


def _flat(batch: pa.RecordBatch) -> pa.Table:
    value = batch["value"]
    names = [value.type.field(i).name for i in range(value.type.num_fields)]
    return pa.table([batch["id"].cast(pa.string()), *value.flatten()], names=["id", *names])
