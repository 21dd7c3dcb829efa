"""The step `prefer`: the model of the step before learns which of two answers is the better one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.contracts import Cost, Decisions, UsageError
from dataflywheel.distillation.model.preference import Preference
from dataflywheel.evolution.iteration.trial import LOSSES_KEPT, Progress
from dataflywheel.models.files import folder_digest
from dataflywheel.models.training import TrainSettings
from dataflywheel.recipe.context import Context, digest
from dataflywheel.recipe.model_step import advanced, copy_model, finish_step
from dataflywheel.recipe.pair_writers import opponent, pairs_to_learn
from dataflywheel.recipe.training import Prefer
from dataflywheel.rows.parts import count_rows, read_rows
from dataflywheel.store.atomic import write_json
from dataflywheel.store.lock import one_at_a_time

NO_PAIR = (
    "prefer: {there} holds a worse answer beside the good one; write pairs (`generate: {{by: spin}}`, `syn_po`), "
    "take them from a pool (`chosen` and `rejected`), or leave the step out"
)


def prefer_step(
    context: Context,
    work: Prefer,
    rows: Path,
    start: Path,
    output: Path,
    fingerprint: str,
    name: str,
    writers: Sequence[Path] = (),
    turn: int = 1,
) -> dict[str, Any]:
    """Train the model in `start` on the rows that are pairs; the new one lies in `models/<name>`.

    `writers` are the outputs of the steps of this round, the `turn`, before it, in which the model in training may have
    written.

    Raises:
        UsageError: no row is a pair, or the model that wrote them is gone.
    """
    ids, older = pairs_to_learn(rows, turn, work.iterations)
    if not ids:
        there = f"none of {count_rows(rows):,} rows"
        tried = "; what became of every pair that was tried is in `proposals.parquet` of the step that writes them"
        raise UsageError(NO_PAIR.format(there=there) + tried)
    settings = work.settings()
    settings = settings.model_copy(update={"seed": context.recipe.seed + settings.seed})
    report = partial(advanced, context, output.name)
    reference = None if work.reference == "start" else opponent(context, writers)
    made, facts = preferred(context.home, rows, ids, start, settings, work.method(), report, reference)
    copy_model(made, context.run.path / "models" / name)
    passes = 2 * facts["pairs"] * work.epochs
    cost = Cost(facts["seconds"], round(2 * passes), round(passes), facts["tokens"])
    left_out = dict(facts.pop("left_out"))
    model = {"model": f"models/{name}", "digest": folder_digest(context.run.path / "models" / name)}
    held = "start" if reference is None else folder_digest(reference)
    details = {**model, "reference": held, "pairs_of_earlier_iterations": older, **facts, "left_out": len(left_out)}
    decisions = Decisions()
    for id in ids:
        why = left_out.get(id)
        decisions.add(id, "dropped" if why else "kept", f"not trained, {why}" if why else "trained")
    params = work.model_dump(mode="json")
    return finish_step(context, "prefer", params, output, fingerprint, cost, details, len(ids), decisions=decisions)


def preferred(
    home: Path,
    rows: Path,
    ids: Sequence[str],
    start: Path,
    settings: TrainSettings,
    method: Preference,
    progress: Progress | None = None,
    reference: Path | None = None,
) -> tuple[Path, dict[str, Any]]:
    """The model that these pairs make of the one in `start`, from the store where it is there; with steps, tokens,
    seconds, losses and margins. Where another run is training the same, it is waited for. `reference` is the model that
    it is held to, `start` where none is given."""
    origin = [settings.version, method.digest(), folder_digest(start), settings.model_dump_json()]
    origin += [f"reference={folder_digest(reference)}"] if reference is not None else []
    folder = home / "models" / f"dpo-{digest(*origin, *sorted(ids))}"
    with one_at_a_time(folder):
        if not (folder / "training.json").exists():
            _train(folder, rows, ids, start, settings, method, progress, reference)
    facts: dict[str, Any] = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    return folder, facts


def _train(
    folder: Path,
    rows: Path,
    ids: Sequence[str],
    start: Path,
    settings: TrainSettings,
    method: Preference,
    progress: Progress | None,
    reference: Path | None,
) -> None:
    table = read_rows(rows, ["id", "messages", "rejected", "tools", "media"])
    pairs = table.filter(pc.is_in(table["id"], value_set=pa.array(list(ids), pa.string())))
    pairs = pairs.take(pc.sort_indices(pairs["id"]))  # the order in which rows were found must not matter
    made = method.train(pairs, start, folder, settings, reference=reference, progress=progress)
    done = made.trained
    facts = {
        "steps": done.steps,
        "tokens": done.tokens,
        "seconds": round(done.seconds, 3),
        "pairs": len(pairs) - len(made.left_out),
        "left_out": sorted(made.left_out.items()),
        "losses": _thinned(done.losses),
        "margins": _thinned(made.margins),
    }
    write_json(folder / "training.json", facts)


def _thinned(values: Sequence[float]) -> list[list[float]]:
    """(step, value), at most some hundreds of them."""
    every = max(1, len(values) // LOSSES_KEPT)
    return [[step + 1, round(value, 4)] for step, value in enumerate(values) if step % every == 0]
