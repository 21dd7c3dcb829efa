"""The scoreboard: the recipe's selection against simple choices at the same cost, over several seeds."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.contracts import Cost, FlywheelError, UsageError
from dataflywheel.evolution.feedback.evaluate import BETTER
from dataflywheel.evolution.iteration.trial import PLAIN, Exam, Teaching, Trial, run_trial
from dataflywheel.models.files import folder_digest
from dataflywheel.models.training import TrainSettings
from dataflywheel.recipe.arms import LENGTH, Arm, Field, build_arms
from dataflywheel.recipe.context import Context, digest
from dataflywheel.recipe.scoreboard import against, jaccard, length_shift, score_arm, slice_intervals
from dataflywheel.store.atomic import finite, write_json

Job = tuple[int, int]  # (arm, seed) as positions


def run_comparison(
    context: Context,
    field: Field,
    student: Path,
    settings: TrainSettings,
    exam: Exam,
    before: str,
    teaching: Teaching = PLAIN,
) -> dict[str, Any]:
    """Train and score every arm with every seed, all in the same way, write `compare.json`, and give its content."""
    plan = context.recipe.compare
    if plan is None:
        raise UsageError("compare: the recipe names no arms; write `compare: [random, longest, full]`")
    seeds = [context.recipe.seed + i for i in range(plan.seeds)]
    output = context.run.path / "compare.json"
    parts = (plan.model_dump_json(), settings.model_dump_json(), exam.digest(), folder_digest(student))
    fingerprint = digest(before, *parts, *([teaching.digest()] if teaching.digest() else []))
    held = json.loads(output.read_text(encoding="utf-8")) if output.exists() else {}
    if held.get("fingerprint") == fingerprint and held["seeds"] == seeds:  # fewer seeds: the hours were used up
        context.watcher.finished("compare", _summary(held), True)
        return dict(held)
    arms = build_arms(context, field, seeds, settings.epochs)
    done: dict[Job, Trial] = {}
    jobs = [(a, s) for s in range(len(seeds)) for a in range(len(arms))]
    for job, trial in _trials(context, arms, seeds, jobs, student, settings, exam, teaching):
        done[job] = trial
        context.watcher.advanced("compare", "trials", len(done), len(jobs))
    complete = [s for s in range(len(seeds)) if all((a, s) in done for a in range(len(arms)))]
    if len(complete) < 2:
        raise FlywheelError(
            "compare: the hours were used up before two seeds of every arm were trained; "
            "nothing can be said about the gain"
        )
    board: dict[str, Any] = {
        "fingerprint": fingerprint,
        "of": before,
        **_board(context, field, arms, [seeds[s] for s in complete], complete, done, exam),
    }
    total = Cost(
        seconds=sum(t.facts["trial_seconds"] for t in done.values()),
        tokens=sum(t.facts["tokens"] for t in done.values()),
    )
    context.run.ledger.enter("compare", total)
    board = finite(board)
    write_json(output, board)
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
    teaching: Teaching,
) -> Iterator[tuple[Job, Trial]]:
    """Every trial as it finishes; small students train side by side, one core each."""

    def epochs(job: Job) -> float:
        return arms[job[0]].epochs or settings.epochs

    def arguments(job: Job) -> tuple[Path, Path, Sequence[str], Path, TrainSettings, Exam, Teaching]:
        arm = arms[job[0]]
        one = settings.model_copy(update={"seed": seeds[job[1]], "epochs": epochs(job)})
        return context.home, arm.rows, arm.ids[job[1]], student, one, exam, teaching

    # Arms that chose the same rows share a trial; two processes must not train one model.
    equal: dict[Any, list[Job]] = {}
    for job in jobs:
        equal.setdefault((frozenset(arms[job[0]].ids[job[1]]), job[1], epochs(job)), []).append(job)
    workers = (os.cpu_count() or 1) if context.recipe.models.student.builtin else 1
    if workers == 1:
        for same in equal.values():
            if not context.out_of_time():
                trial = run_trial(*arguments(same[0]))
                yield from ((job, trial) for job in same)
        return
    others = set(active_children())
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_one_thread)
    try:
        with _apart():
            asked = {pool.submit(run_trial, *arguments(same[0])): same for same in equal.values()}
        waiting = set(asked)
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                trial = future.result()
                yield from ((job, trial) for job in asked[future])
            if context.out_of_time():
                waiting = {future for future in waiting if not future.cancel()}
    except KeyboardInterrupt:
        for worker in set(active_children()) - others:  # what they have trained so far lies in checkpoints
            worker.terminate()
        raise
    except BrokenProcessPool:
        raise FlywheelError(
            "compare: a process that trained was killed, most likely for want of memory; finished trials are kept; "
            "take a smaller student or batch_size and run the same command again"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _apart() -> Iterator[None]:
    """Workers started in here do not import the user's script again, which then needs no guard around its main part.

    Nor do they hear an interruption from the keyboard: this process does, and ends them.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    main = sys.modules["__main__"]
    names: tuple[str, ...] = ("__file__", "__spec__")
    hidden = {name: vars(main).pop(name) for name in names if name in vars(main)}
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(hidden)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


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
    for name, found in scores.items():
        if not np.isfinite(found).all():
            raise FlywheelError(f"compare: {name}: no target row could be scored, so no arm can be judged")
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
    return {name: trial.scores.metric(at) for name, at in groups.items()}


def forget_comparison(path: Path, steps: str) -> None:
    """Remove a scoreboard of other steps than those with this fingerprint: it says nothing of this run."""
    if path.exists() and json.loads(path.read_text(encoding="utf-8")).get("of") != steps:
        path.unlink()


def _summary(board: dict[str, Any]) -> str:
    own = board["arms"][0]
    return f"{own['verdict']} at the same cost, over {len(board['seeds'])} seeds"
