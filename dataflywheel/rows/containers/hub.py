"""Data sets of the Hugging Face hub, by name. The network is used here and nowhere else in this room."""

from __future__ import annotations

from collections.abc import Iterator

from dataflywheel.contracts import FlywheelError, nearest
from dataflywheel.rows.containers.block import BLOCK_RECORDS, Block, Left, left_out
from dataflywheel.rows.containers.splits import same_split, training


def hub_blocks(name: str, split: str | None) -> Iterator[Block]:
    """Record batches of one split; the one to train on where none is named.

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
    names = list(splits)
    chosen = training(names) if split is None else [s for s in names if s == split]
    chosen = chosen or [s for s in names if split is not None and same_split(s, split)]
    if not chosen:
        what = f"no split {split!r}{nearest(split, names)}" if split else "several splits and none to train on"
        raise FlywheelError(f"{name}: {what}; it has {', '.join(names)}")
    left = [Left(f"{name}#{s}", f"another split; name it as {name}#{s} to read it") for s in names if s not in chosen]
    if left and split is None:
        yield left_out(left)
    first = 1
    for one in chosen:
        for table in splits[one].with_format("arrow").iter(batch_size=BLOCK_RECORDS):
            for batch in table.combine_chunks().to_batches():
                yield Block("arrow", first, batch)
                first += batch.num_rows
