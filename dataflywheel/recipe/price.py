"""What steps cost: rows, passes and seconds on this machine, from the pool's size and the models' weights."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dataflywheel import catalog
from dataflywheel.contracts import Budget, Cleaner, Cost, PoolStatistics, Signal, build
from dataflywheel.evolution.feedback.evaluate import Evaluate
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Proposer
from dataflywheel.recipe.asking import teacher
from dataflywheel.recipe.context import CHARS_PER_TOKEN, inputs
from dataflywheel.recipe.needs import asks, model_kind, signals_of
from dataflywheel.recipe.propose import Enhance, Generate
from dataflywheel.recipe.schema import Recipe, Source
from dataflywheel.recipe.steps import Step
from dataflywheel.recipe.target_judge import judging_cost
from dataflywheel.recipe.training import Prefer, Train
from dataflywheel.rows.peek import look_into
from dataflywheel.rows.schema import Row
from dataflywheel.selection.combine import Select

PARAMETERS = {"0.5m": 0.5e6, "1m": 1e6, "2m": 2e6, "5m": 5e6, "20m": 20e6}
MINILM_PARAMETERS = 10.6e6  # without the embedding table, which is looked up and not multiplied
ANSWER_SECONDS = 2.0  # of an endpoint that is not known yet; a probe measures it
EFFICIENCY = 0.35  # share of a large matrix product's speed that a small model reaches


@dataclass(frozen=True)
class Looked:
    """What the beginnings of the inputs say: rows and characters of all, what lies beside them and is not read, with
    the reason, the first rows of every input that is not built in, and how many lines and records cannot be read, with
    the reason of the first."""

    size: PoolStatistics
    unread: list[tuple[str, str]]
    first: list[list[Row]]
    bad: int
    why: str


def statistics(sources: list[Source]) -> PoolStatistics:
    """Rows and characters of the pool, from a look at the first rows of each file and its size."""
    return look(sources, 0).size


def look(sources: list[Source], wanted: int) -> Looked:
    """Read the beginning of every input, once; `wanted` rows of each are kept for whoever checks rows."""
    entries = inputs(sources)
    looked = [look_into(entry, wanted) for entry in entries]
    found = [size for size, _ in looked]
    rows, chars = sum(f.rows for f in found), sum(f.chars for f in found)
    size = PoolStatistics(rows, chars, chars // CHARS_PER_TOKEN, sum(f.pairs for f in found))
    unread = list(dict.fromkeys(entry for f in found for entry in f.unread))
    why = next((f.why for f in found if f.why), "")
    return Looked(size, unread, [first for _, first in looked], sum(f.bad for f in found), why)


def left_after(step: Step, pool: PoolStatistics) -> PoolStatistics:
    """What goes on, at most: cleaners are assumed to drop nothing, and rows to be of average length."""
    if isinstance(step.work, Enhance) and step.work.makes_pairs:
        return replace(pool, pairs=pool.rows)
    if isinstance(step.work, Generate):
        wanted = step.work.wanted(pool.rows)
        more = 1 + wanted / max(1, pool.rows)
        pairs = pool.pairs + (wanted if step.work.makes_pairs else 0)
        return PoolStatistics(round(pool.rows * more), int(pool.chars * more), int(pool.tokens * more), pairs)
    if not isinstance(step.work, Select):
        return pool
    budget = Budget.parse(step.work.keep)
    if budget.unit == "tokens":
        part = min(1.0, budget.amount / max(1, pool.tokens))
    else:
        part = budget.rows(pool.rows) / max(1, pool.rows)
    rows, pairs = round(pool.rows * part), math.ceil(pool.pairs * part)
    return PoolStatistics(rows, int(pool.chars * part), int(pool.tokens * part), pairs)


def flops() -> float:
    """Floating-point operations a second of a float32 matrix product here: the best of a tenth of a second.

    The best, since other work on the machine only ever slows a product down.
    """
    import numpy as np

    square = np.ones((512, 512), dtype=np.float32)
    best, began = math.inf, time.perf_counter()
    while time.perf_counter() - began < 0.1:
        start = time.perf_counter()
        square @ square
        best = min(best, time.perf_counter() - start)
    return float(2 * 512**3 / best)


def step_cost(recipe: Recipe, step: Step, pool: PoolStatistics, speed: float, seen: set[str]) -> Cost:
    """A step's own work and the signals that no earlier step has measured."""
    cost = Cost()
    for name in sorted(set(signals_of(step.needs())) - seen):
        seen.add(name)
        kind = catalog.get(name)
        assert issubclass(kind, Signal)
        cost += signal_cost(recipe, kind, pool, speed)
    if isinstance(step.work, Train):
        passes = epochs_of(step.work, pool.rows)
        tokens = int(pool.tokens * passes)
        seconds = 6 * parameters(recipe.models.student) * tokens / (speed * EFFICIENCY)
        cost += Cost(
            seconds=round(seconds, 2),
            forward=int(pool.rows * passes),
            backward=int(pool.rows * passes),
            tokens=tokens,
        )
    if isinstance(step.work, Prefer):
        cost += preferring_cost(recipe, step.work, pool, speed)
    if isinstance(step.work, Evaluate):
        target = statistics(list(recipe.target))
        cost += Cost(
            seconds=round(2 * parameters(recipe.models.student) * target.tokens / (speed * EFFICIENCY), 2),
            forward=target.rows,
            tokens=target.tokens,
        )
        cost += judging_cost(recipe, target)
    if isinstance(step.work, Cleaner):
        cost += step.work.estimate(pool)
    if isinstance(step.work, Enhance | Generate):
        cost += writing_cost(recipe, step.work, pool) + failures_cost(recipe, step.work, pool, speed)
    return cost


