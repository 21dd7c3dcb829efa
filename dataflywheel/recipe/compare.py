"""The scoreboard: the recipe's selection against simple choices at the same cost, over several seeds."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.contracts import Cost, FlywheelError, UsageError
from dataflywheel.evolution.feedback.evaluate import BETTER
from dataflywheel.evolution.iteration.trial import Exam, Trial, run_trial
from dataflywheel.models.training import TrainSettings
from dataflywheel.recipe.arms import LENGTH, Arm, Field, build_arms
from dataflywheel.recipe.context import Context, digest
from dataflywheel.recipe.scoreboard import against, jaccard, length_shift, score_arm, slice_intervals
from dataflywheel.store.atomic import write_json

Job = tuple[int, int]  # (arm, seed) as positions


def run_comparison(
    context: Context, field: Field, student: Path, settings: TrainSettings, exam: Exam, before: str
) -> dict[str, Any]:
    """Train and score every arm with every seed, write `compare.json`, and give its content."""
    plan = context.recipe.compare
    if plan is None:
        raise UsageError("compare: the recipe names no arms; write `compare: [random, longest, full]`")
    seeds = [context.recipe.seed + i for i in range(plan.seeds)]
    output = context.run.path / "compare.json"
    fingerprint = digest(before, plan.model_dump_json(), settings.model_dump_json(), exam.digest(), str(student.name))
    if output.exists() and (held := json.loads(output.read_text(encoding="utf-8")))["fingerprint"] == fingerprint:
        context.watcher.finished("compare", _summary(held), True)
        return dict(held)
    arms = build_arms(context, field, seeds, settings.epochs)
    done: dict[Job, Trial] = {}
    jobs = [(a, s) for s in range(len(seeds)) for a in range(len(arms))]
    for job, trial in _trials(context, arms, seeds, jobs, student, settings, exam):
        done[job] = trial
        context.watcher.advanced("compare", "trials", len(done), len(jobs))
    complete = [s for s in range(len(seeds)) if all((a, s) in done for a in range(len(arms)))]
    if len(complete) < 2:
        raise FlywheelError(
            "compare: the hours were used up before two seeds of every arm were trained; "
            "nothing can be said about the gain"
        )
    board = {
        "fingerprint": fingerprint,
        **_board(context, field, arms, [seeds[s] for s in complete], complete, done, exam),
    }
    write_json(output, board)
    total = Cost(
        seconds=sum(t.facts["trial_seconds"] for t in done.values()),
        tokens=sum(t.facts["tokens"] for t in done.values()),
    )
    context.run.ledger.enter("compare", total)
    context.watcher.finished("compare", _summary(board), False)
    return board


def _trials(
    context: Context,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    jobs: Sequence[Job],
    student: Path,
    settings: TrainSettings,
    exam: Exam,
) -> Iterator[tuple[Job, Trial]]:
    """Every trial as it finishes; small students train side by side, one core each."""

    def arguments(job: Job) -> tuple[Path, Path, Sequence[str], Path, TrainSettings, Exam]:
        arm = arms[job[0]]
        epochs = 1.0 if arm.same_tokens else settings.epochs
        one = settings.model_copy(update={"seed": seeds[job[1]], "epochs": epochs})
        return context.home, arm.rows, arm.ids[job[1]], student, one, exam

    workers = (os.cpu_count() or 1) if context.recipe.models.student.builtin else 1
    if workers == 1:
        for job in jobs:
            if not context.out_of_time():
                yield job, run_trial(*arguments(job))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        waiting = {pool.submit(run_trial, *arguments(job)): job for job in jobs}
        for future in as_completed(waiting):
            if future.cancelled():
                continue
            yield waiting[future], future.result()
            if context.out_of_time():
                pool.shutdown(wait=False, cancel_futures=True)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _board(
    context: Context,
    field: Field,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    at: Sequence[int],
    done: dict[Job, Trial],
    exam: Exam,
) -> dict[str, Any]:
    better = BETTER[exam.metric]
    offered = context.measured(field.before, LENGTH, "compare")
    lengths = {
        path: dict(zip(c.ids, c["text.tokens_answer"], strict=True))
        for path in {arm.rows for arm in arms}
        for c in [context.measured(path, LENGTH, "compare")]
    }
    scores = {arm.name: [done[a, s].metric for s in at] for a, arm in enumerate(arms)}
    lines = []
    for a, arm in enumerate(arms):
        trials = [done[a, s] for s in at]
        chosen = np.array([lengths[arm.rows][i] for i in arm.ids[at[0]]], dtype=float)
        seconds = float(np.mean([t.facts["seconds"] for t in trials]))
        lines.append(
            {
                "name": arm.name,
                "label": arm.label,
                "role": arm.role,
                "rows": len(arm.ids[at[0]]),
                "answer_tokens": int(np.mean([t.facts["answer_tokens"] for t in trials])),
                "train_tokens": int(np.mean([t.facts["tokens"] for t in trials])),
                **score_arm(scores[arm.name], None if arm.name == "random" else scores["random"], better),
                "raw": None if "random_raw" not in scores else against(scores[arm.name], scores["random_raw"], better),
                "select_cost": arm.select_cost.as_dict(),
                "train_seconds": round(seconds, 2),
                "costs_more_than_training": arm.select_cost.seconds > seconds,
                "length_shift": length_shift(chosen, offered["text.tokens_answer"].astype(float)),
                "overlap": {o.name: round(jaccard(arm.ids[at[0]], o.ids[at[0]]), 4) for o in arms if o is not arm},
                "slices": slice_intervals([_slice_metrics(t, exam) for t in trials]),
            }
        )
    facts = {"metric": exam.metric, "better": better, "budget": str(field.select.keep), "seeds": list(seeds)}
    return {**facts, "rows_offered": len(offered), "arms": lines}


def _slice_metrics(trial: Trial, exam: Exam) -> dict[str, float]:
    groups = trial.scores.by_slice(exam.settings.smallest_slice)
    return {name: float(np.nansum(trial.scores.value[i]) / trial.scores.weight[i].sum()) for name, i in groups.items()}


def _summary(board: dict[str, Any]) -> str:
    own = board["arms"][0]
    return f"{own['verdict']} at the same cost, over {len(board['seeds'])} seeds"
