"""Trials side by side: each arm of a comparison trained and scored with each seed, equal ones once."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

from dataflywheel.contracts import FlywheelError
from dataflywheel.evolution.iteration.training_setup import TrainingSetup
from dataflywheel.evolution.iteration.trial import EvalSet, Trial, run_trial
from dataflywheel.models.quiet import quiet_transformers
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.plugins.carried import done_there, loaded
from dataflywheel.recipe.comparing.arms import Arm
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.inputs.steering import told
from dataflywheel.rows.parts import has_weights

Job = tuple[int, int]  # (arm, seed) as positions


def side_by_side(context: Context) -> int:
    """Trials that are trained at a time."""
    return (os.cpu_count() or 1) if context.recipe.models.student.builtin else 1


def run_trials(
    context: Context,
    arms: Sequence[Arm],
    seeds: Sequence[int],
    jobs: Sequence[Job],
    student: Path,
    settings: TrainSettings,
    exam: EvalSet,
    teaching: TrainingSetup,
) -> Iterator[tuple[Job, Trial]]:
    """Every trial as it finishes; small students train side by side, one core each."""

    def arguments(job: Job) -> tuple[Path, Path, Sequence[str], Path, TrainSettings, EvalSet, TrainingSetup]:
        arm, seed = arms[job[0]], seeds[job[1]]
        heard = by_rows[arm.rows]
        taught = replace(heard, weights=arm.weights[job[1]]) if arm.weights else heard
        return context.home, arm.rows, arm.ids[job[1]], student, settings_of(settings, arm, seed, job[1]), exam, taught

    by_rows = {rows: told(context, teaching, rows, "compare") for rows in {arm.rows for arm in arms}}
    equal = _distinct(arms, seeds, jobs, settings)
    workers = side_by_side(context)
    if workers == 1:
        for same in equal.values():
            if not context.out_of_time():
                trial = run_trial(*arguments(same[0]))
                yield from ((job, trial) for job in same)
        return
    others = set(active_children())
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_worker)
    try:
        with _apart():
            plugins = loaded()
            asked = {
                pool.submit(done_there, plugins, pickle.dumps((run_trial, arguments(same[0])))): same
                for same in equal.values()
            }
        waiting = set(asked)
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                trial = future.result()
                yield from ((job, trial) for job in asked[future])
            if context.out_of_time():
                waiting = {future for future in waiting if not future.cancel()}
    except (KeyboardInterrupt, GeneratorExit):
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


def _distinct(
    arms: Sequence[Arm], seeds: Sequence[int], jobs: Sequence[Job], settings: TrainSettings
) -> dict[Any, list[Job]]:
    """Jobs that are one trial, together: arms that chose the same rows share it; two processes must not train one
    model."""
    equal: dict[Any, list[Job]] = {}
    for job in jobs:
        arm = arms[job[0]]
        known = settings_of(settings, arm, seeds[job[1]], job[1]).model_dump_json()
        weighted = arm.rows if has_weights(arm.rows) else None, str(arm.weights[job[1]] if arm.weights else None)
        equal.setdefault((frozenset(arm.ids[job[1]]), known, weighted), []).append(job)
    return equal


def settings_of(settings: TrainSettings, arm: Arm, seed: int, place: int) -> TrainSettings:
    """How an arm is trained with a seed, which is the one at that place among the seeds."""
    steps = settings.max_steps
    if steps is not None:
        share = arm.shares[place] if arm.shares else 1.0
        steps = None if arm.epochs else max(1, round(steps * share))
    return settings.model_copy(update={"seed": seed, "epochs": arm.epochs or settings.epochs, "max_steps": steps})


@contextmanager
def _apart() -> Iterator[None]:
    """Workers started in here do not import the user's script again, which then needs no guard around its main part.

    Nor do they hear an interruption from the terminal: this process does, once the last of them is started, and ends
    them. In the middle of a start it would leave one behind that nobody knows of.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})  # workers inherit it
    main = sys.modules["__main__"]
    names: tuple[str, ...] = ("__file__", "__spec__")
    hidden = {name: vars(main).pop(name) for name in names if name in vars(main)}
    main.__spec__ = None
    try:
        with _heard_later():
            yield
    finally:
        vars(main).update(hidden)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def _heard_later() -> Iterator[None]:
    """Signals that end this process are handled when the block is over, whichever thread gets them."""
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread alone
        return
    heard: list[int] = []
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    ours = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in ours:
        signal.signal(number, lambda number, frame: heard.append(number))
    try:
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
    if heard:
        ours[signal.Signals(heard[0])](heard[0], None)


def _worker() -> None:
    """One core a worker. What every training imports is kept from the garbage collector, which else goes through all of
    it again after each."""
    import torch

    gc.disable()
    quiet_transformers()
    from datasets import Dataset  # noqa: F401
    from trl import SFTTrainer  # noqa: F401

    gc.freeze()
    gc.enable()
    torch.set_num_threads(1)
