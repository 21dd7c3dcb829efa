"""Steps that train and evaluate a model."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from dataflywheel.contracts import Cost, Decisions, UsageError
from dataflywheel.evolution.feedback.evaluate import Evaluate, RowScores, summarise
from dataflywheel.evolution.feedback.score_files import write_scores
from dataflywheel.evolution.iteration.trial import examine, trained
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language_model import local_folder
from dataflywheel.recipe.asking import asked_cost, failed_at_endpoint
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.ingest_step import target_exam
from dataflywheel.recipe.on_policy_step import learn_on_policy, on_policy_of
from dataflywheel.recipe.step_record import StepRecord
from dataflywheel.recipe.training import PAIR, Distill, Train, teaching
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.decisions import counts, write_decisions


def student_folder(context: Context) -> Path:
    """The untrained student: the folder of the recipe's model, or a new built-in one with the pool's tokenizer."""
    from dataflywheel.models.tiny import init_tiny, pool_tokenizer

    spec = context.recipe.models.student
    if spec.builtin is None:
        return local_folder(spec)
    tokenizer = pool_tokenizer(context.pool_texts(), cache_dir=context.home / "models")
    return init_tiny(tokenizer, spec.size, seed=context.recipe.seed, cache_dir=context.home / "models")


def train_step(
    context: Context, work: Train, rows: Path, output: Path, fingerprint: str, name: str = "student"
) -> dict[str, Any]:
    """Train the student on the rows; the model lies in `models/<name>`."""
    settings = work.settings()
    settings = settings.model_copy(update={"seed": context.recipe.seed + settings.seed})
    ids = row_ids(rows, pairs=None if work.pairs else False)
    if not ids:
        raise UsageError(
            f"{output.name}: every row is a pair, and `pairs: false` leaves pairs to `prefer`; leave it out"
        )
    report = partial(advanced, context, output.name)
    student = student_folder(context)
    on_policy = on_policy_of(work)
    if on_policy is not None and isinstance(work, Distill):
        made, facts = learn_on_policy(context, work, on_policy, rows, ids, student, settings, report)
    else:
        taught = teaching(context, work, student)
        made, facts = trained(context.home, rows, ids, student, settings, report, taught)
    copy_model(made, context.run.path / "models" / name)
    cost = Cost(seconds=round(facts["seconds"], 3), backward=facts["steps"], tokens=facts["tokens"])
    left_out, changed = dict(facts.pop("left_out")), facts.pop("changed_rows")
    cut = facts.pop("cut_rows", {})
    decisions = of_training(row_ids(rows), set(ids), left_out, changed, cut)
    details = {"model": f"models/{name}", "digest": folder_digest(context.run.path / "models" / name), **facts}
    details |= {"not_trained": decisions.action.count("dropped"), "changed": len(changed), "cut": len(cut)}
    done = "distill" if isinstance(work, Distill) else "train"
    params = work.model_dump(mode="json")
    return finish_step(
        context, done, params, output, fingerprint, cost, details, len(decisions.ids), decisions=decisions
    )


def of_training(
    ids: Sequence[str],
    taught: Collection[str],
    left_out: Mapping[str, str],
    changed: Mapping[str, str],
    cut: Mapping[str, str],
) -> Decisions:
    """What became of every row that a training was given: learned, with what the chat template changed of it and what
    `max_length` cut off, or left out with the reason."""
    decisions = Decisions()
    for id in ids:
        if id not in taught:
            decisions.add(id, "dropped", f"not trained, {PAIR}")
        elif id in left_out:
            decisions.add(id, "dropped", f"not trained, {left_out[id]}")
        else:
            told = [f"trained, the chat template {changed[id]}" if id in changed else "trained"]
            told += [f"without {cut[id]}, since it is longer than max_length"] if id in cut else []
            decisions.add(id, "kept", ", ".join(told))
    return decisions


def copy_model(made: Path, folder: Path) -> None:
    """A model's files in another folder, without what only its training needed."""
    with atomic_directory(folder) as aside:
        shutil.copytree(made, aside, dirs_exist_ok=True, ignore=shutil.ignore_patterns("training.json", "checkpoint-*"))


def row_ids(rows: Path, pairs: bool | None = None) -> list[str]:
    """Ids in order: of all rows, of those that hold a worse answer beside the good one, or of those that hold none."""
    table = read_rows(rows, ["id"] if pairs is None else ["id", "rejected"])
    if pairs is not None:
        found = pc.fill_null(pc.greater(pc.list_value_length(table["rejected"]), 0), False)
        table = table.filter(found if pairs else pc.invert(found))
    ids: list[str] = table["id"].to_pylist()
    return ids


def advanced(context: Context, title: str, step: int, total: int, loss: float) -> None:
    """Tell of a training step."""
    context.watcher.advanced(title, f"steps, loss {loss:.3f}", step, total)


def evaluate_step(context: Context, settings: Evaluate, model: Path, output: Path, fingerprint: str) -> dict[str, Any]:
    """Score the trained model on the target, by slice."""
    exam = target_exam(context, settings)
    began = time.perf_counter()
    scores = examine(model, exam)
    details = {**summarise(scores, exam.metric, settings), **failed_at_endpoint(context)}
    cost = Cost(seconds=round(time.perf_counter() - began, 3), forward=len(scores.ids)) + asked_cost(context, output)
    params = settings.model_dump()
    return finish_step(context, "evaluate", params, output, fingerprint, cost, details, len(scores.ids), scores)


def evaluate_tiers(
    context: Context, settings: Evaluate, model: Path, output: Path, fingerprint: str, tiers: Mapping[str, Path]
) -> dict[str, Any]:
    """Score the model on tiers of the target. What the step says of it is what the select tier says."""
    began = time.perf_counter()
    exams = {name: target_exam(context, settings, rows) for name, rows in tiers.items()}
    scores = {name: examine(model, exam) for name, exam in exams.items()}
    told = {name: summarise(found, exams[name].metric, settings) for name, found in scores.items()}
    rows = sum(len(found.ids) for found in scores.values())
    cost = Cost(seconds=round(time.perf_counter() - began, 3), forward=rows) + asked_cost(context, output)
    details = {**told["select"], "tiers": told, **failed_at_endpoint(context)}
    return finish_step(context, "evaluate", settings.model_dump(), output, fingerprint, cost, details, rows, scores)


def finish_step(
    context: Context,
    step: str,
    params: dict[str, Any],
    output: Path,
    fingerprint: str,
    cost: Cost,
    details: dict[str, Any],
    rows: int,
    scores: RowScores | Mapping[str, RowScores] | None = None,
    decisions: Decisions | None = None,
) -> dict[str, Any]:
    """Write what a step that hands no rows on did, and give its metrics."""
    kept, counted = rows, {}
    if decisions is not None:
        kept, counted = decisions.action.count("kept"), counts(decisions)
    with atomic_directory(output) as aside:
        for tier, of_tier in scores.items() if isinstance(scores, Mapping) else ():
            write_scores(aside / f"scores-{tier}.parquet", of_tier)
        if isinstance(scores, RowScores):
            write_scores(aside / "scores.parquet", scores)
        if decisions is not None:
            write_decisions(aside / "decisions.parquet", decisions)
        return StepRecord(step, fingerprint, params, rows, kept, cost, counted, details).write(aside)
