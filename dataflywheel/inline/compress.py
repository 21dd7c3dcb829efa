"""A model made smaller, taught what it lost, and measured before and after, in one line of Python."""

from __future__ import annotations

import hashlib
import math
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.joint.importance import Measure
from dataflywheel.distillation.joint.pruning import FACTS, Pruned, prune
from dataflywheel.evolution.feedback.intervals import interval
from dataflywheel.evolution.metrics.bits_per_byte import BitsPerByte
from dataflywheel.inline.given import given
from dataflywheel.inline.write import distill
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.reading import iter_parsed
from dataflywheel.rows.schema import Row, table
from dataflywheel.rows.text import part_of
from dataflywheel.store.atomic import atomic_directory

Recovery = Literal["teacher", "nothing"]
Names = Mapping[str, Any] | None
HELD, MOST = 0.1, 200
"""Of the rows, what is held apart to measure on, and rows at most."""
FEWEST = 20
"""Rows below which nothing can be measured."""
CALIBRATION = 512
"""Rows by which is measured what counts, at most."""
RESAMPLES = 2000
TIMED = 32
"""Rows that are read to time a model."""


@dataclass(frozen=True)
class Size:
    """One model: its weights, the bytes of its folder, tokens that it reads in a second here, and bits per byte of
    answers that were held apart, with their 95 % interval; NaN where there were none."""

    name: str
    folder: str
    weights: int
    bytes: int
    tokens_a_second: float
    bits_per_byte: float
    low: float
    high: float


@dataclass(frozen=True)
class Compressed:
    """A smaller model in the folder `path`, and what it is worth beside the whole one."""

    path: Path
    pruned: Pruned
    sizes: tuple[Size, ...]
    """The whole model, the pruned one, and that one once it was taught, where it was."""
    rows_measured: int
    rows_shared: int = 0
    """Rows that taught nothing, since one that is measured has their prompt. Near copies are not looked for."""
    run: Path | None = None
    """The run that taught it."""

    def as_dict(self) -> dict[str, Any]:
        made = {**asdict(self.pruned), "folder": str(self.pruned.folder), "share": self.pruned.share}
        told = {"sizes": [asdict(one) for one in self.sizes], "rows_measured": self.rows_measured}
        told |= {"rows_shared": self.rows_shared}
        return {"path": str(self.path), "pruned": made, **told, "run": None if self.run is None else str(self.run)}


def compress(
    model: str | Path,
    to: float,
    pool: object = None,
    *,
    output: str | Path,
    by: Measure = "taylor",
    layers: int | None = None,
    recover: Recovery = "teacher",
    settings: Mapping[str, Any] | None = None,
    target: object = None,
    columns: Names = None,
    roles: Names = None,
    seed: int = 0,
    home: str | Path = ".flywheel",
    **options: Any,
) -> Compressed:
    """Keep a share of a model's weights: `fw.compress("my-model", 0.6, rows, output="smaller").path`.

    Groups of weights go whole, so that what is left is a model of the same architecture that loads anywhere. Rows say
    what it is for: by some of them is measured which groups count, and all teach the smaller model, with the whole one
    as its teacher, what it lost. Of the rows a tenth (200 at most) is held apart for bits per byte before and after;
    with `target` these rows are measured on instead.

    Args:
        model: a folder or hub name of a decoder of the shape of Llama, Qwen, Mistral or Gemma.
        to: share of the weights that may stay, 0 to 1.
        pool: rows in any form that `select` takes; None for `magnitude` and `random` without recovery.
        output: the folder of the smaller model.
        by: what says which weights count; see `Measure`.
        layers: how many blocks stay; all where not given. Those that turn the states least go.
        recover: `teacher`, or `nothing`: the pruned model as it is.
        settings: of the recovery: `epochs`, `learning_rate`, `max_length` and others of the step `distill`.
        options: `name`, `runs`, `watcher`.

    Raises:
        UsageError: no such model or share, rows that are missing or too few, or an architecture that is not known.
    """
    place, store = Path(output), Path(home)
    rows = [] if pool is None else _read(pool, store, columns, roles)
    measured, learned = _apart(rows, seed) if target is None else (_read(target, store)[:MOST], rows)
    learned, shared = _unmeasured(learned, measured)
    _check(place, learned, recover)
    base = LanguageModel.load(ModelSpec(hf=str(model)))
    sizes = [_size("whole", base, measured, learned)]
    examples = base.examples([row["messages"] for row in learned[:CALIBRATION]])
    bare = place if recover == "nothing" else store / "pruned" / _digest(base, to, by, layers, seed, learned)
    done = prune(base, to, bare, examples, by=by, layers=layers, seed=seed)
    del base
    sizes.append(_size("pruned", LanguageModel.load(ModelSpec(hf=str(bare))), measured, learned))
    if recover == "nothing":
        return Compressed(place, done, tuple(sizes), len(measured), shared)
    named = {"name": f"compress-{place.name}", **options}
    taught = distill(
        learned, {"hf": str(model)}, student={"hf": str(bare)}, settings=settings, seed=seed, home=home, **named
    )
    assert taught.model is not None
    _put(taught.model, bare, place)
    sizes.append(_size("taught", LanguageModel.load(ModelSpec(hf=str(place))), measured, learned))
    return Compressed(place, replace(done, folder=place), tuple(sizes), len(measured), shared, taught.path)


