"""What measuring and computing cost on this machine, from the rows' size and the models' weights."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

from dataflywheel.contracts import Cost, Method, PoolStatistics, Signal, build
from dataflywheel.models.packaged import packaged
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.asked_signals import Asked
from dataflywheel.recipe.asking import teacher
from dataflywheel.recipe.needs import model_kind
from dataflywheel.recipe.schema import Recipe

PARAMETERS = {"0.5m": 0.5e6, "1m": 1e6, "2m": 2e6, "5m": 5e6, "20m": 20e6}
MINILM_PARAMETERS = 10.6e6  # without the embedding table, which is looked up and not multiplied
ANSWER_SECONDS = 2.0  # of an endpoint that is not known yet; a probe measures it
EFFICIENCY = 0.35  # share of a large matrix product's speed that a model reaches
SMALL = 2e6  # weights below which it reaches less: its matrices are narrow, and much of its time is not theirs


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


def signal_cost(recipe: Recipe, asked: Asked, pool: PoolStatistics, speed: float) -> Cost:
    """Measuring one signal for every row of the pool; a backward pass is worth two forward ones."""
    kind, given = asked.kind, asked.given
    assert issubclass(kind, Signal)
    if kind.asks:
        spec = teacher(recipe, kind, given)
        rated = build(kind, {**given, "model": spec}).estimate(pool)
        return replace(rated, seconds=round(rated.calls * ANSWER_SECONDS / spec.concurrency, 2))
    size, passes = 0.0, Cost()
    if model_kind(kind) == "model":
        spec = recipe.models.student if asked.trained else recipe.models.scorer or recipe.models.student
        size, passes = parameters(spec), build(kind, {"model": spec, **given}).estimate(pool)
    elif model_kind(kind) == "embedder":
        times = 2 if kind.name == "agreement" else 1
        size = MINILM_PARAMETERS if recipe.models.embedder.builtin == "minilm" else 0.0
        passes = Cost(forward=times * pool.rows, tokens=times * pool.tokens)
    elif kind.uses_model and given.get("hf"):  # a model of its own
        size, passes = parameters(ModelSpec(hf=given["hf"])), build(kind, given).estimate(pool)
    work = 2 * size * passes.tokens * (1 + 2 * passes.backward / max(passes.forward, 1))
    own = build(kind, given).reading_seconds(pool) if kind.reading_seconds is not Method.reading_seconds else 0.0
    return replace(passes, seconds=round(work / (speed * efficiency(size)) + own + pool.chars / 2e7, 2))


def efficiency(weights: float) -> float:
    """The share of a large matrix product's speed that a model of so many weights reaches here.

    >>> efficiency(1e9), efficiency(0.5e6)
    (0.35, 0.175)
    """
    return EFFICIENCY * min(1.0, math.sqrt(max(weights, 1.0) / SMALL))


def parameters(spec: ModelSpec) -> float:
    """Weights of a model: by name for a built-in one, by file size for a folder (3 bytes each)."""
    if spec.builtin:
        return PARAMETERS[spec.size]
    if known := packaged(spec.hf):
        return known.parameters
    folder = Path(str(spec.hf)).expanduser()
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors")) if folder.is_dir() else 0
    return size / 3 if size else 1e9


def model_seconds(spec: ModelSpec, passes: float, tokens: float, speed: float) -> float:
    """Of a model that reads so many tokens, 2 operations a weight and token forwards and 4 backwards: `passes` is 2, 6,
    or their sum."""
    weights = parameters(spec)
    return round(passes * weights * tokens / (speed * efficiency(weights)), 2)
