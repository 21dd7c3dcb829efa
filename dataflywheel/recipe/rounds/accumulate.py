"""The training set of a round: everything kept so far and what the round brought, with real rows at its heart."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow as pa

from dataflywheel import catalog
from dataflywheel.contracts import Decisions, FlywheelError
from dataflywheel.evolution.iteration.lineage import depths
from dataflywheel.evolution.iteration.mixing import Anchor, room
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.steps.rows_out import write_decided, write_kept
from dataflywheel.rows.parts import PartWriter, iter_among, iter_batches, read_rows
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.record import StepRecord


def accumulate(
    context: Context,
    earlier: Path | None,
    new: Path,
    round: int,
    output: Path,
    fingerprint: str,
    between: Sequence[Path] = (),
) -> StepRecord:
    """Add a round's rows to those of the rounds before; gives the metrics that it wrote.

    Rows that were made too many times over are left out, and made rows beyond the most that the real share allows, the
    last ones first. Rows of earlier rounds are never replaced.

    Args:
        between: rows as the steps of the round left them, oldest first: parents that a later step replaced.
    """
    began = time.perf_counter()
    anchor = Anchor(real=context.recipe.guards.real_share, depth=context.recipe.guards.depth)
    rewriters = [name for name in catalog.names() if getattr(catalog.get(name), "keeps_meaning", False)]
    before = depths(earlier, rewriters=rewriters) if earlier else {}
    ancestors = dict(before)
    for left in between:
        ancestors |= depths(left, ancestors, rewriters)
    found = depths(new, ancestors, rewriters)
    depth = {**before, **found}
    real = sum(d == 0 for d in depth.values())
    free = room(real, sum(d > 0 for d in before.values()), anchor)
    decisions = Decisions()
    for id in before:
        decisions.add(id, "kept", "of an earlier round")
    for id in (id for id in read_rows(new, ["id"])["id"].to_pylist() if id not in before):
        if found[id] > anchor.depth:
            decisions.add(id, "dropped", f"made {found[id]} times over, more than {anchor.depth}")
        elif found[id] and free <= 0:
            decisions.add(id, "dropped", f"the share of real rows would fall below {anchor.real:.0%}")
        else:
            free -= found[id] > 0
            decisions.add(id, "added" if earlier else "kept", f"of round {round}")
    if all(action == "dropped" for action in decisions.action):
        raise FlywheelError(
            f"round {round}: none of {len(decisions.ids):,} rows is left to train on: {decisions.reason[0]}; choose "
            "more rows of the pool, or see `guards` in the recipe"
        )
    with atomic_directory(output) as aside:
        _write_offered(earlier, new, before, round, aside / "offered")
        kept = write_kept(aside / "offered", decisions, aside / "rows")
        for path in (aside / "offered").iterdir():
            path.unlink()
        (aside / "offered").rmdir()
        ids = read_rows(aside / "rows", ["id"])["id"].to_pylist()
        made = sum(depth[id] > 0 for id in ids)
        details = {"real": kept - made, "made": made, "real_share": (kept - made) / kept if kept else None}
        record = StepRecord(
            step="accumulate", fingerprint=fingerprint, params=anchor.model_dump(), rows_out=kept, details=details
        )
        return write_decided(aside, record.after(began), decisions)


def _write_offered(earlier: Path | None, new: Path, before: Collection[str], round: int, output: Path) -> None:
    """The rows of earlier rounds as they are, then those of `new` that are not among them, stamped with the round."""
    known = pa.array(list(before), pa.string())
    with PartWriter(output) as writer:
        for batch in iter_batches(earlier) if earlier else ():
            writer.write(pa.Table.from_batches([batch]))
        for batch in iter_among(new, known, others=True):
            part = pa.Table.from_batches([batch])
            stamp = pa.array([round] * len(part), pa.int32())
            writer.write(part.set_column(part.schema.get_field_index("round"), "round", stamp))


def offer(context: Context, rows: Path, used: set[str], output: Path, fingerprint: str) -> StepRecord:
    """The cleaned rows that no round has taken yet."""
    began = time.perf_counter()
    decisions = Decisions()
    for id in read_rows(rows, ["id"])["id"].to_pylist():
        taken = id in used
        decisions.add(id, "dropped" if taken else "kept", "taken by an earlier round" if taken else "not taken yet")
    with atomic_directory(output) as aside:
        kept = write_kept(rows, decisions, aside / "rows")
        record = StepRecord(step="offer", fingerprint=fingerprint, rows_out=kept)
        return write_decided(aside, record.after(began), decisions)