def _put(taught: Path, bare: Path, place: Path) -> None:
    """The taught model where it is wanted, with what says how it was pruned."""
    with atomic_directory(place) as aside:
        shutil.copytree(taught, aside, dirs_exist_ok=True)
        shutil.copy(bare / FACTS, aside / FACTS)


def _read(rows: object, home: Path, columns: Names = None, roles: Names = None) -> list[Row]:
    """Rows with an answer, each once."""
    every = [
        row for one in given(rows, home, columns, roles).inputs() for part in iter_parsed(one) for row in part.rows
    ]
    return list({row["id"]: row for row in every if part_of(row["messages"], "answer")}.values())


def _apart(rows: Sequence[Row], seed: int) -> tuple[list[Row], list[Row]]:
    """Rows to measure on, and all others; none to measure on where there are too few."""
    order = np.random.default_rng(seed).permutation(len(rows))
    n = min(MOST, int(HELD * len(rows)))
    n = n if n >= FEWEST else 0
    return [rows[i] for i in order[:n]], [rows[i] for i in order[n:]]


def _unmeasured(learned: Sequence[Row], measured: Sequence[Row]) -> tuple[list[Row], int]:
    """The rows that no measured one shares its prompt with, and how many do."""
    asked = {part_of(row["messages"], "prompt") for row in measured}
    left = [row for row in learned if part_of(row["messages"], "prompt") not in asked]
    return left, len(learned) - len(left)


def _check(place: Path, learned: Sequence[Row], recover: Recovery) -> None:
    if recover == "teacher" and not learned:
        raise UsageError("compress: the smaller model is taught by rows: name some, or choose no recovery")
    if place.exists() and not (place / FACTS).is_file():
        raise UsageError(f"compress: {place} is there and is no pruned model; name another folder for the result")


def _size(name: str, model: LanguageModel, measured: Sequence[Row], learned: Sequence[Row]) -> Size:
    found = {"value": math.nan, "low": math.nan, "high": math.nan}
    if measured:
        value, weight = BitsPerByte().measure(model, [row["messages"] for row in measured], table(list(measured)))
        found = interval(value, weight, RESAMPLES)
    shown = model.encode([row["messages"] for row in (measured or learned)[:TIMED]])
    began = time.perf_counter()
    model.hidden_states(shown)
    took = time.perf_counter() - began
    speed = sum(len(row.ids) for row in shown) / took if shown else math.nan
    held = sum(file.stat().st_size for file in model.folder.iterdir() if file.suffix == ".safetensors")
    return Size(name, str(model.folder), model.parameters, held, speed, found["value"], found["low"], found["high"])


def _digest(base: LanguageModel, *given: object) -> str:
    """A name for a pruned model that is taught, by all that it comes from."""
    *parts, rows = given
    ids = [row["id"] for row in rows][:CALIBRATION]  # type: ignore[attr-defined]
    return hashlib.blake2b(repr([base.digest, *parts, ids]).encode(), digest_size=12).hexdigest()
