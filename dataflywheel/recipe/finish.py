"""The end of a run: the final data set in the asked format, and the map of what was kept."""

from __future__ import annotations

from pathlib import Path
from warnings import warn

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.contracts import Decisions, FlywheelError
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.origins import origins_in
from dataflywheel.recipe.steps.rows_out import write_decided, write_kept
from dataflywheel.rows.convert import convert
from dataflywheel.rows.parts import count_rows, read_rows
from dataflywheel.store.atomic import atomic_directory, atomic_path, remove, set_aside
from dataflywheel.store.record import StepRecord
from dataflywheel.store.run import DATASET, EARLIER, PARTIAL

MAP = "map.parquet"
MAP_ROWS = 3000


def write_dataset(
    context: Context, rows: Path, last: int, round: int, name: str = DATASET
) -> tuple[int, dict[str, int], dict[str, int]]:
    """`dataset/`: the final rows as the recipe's trainer reads them; gives how many, how many not, by reason, and the
    fields that the trainer has no place for, with the number of rows that have them.

    Rows that it cannot hold are left out; then a step `dataset` after the `last` one has a decision with its reason for
    each, and the rows that are in the data set.

    Raises:
        FlywheelError: it can hold none of the rows, or there is none.
    """
    if not count_rows(rows):
        raise FlywheelError(f"{rows.parent.name}: no row came of it{_shortfall(rows.parent)}")
    final = context.run.path / name
    reasons: dict[str, str] = {}
    with atomic_directory(final) as aside:
        told = origins_in(context.run.path) if context.recipe.origins else None
        found = convert(str(rows), str(aside / "train.jsonl"), context.recipe.format, place=final, origins=told)
        listed = aside / "train.jsonl.quarantine.jsonl"
        if found["left_out"]:
            entries = map(orjson.loads, listed.read_bytes().splitlines())
            reasons = {entry["id"]: entry["reason"] for entry in entries}
        listed.unlink(missing_ok=True)
    if reasons:
        _decide(context, rows, reasons, context.run.step(last + 1, "dataset", round))
    return count_rows(rows) - len(reasons), found["reasons"], found["not_carried"]


def write_partial(context: Context, rows: Path, last: int, round: int, own: bool) -> Path | None:
    """What a run that did not come to its end leaves: no `dataset/`, and in `dataset.partial/` the rows that there are,
    where a step has changed the pool. `own` says that this run wrote `dataset/`; another's is put aside."""
    dataset, partial = context.run.path / DATASET, context.run.path / PARTIAL
    if own:
        remove(dataset)
    elif dataset.exists():
        remove(context.run.path / EARLIER)
        dataset.rename(context.run.path / EARLIER)
    remove(partial)
    if rows == context.pool:
        return None
    try:
        write_dataset(context, rows, last, round, PARTIAL)
    except FlywheelError as error:
        warn(f"{partial}: not written: {error}", stacklevel=2)
        return None
    return partial


def forget_partial(context: Context) -> None:
    """Remove what a run left that did not come to its end: now it has."""
    for name in (PARTIAL, EARLIER):
        remove(context.run.path / name)


def _shortfall(step: Path) -> str:
    """What a step that writes says of why it wrote no more."""
    record = step / "metrics.json"
    said = orjson.loads(record.read_bytes())["details"].get("shortfall") if record.exists() else ""
    return f": {said}; {step / 'proposals.parquet'} has every proposal with its reason" if said else ""


def _decide(context: Context, rows: Path, reasons: dict[str, str], output: Path) -> None:
    """The step that says which rows are not in the data set, and why."""
    decisions = Decisions()
    for id_ in read_rows(rows, ["id"])["id"].to_pylist():
        held = id_ not in reasons
        decisions.add(
            id_, "kept" if held else "dropped", f"written as {context.recipe.format}" if held else reasons[id_]
        )
    with atomic_directory(output) as aside:
        kept = write_kept(rows, decisions, aside / "rows")
        params = {"format": context.recipe.format}
        known = digest(context.recipe.format)
        write_decided(aside, StepRecord(step="dataset", fingerprint=known, params=params, rows_out=kept), decisions)


def embedding_map(context: Context, kept: Path) -> None:
    """`map.parquet`: two principal components of the pool's embeddings, where a step measured them.

    A random sample stands for a large pool; its choice depends on the recipe's seed alone.
    """
    assert context.pool is not None
    store, signal = context.signal_store, context.signal("embedding")
    ids = read_rows(context.pool, ["id"])["id"].combine_chunks()
    have = np.flatnonzero(~store.missing(signal.key(), ids))
    order = np.random.default_rng(context.recipe.seed).permutation(have)[:MAP_ROWS]
    sample = ids.take(pa.array(np.sort(order), pa.int64()))
    if len(sample) < 3:
        return
    from sklearn.decomposition import PCA

    measured = store.read(signal.key(), sample, ["vector"])["vector"]
    sample = sample.filter(measured.is_valid().combine_chunks())
    vectors = np.asarray(measured.drop_null().to_pylist(), dtype=np.float32)
    place = PCA(n_components=2, random_state=context.recipe.seed).fit_transform(vectors)
    final = set(read_rows(kept, ["id"])["id"].to_pylist())
    table = pa.table(
        {"id": sample, "x": place[:, 0], "y": place[:, 1], "kept": [i in final for i in sample.to_pylist()]}
    )
    with atomic_path(context.run.path / MAP) as aside:
        pq.write_table(table, aside, write_page_checksum=True)


def map_is_whole(run: Path) -> bool:
    """Whether the map is there, as it was written."""
    try:
        pq.ParquetFile(run / MAP, page_checksum_verification=True).read()
    except FileNotFoundError:
        return False
    except (pa.ArrowException, OSError):
        set_aside(run / MAP, "not as it was written", "made anew")
        return False
    return True
