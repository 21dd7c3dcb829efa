"""A built-in model that others lean on, trained on what of the pool may be learned."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from dataflywheel.contracts import Cost
from dataflywheel.models.language.pool_tokenizer import Rows
from dataflywheel.recipe.helpers import Helper, made
from dataflywheel.recipe.progress import Watcher
from dataflywheel.store.run import RunDirectory


def trained_helper(
    helper: Helper, rows: Rows, seed: int, home: Path, run: RunDirectory, watcher: Watcher, clean: bool
) -> Path:
    """The folder of the model, trained now or before; the ledger has what it cost now. `clean`: rows that share text
    with the target are not among these."""
    from dataflywheel.models.training.tiny import BLOCK, train_tiny

    spec, steps, a_step = helper.spec, 0, 0
    began = time.perf_counter()

    def make(told: Callable[[int, int, float], None]) -> tuple[Path, Cost]:
        def progress(step: int, total: int, loss: float) -> None:
            nonlocal steps
            steps = step
            told(step, total, loss)

        def read(rows: int) -> None:
            nonlocal a_step
            a_step = rows

        folder = train_tiny(
            rows, size=spec.size, seed=seed, tokens=spec.tokens, cache_dir=home / "models", progress=progress, read=read
        )
        passes = steps * a_step
        return folder, Cost(round(time.perf_counter() - began, 3), passes, passes, passes * BLOCK)

    folder, there = made(run, watcher, helper.title, make)
    of = "on the pool without what shares text with the target" if clean else "on the pool"
    watcher.finished(helper.title, f"{spec.size} parameters, {of}", there)
    return folder
