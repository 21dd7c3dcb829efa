"""The first step of every run: the pool and the target as canonical rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dataflywheel.contracts import Cost, FlywheelError, UsageError
from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.evolution.feedback.tiers import TIERS, Tier, split
from dataflywheel.evolution.iteration.trial import EvalSet
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.inputs.sources import inputs
from dataflywheel.recipe.inputs.target_judge import judge_of
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.sections import Source, Target
from dataflywheel.rows.fingerprint import fingerprint
from dataflywheel.rows.ingest import ingest
from dataflywheel.rows.parts import PART_ROWS, PartWriter, count_rows, iter_batches, read_rows
from dataflywheel.rows.quarantine import first_reason
from dataflywheel.rows.reading import stem
from dataflywheel.rows.text import texts
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.decisions import DECISION_SCHEMA
from dataflywheel.store.record import StepRecord
from dataflywheel.store.run import RunDirectory
from dataflywheel.store.seal import write_sealed


def ingest_pool(context: Context) -> tuple[Context, StepRecord]:
    """Read the pool into `00-pool`; its fingerprint is what later steps build on."""
    output = context.run.step(0, "pool")
    record = _ingest(context, "00-pool", output, context.recipe.pool)
    if context.recipe.pool and not record.rows_out:
        names = ", ".join(entry.path or str(entry.builtin) for entry in context.recipe.pool)
        raise FlywheelError(f"pool: no row could be read from {names}{_first_reason(output / 'quarantine.jsonl')}")
    context.run.bill(output, record.cost)
    return replace(context, pool=output / "rows"), record


def _first_reason(quarantine: Path) -> str:
    """Why the first line could not be read, which may hold the mapping that helps."""
    if not quarantine.is_file():
        return ""
    with quarantine.open("rb") as lines:
        entry = orjson.loads(next(lines))
    return f"; the first, {entry['file']} {first_reason(entry)}; see {quarantine} for the others"


def ingest_target(context: Context, divided: bool = False) -> Context:
    """Read the target, where the recipe names one, into `target/`; `divided` into rows that guide and others to score.

    Raises:
        FlywheelError: no row, or too few to divide.
    """
    if not context.recipe.target:
        return context
    output = context.run.path / "target"
    record = _ingest(context, "target", output, context.recipe.target)
    if not record.rows_out:
        names = ", ".join(entry.path or str(entry.builtin) for entry in context.recipe.target)
        why = _first_reason(output / "quarantine.jsonl")
        raise FlywheelError(
            f"target: no row could be read from {names}{why}; evaluation and decontamination need at least one"
        )
    rows, known = output / "rows", record.fingerprint
    context = replace(context, target=rows, target_digest=known, guide=rows, against=rows, renewed=())
    if not divided and context.recipe.rounds == 1:
        return context
    # Who steers and who judges is part of what a step depends on: no step of another division may be taken over.
    context = replace(context, target_digest=digest(known, context.recipe.tiers.model_dump_json()))
    tiers = write_tiers(context)
    if not (count_rows(tiers["steer"]) and count_rows(tiers["sealed"])):
        raise FlywheelError(
            f"target: {count_rows(rows)} rows with different prompts are too few to guide the choice and "
            "to score it too; name more rows under `target:`"
        )
    return replace(context, guide=tiers["steer"], scored=tiers["sealed"])


def write_tiers(context: Context) -> dict[Tier, Path]:
    """The target's rows by tier, in `tiers/`; the split follows from their content alone. One round has no model to
    choose among: what the select tier would get is sealed there."""
    assert context.target is not None
    output, shares = context.run.path / "tiers", context.recipe.tiers.shares()
    if context.recipe.rounds == 1:
        shares = {"steer": shares["steer"], "select": 0.0, "sealed": 1 - shares["steer"]}
    known = digest("tiers@1", context.target_digest, shares)
    if context.run.finished(output, known, tell=True) is None:
        rows = read_rows(context.target)
        slices = list(slices_by_id(context, context.target).values())
        found = split(rows["id"].to_pylist(), texts(rows["messages"], "prompt"), slices, shares)
        with atomic_directory(output) as aside:
            for tier, at in found.items():
                with PartWriter(aside / tier) as writer:
                    writer.write(rows.take(pa.array(at)))
            write_sealed(aside, {"fingerprint": known, **{t: len(at) for t, at in found.items()}})
    return {tier: output / tier for tier in TIERS}


def _ingest(context: Context, title: str, output: Path, sources: list[Source] | list[Target]) -> StepRecord:
    entries = inputs(sources)
    known = digest("ingest@1", fingerprint(entries), [s.model_dump_json() for s in sources])
    held = context.run.record(output, known)
    if held is not None:
        context.watcher.finished(title, _note(held), True)
        return held
    context.watcher.started(title)
    began = time.perf_counter()
    with atomic_directory(output) as aside:
        found = ingest(entries, aside / "rows", progress=lambda rows: context.watcher.advanced(title, "rows", rows, 0))
        cost = Cost(seconds=round(time.perf_counter() - began, 3))
        _write_kept(aside / "decisions.parquet", aside / "rows")
        came = found.rows + found.merged + found.quarantined
        counted = {"dropped: cannot be read": found.quarantined, "dropped: identical row": found.merged}
        files = [dict(f) if isinstance(f, dict) else asdict(f) for f in found.files]
        details = {"files": files, "merged": found.merged, "unread": found.unread}
        for name in ("quarantine.jsonl", "origins.parquet"):
            if (aside / "rows" / name).exists():
                (aside / "rows" / name).rename(aside / name)
        name = title.removeprefix("00-")
        record = StepRecord(
            step=name, fingerprint=known, rows_in=came, rows_out=found.rows, cost=cost, counts=counted, details=details
        ).write(aside)
    context.watcher.finished(title, _note(record) + context.run.made_anew(output), False)
    return record


def _write_kept(path: Path, rows: Path) -> None:
    """One decision a row, batch by batch; how many identical lines it stands for is in the reason."""
    with pq.ParquetWriter(path, DECISION_SCHEMA, compression="zstd", compression_level=1) as out:
        for batch in iter_batches(rows, ["id", "copies"], PART_ROWS):
            copies = batch["copies"]
            merged = pc.binary_join_element_wise("read: ", copies.cast(pa.string()), " identical rows merged", "")
            columns = {"id": batch["id"], "action": pa.repeat(pa.scalar("kept"), len(batch))}
            columns["reason"] = pc.if_else(pc.equal(copies, 1), "read", merged)
            held = [columns.get(field.name, pa.nulls(len(batch), field.type)) for field in DECISION_SCHEMA]
            out.write_batch(pa.RecordBatch.from_arrays(held, schema=DECISION_SCHEMA))


def unread_of(run: RunDirectory) -> list[tuple[str, str]]:
    """What lay beside the pool and the target of a run and was not read, with the reason."""
    places = [place / "metrics.json" for place in (run.step(0, "pool"), run.path / "target")]
    held = [orjson.loads(place.read_bytes())["details"] for place in places if place.is_file()]
    return list(dict.fromkeys((path, reason) for details in held for path, reason in details.get("unread", [])))


def _note(record: StepRecord) -> str:
    bad = record.counts["dropped: cannot be read"]
    aside = f", {bad:,} set aside as unreadable (quarantine.jsonl)" if bad else ""
    merged = f", {n:,} identical ones merged" if (n := record.details["merged"]) else ""
    return f"{record.rows_out:,} rows{merged}{aside}"


def eval_set(context: Context, settings: Evaluate, rows: Path | None = None) -> EvalSet:
    """The target's rows that are scored, or those `rows` of it, with its metric and each row's slice.

    Raises:
        UsageError: no target, entries with different metrics, or a row whose entry cannot be told.
    """
    if context.target is None:
        raise UsageError("evaluate: the recipe has no target; name evaluation rows under `target:`")
    rows = rows or context.scored or context.target
    name = one_metric(context.recipe)
    return EvalSet(rows, name, tuple(slices_by_id(context, rows).values()), settings, judge_of(context, name))


def one_metric(recipe: Recipe) -> str:
    """The metric that all entries of the target are scored by.

    Raises:
        UsageError: entries with different metrics.
    """
    metrics = sorted({entry.metric for entry in recipe.target})
    if len(metrics) > 1:
        raise UsageError(f"target: one metric for all entries, not {metrics}; make one recipe for each")
    return metrics[0] if metrics else "bits_per_byte"


def slices_by_id(context: Context, target: Path) -> dict[str, str]:
    """The slice of every target row, by id, in the order of the rows.

    Raises:
        UsageError: a row whose entry of the recipe cannot be told.
    """
    rows = read_rows(target, ["id", "source", "tags", "extra"])
    entries = context.recipe.target
    ids, *facts = (rows[name].to_pylist() for name in rows.column_names)
    return {id: slice_of(entries, *fact) for id, *fact in zip(ids, *facts, strict=True)}


def slice_of(entries: Sequence[Target], source: str, tags: list[str] | None, extra: str) -> str:
    """The slice of a row of the target of these entries, by what is known of the row."""
    by_source = {e.source or e.builtin or stem(Path(e.path or "")): e for e in entries}
    only = entries[0] if len(entries) == 1 else None
    entry = only or by_source.get(source)
    if entry is None:
        if not any(other.slice for other in by_source.values()):
            return source
        raise UsageError(f"target: whose slice a row of {source!r} has is not clear; give each entry its own `source`")
    name = entry.slice
    if name in (None, "source"):
        return source
    if name in ("tag", "tags"):
        return tags[0] if tags else "untagged"
    return str(orjson.loads(extra).get(name, f"no {name}"))
