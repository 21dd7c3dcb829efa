"""The end of a run: the final data set in the asked format, and the map of what was kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.recipe.context import Context
from dataflywheel.rows.convert import convert
from dataflywheel.rows.parts import count_rows, read_rows
from dataflywheel.store.atomic import atomic_directory, atomic_path

MAP_ROWS = 3000


def write_dataset(context: Context, rows: Path) -> int:
    """`dataset/`: the final rows as the recipe's trainer reads them; gives how many."""
    with atomic_directory(context.run.path / "dataset") as aside:
        convert(str(rows), str(aside / "train.jsonl"), context.recipe.format)
    return count_rows(rows)


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
    with atomic_path(context.run.path / "map.parquet") as aside:
        pq.write_table(table, aside)
