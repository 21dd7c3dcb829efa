"""DoReMi: weights over sources from how far a small model is above a reference on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Draw, FloatArray, Sampler, TrainingRows, UsageError
from dataflywheel.selection.dynamic.passes import BySource


class DoReMi(Sampler):
    """Sources by weights that grow with their excess loss over a reference model, from equal weights.

    After each step the excess of a source is the mean over its answer tokens of max(loss - reference loss, 0), and
    log w += `step_size` x excess; weights are normalised and mixed with equal ones, (1 - `smoothing`) w + `smoothing` /
    sources. A source that is not in the batch keeps the excess that it had last (none before its first row). Rows are
    drawn by the weights, where the paper draws sources evenly and multiplies their losses by the weights: the same
    objective in expectation over rows.

    The answer is the mean of the weights over all steps, `weights` in the training's `sampler`: the model trained here
    is a proxy, the real one takes them in `mixture`. The reference is the same small model trained on the pool as it
    is. For fine-tuning a few hundred steps are enough. Rows without a reference are trained on and not counted.
    """

    card: ClassVar[Card] = Card(
        title="DoReMi: Optimizing Data Mixtures Speeds Up Language Model Pretraining",
        authors="Xie et al.",
        year=2023,
        paper="2305.10429",
        category="selection",
        subcategory="dynamic",
        summary="Learns weights of sources from their excess loss over a reference model while a proxy is trained.",
        needs=("model",),
        cost="$$",
        checked="updates by hand to 1e-12; three sources of known excess ranked in closed form; weights sum to 1",
        pays="Named sources whose right shares nobody knows, before a long training of a model much larger than the "
        "proxy.",
        fails="For a short fine-tuning two small trainings may cost more than they bring: compare the weights with "
        "equal shares in `mixture`.",
        evidence="Here (`benchmarks/dynamic.py`, told in `docs/how-to.md`): behind equal shares of four sources.",
    )
    name: ClassVar[str] = "doremi"
    needs_reference: ClassVar[bool] = True
    reference_of: ClassVar[Literal["target", "pool"]] = "pool"
    reads_sources: ClassVar[bool] = True
    watches: ClassVar[bool] = True

    step_size: float = Field(default=1.0, gt=0)
    """How fast weights follow the excess loss."""
    smoothing: float = Field(default=1e-3, gt=0, le=1)
    """Share of the weight that is spread evenly after each step, so that no source is lost."""

    def start(self, rows: TrainingRows, batch: int, seed: int) -> Draw:
        return _DoReMiDraw(rows, self.step_size, self.smoothing, seed)


class _DoReMiDraw(Draw):
    def __init__(self, rows: TrainingRows, step_size: float, smoothing: float, seed: int) -> None:
        self.sources, self.step_size, self.smoothing = BySource(rows.sources, seed), step_size, smoothing
        self.reference = rows.reference or []
        known = np.array([len(losses) > 0 for losses in self.reference])
        for i, name in enumerate(self.sources.names):
            if not known[self.sources.of == i].any():
                raise UsageError(f"doremi: no row of source {name!r} has a reference loss: measure it on all sources")
        self.unknown = int((~known).sum())
        count = len(self.sources.names)
        self.weights = np.full(count, 1 / count)
        self.total = np.zeros(count)
        self.excess = np.zeros(count)
        self.step = 0

    def candidates(self, k: int) -> AnyArray:
        self.step += 1
        return self.sources.draw(self.weights, k, self.step)

    def observe(self, positions: AnyArray, losses: Sequence[FloatArray]) -> None:
        above, tokens = np.zeros(len(self.weights)), np.zeros(len(self.weights))
        for position, found in zip(positions, losses, strict=True):
            reference = self.reference[position]
            if len(reference):
                source = self.sources.of[position]
                above[source] += np.maximum(found.astype(np.float64) - reference, 0).sum()
                tokens[source] += len(found)
        there = tokens > 0
        self.excess[there] = above[there] / tokens[there]
        self.weights = updated(self.weights, self.excess, self.step_size, self.smoothing)
        self.total += self.weights

    def state_dict(self) -> dict[str, Any]:
        arrays = {name: getattr(self, name).tolist() for name in ("weights", "total", "excess")}
        return {"step": self.step, "drawn": self.sources.drawn, **arrays}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.step, self.sources.drawn = int(state["step"]), state["drawn"]
        self.weights, self.total, self.excess = (np.array(state[name]) for name in ("weights", "total", "excess"))

    def summary(self) -> dict[str, Any]:
        mean = self.total / max(self.step, 1)
        named = {"weights": mean, "last_weights": self.weights, "excess": self.excess}
        found = {key: dict(zip(self.sources.names, value.tolist(), strict=True)) for key, value in named.items()}
        return {**found, "without_reference": self.unknown}


def updated(weights: FloatArray, excess: FloatArray, step_size: float, smoothing: float) -> FloatArray:
    """One step of exponentiated gradient on the simplex: both (sources,), the result sums to 1.

    >>> updated(np.array([0.5, 0.5]), np.array([np.log(3), 0.0]), 1.0, 0.0).round(6)
    array([0.75, 0.25])
    """
    grown = np.log(weights) + step_size * excess
    share = np.exp(grown - grown.max())
    return np.asarray((1 - smoothing) * share / share.sum() + smoothing / len(weights))
