"""What training on the cleaned fifth of a damaged pool is worth, beside random fifths and the whole of it."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.evolution.iteration.trial import EvalSet, run_trial
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.recipe.comparing.scoreboard import mean_interval
from dataflywheel.recipe.execute import Result
from dataflywheel.rows.parts import PartWriter, read_rows
from dataflywheel.rows.schema import Row, table
from dataflywheel.rows.text import texts

FULL_SEEDS = 3


def student(rows: Path, home: Path) -> Path:
    """An untrained model of a million weights with the tokenizer of the damaged pool."""
    from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
    from dataflywheel.models.training.tiny import init_tiny

    messages = read_rows(rows, ["messages"])["messages"].to_pylist()
    return init_tiny(pool_tokenizer(messages, cache_dir=home / "models"), "1m", cache_dir=home / "models")


def arms(result: Result, seed: int) -> dict[str, list[str]]:
    """Rows of each arm that is drawn. All follow one random order of the pool, so that a seed's arms share rows and
    differ by what the cleaning did; the selection is the recipe's `random` in that order."""
    steps = result.path / "round-1"
    held = read_rows(steps / "00-pool" / "rows", ["id", "messages"])
    length = dict(zip(held["id"].to_pylist(), map(len, texts(held["messages"], "answer")), strict=True))
    kept = set(read_rows(steps / "03-filter" / "rows", ["id"])["id"].to_pylist())
    order = sorted(length)
    random.Random(seed).shuffle(order)
    fifth = len(order) // 5
    selection = [id for id in order if id in kept][:fifth]
    room, as_much = sum(length[id] for id in selection), []
    for id in order:
        if length[id] <= room:
            as_much.append(id)
            room -= length[id]
    return {"selection": selection, "random": order[:fifth], "random, as much text": as_much}


def trials(result: Result, held_out: Sequence[Row], seeds: int, epochs: float, home: Path) -> dict[str, list[Any]]:
    """Trials of each arm, one a seed; of the full damaged pool for the first `FULL_SEEDS`, since they cost most."""
    rows = result.path / "round-1" / "00-pool" / "rows"
    pool = sorted(read_rows(rows, ["id"])["id"].to_pylist())
    with PartWriter(home / "exam") as writer:
        writer.write(table(list(held_out)))
    exam = EvalSet(home / "exam", "bits_per_byte", ("",) * len(held_out), Evaluate())
    model = student(rows, home)
    jobs = []
    for seed in range(seeds):
        settings = TrainSettings(epochs=epochs, learning_rate=3e-3, max_length=256, seed=seed)
        drawn = arms(result, seed) | ({"full": pool} if seed < FULL_SEEDS else {})
        jobs += [(name, (home, rows, ids, model, settings, exam)) for name, ids in drawn.items()]
    jobs.sort(key=lambda job: -len(job[1][2]))
    found: dict[str, list[Any]] = {}
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=one_thread) as workers:
        futures = [(name, given[4].seed, workers.submit(run_trial, *given)) for name, given in jobs]
        for name, _, future in sorted(futures, key=lambda entry: entry[1]):
            found.setdefault(name, []).append(future.result())
    return found


def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def gain(found: dict[str, list[Any]]) -> dict[str, Any]:
    """Bits per byte by arm; selection minus random by seed (below 0 is better), at equal rows and at equal text.

    `share` is the part of the full pool's gain over random that the selection reaches, over the seeds that both have;
    `quality` the full pool's bits per byte over the selection's.
    """
    metric = {name: np.array([trial.metric for trial in of]) for name, of in found.items()}
    mean = {name: float(values.mean()) for name, values in metric.items()}
    rows, text = (mean_interval(metric["selection"] - metric[n]) for n in ("random", "random, as much text"))
    full = len(metric["full"])
    chosen, random_choice = (float(metric[name][:full].mean()) for name in ("selection", "random"))
    share = (random_choice - chosen) / (random_choice - mean["full"])
    return {"mean": mean, "rows": rows, "text": text, "share": share, "quality": mean["full"] / chosen}