def epochs_of(work: Train | Prefer, rows: int) -> float:
    """How often each of so many rows is learned."""
    return work.max_steps * work.batch_size / max(1, rows) if work.max_steps else work.epochs


def failures_cost(recipe: Recipe, work: Enhance | Generate, pool: PoolStatistics, speed: float) -> Cost:
    """Scoring the rows that a generator may write from, after every round but the last; the steering tier is scored by
    the evaluation."""
    if not isinstance(work, Generate) or not work.from_failures or work.source == "target":
        return Cost()
    times = max(1, recipe.rounds - 1)
    seconds = 2 * parameters(recipe.models.student) * times * pool.tokens / (speed * EFFICIENCY)
    return Cost(seconds=round(seconds, 2), forward=times * pool.rows, tokens=times * pool.tokens)


def preferring_cost(recipe: Recipe, work: Prefer, pool: PoolStatistics, speed: float) -> Cost:
    """Both answers of every pair, each with its prompt, read by the model in training and by its reference; all answers
    taken to be of average length."""
    passes = 2 * pool.pairs * epochs_of(work, pool.pairs)
    tokens = round(passes * pool.tokens / max(1, pool.rows))
    seconds = (6 + 2) * parameters(recipe.models.student) * tokens / (speed * EFFICIENCY)
    return Cost(seconds=round(seconds, 2), forward=round(2 * passes), backward=round(passes), tokens=tokens)


def writing_cost(recipe: Recipe, work: Enhance | Generate, pool: PoolStatistics) -> Cost:
    """What a rewriter or generator asks for, where every proposal is accepted: the least that it will be."""
    ((name, given),) = work.by.items()
    kind = catalog.get(name, Proposer)
    rows = pool.rows if isinstance(work, Enhance) else work.wanted(pool.rows)
    part = PoolStatistics(rows, *(round(n * rows / max(1, pool.rows)) for n in (pool.chars, pool.tokens)))
    if not asks(kind):
        return Cost()
    spec = teacher(recipe, kind, given)
    proposer = build(kind, {**given, "model": spec})
    cost = proposer.estimate(part)
    usd = cost.tokens * (spec.usd_per_mtok.input + spec.usd_per_mtok.output) / 2e6 if spec.usd_per_mtok else 0.0
    return replace(cost, usd=cost.usd or usd, seconds=round(cost.calls * ANSWER_SECONDS / spec.concurrency, 2))


def signal_cost(recipe: Recipe, kind: type[Signal], pool: PoolStatistics, speed: float) -> Cost:
    """Measuring one signal for every row of the pool; a backward pass is worth two forward ones."""
    given = recipe.signals.get(kind.name, {})
    if kind.asks:
        asked = build(kind, {**given, "model": teacher(recipe, kind)}).estimate(pool)
        return replace(asked, seconds=round(asked.calls * ANSWER_SECONDS / teacher(recipe, kind).concurrency, 2))
    size, passes = 0.0, Cost()
    if model_kind(kind) == "model":
        spec = recipe.models.scorer or recipe.models.student
        size, passes = parameters(spec), build(kind, {"model": spec, **given}).estimate(pool)
    elif model_kind(kind) == "embedder":
        times = 2 if kind.name == "agreement" else 1
        size = MINILM_PARAMETERS if recipe.models.embedder.builtin == "minilm" else 0.0
        passes = Cost(forward=times * pool.rows, tokens=times * pool.tokens)
    work = 2 * size * passes.tokens * (1 + 2 * passes.backward / max(passes.forward, 1))
    return replace(passes, seconds=round(work / (speed * EFFICIENCY) + pool.chars / 2e7, 2))


def parameters(spec: ModelSpec) -> float:
    """Weights of a model: by name for a built-in one, by file size for a folder (3 bytes each)."""
    if spec.builtin:
        return PARAMETERS[spec.size]
    folder = Path(str(spec.hf)).expanduser()
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors")) if folder.is_dir() else 0
    return size / 3 if size else 1e9


def comparison_cost(recipe: Recipe, lines: list[dict[str, Any]]) -> Cost:
    """All trials of all arms."""
    assert recipe.compare is not None
    one = sum((Cost(**line["cost"]) for line in lines if line["step"] in ("train", "distill", "evaluate")), Cost())
    return repeated(recipe, one, (len(recipe.compare.arms) + 1) * recipe.compare.seeds)


def repeated(recipe: Recipe, one: Cost, trials: float) -> Cost:
    """So many trials of that cost; small students are trained side by side."""
    cores = (os.cpu_count() or 1) if recipe.models.student.builtin else 1
    return Cost(
        seconds=round(one.seconds * trials / cores, 1),
        forward=round(one.forward * trials),
        backward=round(one.backward * trials),
        tokens=round(one.tokens * trials),
    )
