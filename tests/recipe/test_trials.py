"""Trials side by side: equal ones once, none begun when the time is up; each arm trained as it should be."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dataflywheel.contracts import Cost
from dataflywheel.evolution.iteration.training_setup import PLAIN
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.recipe.comparing import trials
from dataflywheel.recipe.comparing.arms import Arm
from dataflywheel.recipe.comparing.compare import bill_of
from tests.recipe.worths import arm


def slow_trial(home: Path, rows: Path, ids: tuple[str, ...], *_: Any) -> tuple[str, ...]:
    time.sleep(0.05)
    with (home / "trained").open("a") as log:
        log.write(f"{','.join(ids)}\n")
    return ids


def no_torch() -> None:
    """Stands for the preparation of a worker."""


@pytest.mark.parametrize("late", [False, True])
def test_trials_are_shared_and_end_with_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: bool) -> None:
    monkeypatch.setattr(trials, "run_trial", slow_trial)
    monkeypatch.setattr(trials, "_worker", no_torch)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    chosen = [("a", "b"), ("b", "a"), *((str(i),) for i in range(30))]
    arms = [Arm(str(i), "", "", tmp_path, (ids,), Cost()) for i, ids in enumerate(chosen)]
    context: Any = SimpleNamespace(
        home=tmp_path,
        out_of_time=lambda: late,
        recipe=SimpleNamespace(models=SimpleNamespace(student=SimpleNamespace(builtin="tiny"))),
    )
    jobs = [(a, 0) for a in range(len(arms))]
    exam: Any = None
    found = dict(trials.run_trials(context, arms, [0], jobs, tmp_path, TrainSettings(), exam, PLAIN))
    trained = (tmp_path / "trained").read_text().splitlines()
    assert len(trained) == len(set(trained)) == len(found) - 1
    assert "b,a" not in trained
    assert found[0, 0] == found[1, 0]
    assert (len(found) < len(jobs)) == late


def test_seconds_are_those_that_passed_with_trials_side_by_side() -> None:
    """Four trainings of 10 s, two at a time, are 20 s of waiting; more where it took more."""
    once: Any = SimpleNamespace(cost=lambda batch_size: Cost(seconds=10.0, forward=3))
    each = [SimpleNamespace(cost=once.cost) for _ in range(4)]
    made: Any = [*each, each[0]]  # two arms share one
    assert bill_of(made, TrainSettings(), 0.0, 2) == Cost(seconds=20.0, forward=12)
    assert bill_of(made, TrainSettings(), 31.5, 2).seconds == 31.5
    assert bill_of(made, TrainSettings(), 0.0, 1).seconds == 40


def test_an_arm_may_have_passes_of_its_own_and_steps_for_its_share_of_examples() -> None:
    settings = TrainSettings(epochs=3, max_steps=10)
    passes = trials.settings_of(settings, arm("x", 4, epochs=1.5), 7, 0)
    assert passes == TrainSettings(epochs=1.5, seed=7)  # steps would say otherwise
    shared = arm("x", 4, shares=(0.25, 1.4, 0.01))
    assert [trials.settings_of(settings, shared, seed, seed).max_steps for seed in range(3)] == [2, 14, 1]
    assert trials.settings_of(TrainSettings(epochs=3), shared, 0, 0) == TrainSettings(epochs=3)


def test_the_same_rows_with_other_weights_are_another_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "run_trial", lambda *given: given[-1].weights)
    context: Any = SimpleNamespace(
        home=tmp_path,
        out_of_time=lambda: False,
        recipe=SimpleNamespace(models=SimpleNamespace(student=SimpleNamespace(builtin=None))),
    )
    ids, given = ("a", "b"), [(), ({"a": 2.0},), ({"a": 3.0},), (None,), ()]
    arms = [Arm(str(i), "", "", tmp_path, (ids,), Cost(), weights=weights) for i, weights in enumerate(given)]
    exam: Any = None
    jobs = [(number, 0) for number in range(len(arms))]
    found = dict(trials.run_trials(context, arms, [0], jobs, tmp_path, TrainSettings(), exam, PLAIN))
    assert [found[job] for job in jobs] == [None, {"a": 2.0}, {"a": 3.0}, None, None]
    digests = {replace(PLAIN, weights=weights).digest() for weights in ({"a": 2.0}, {"a": 3.0}, None)}
    assert len(digests) == 3
    assert PLAIN.digest() == ""


def test_an_interruption_waits_until_the_workers_are_started() -> None:
    """Another thread that hears signals would let it be raised in the middle of a start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    started: list[int] = []
    try:
        with pytest.raises(KeyboardInterrupt):
            start_while_interrupted(started)
    finally:
        over.set()
        other.join()
        restored = signal.signal(signal.SIGINT, before)
    assert len(started) == 100
    assert restored is signal.default_int_handler


def start_while_interrupted(started: list[int]) -> None:
    with trials._apart():
        for one in range(100):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.001)
            started.append(one)
