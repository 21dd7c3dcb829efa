"""Data sets of the Hugging Face hub, by name. The network is used here and nowhere else in this room."""

from __future__ import annotations

from collections.abc import Iterator

from dataflywheel.contracts import FlywheelError, nearest
from dataflywheel.rows.containers.block import BLOCK_RECORDS, Block


def hub_blocks(name: str, split: str | None) -> Iterator[Block]:
    """Record batches of one split; `train` where none is named.

    Raises:
        FlywheelError: `datasets` is not installed, the data set cannot be had, or has no such split.
    """
    try:
        import datasets
    except ImportError:
        raise FlywheelError(f"{name}: reading from the hub needs `pip install dataflywheel[lm]`") from None
    try:
        splits = datasets.load_dataset(name)
    except Exception as error:
        raise FlywheelError(f"{name}: no such file, and not to be had from the hub: {error}") from error
    chosen = split or ("train" if "train" in splits else next(iter(splits)))
    if chosen not in splits:
        raise FlywheelError(f"{name}: no split {chosen!r}{nearest(chosen, list(splits))}")
    first = 1
    for table in splits[chosen].with_format("arrow").iter(batch_size=BLOCK_RECORDS):
        for batch in table.combine_chunks().to_batches():
            yield Block("arrow", first, batch)
            first += batch.num_rows
