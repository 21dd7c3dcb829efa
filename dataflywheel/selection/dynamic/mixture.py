"""Training on sources by fixed shares: the baseline of every method that learns them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from dataflywheel.contracts import AnyArray, Card, Draw, FloatArray, Sampler, TrainingRows, UsageError, nearest
from dataflywheel.selection.dynamic.passes import BySource


class Mixture(Sampler):
    """The source of each row drawn by its share: given `weights`, or n ** (1 / temperature) for a source of n rows.

    Temperature 1 is proportional to the sources' sizes, a high one gives all sources the same share. Within a source
    rows come in shuffled passes; a small source with a large share is repeated.
    """

    card: ClassVar[Card] = Card(
        title="Massively Multilingual Neural Machine Translation in the Wild: Findings and Challenges",
        authors="Arivazhagan et al.",
        year=2019,
        paper="1907.05019",
        category="selection",
        subcategory="dynamic",
        summary="Draws each row's source by given weights, or by size with a temperature.",
        checked="temperature 1 and a high one against proportional and equal shares; weights given by hand",
        pays="Sources of very different sizes that are all to be learned, such as a rare language; or weights that "
        "`doremi` found.",
        fails="A small source with a large share is repeated until it is known by heart: hold rows of it back, and "
        "lower its share when their loss rises.",
        evidence="Here (`benchmarks/dynamic.py`, told in `docs/how-to.md`): equal shares of four sources were ahead of "
        "the weights of `doremi`.",
    )

    reads_sources: ClassVar[bool] = True

    temperature: float = Field(default=1.0, gt=0)
    """1: proportional to size; towards infinity: equal shares."""
    weights: dict[str, float] = {}
    """Share of each source, such as those that `doremi` found, in place of the temperature; all sources are named."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Mixture:
        if self.weights and self.temperature != 1.0:
            raise ValueError("give weights or a temperature, not both")
        if self.weights and (min(self.weights.values()) < 0 or sum(self.weights.values()) <= 0):
            raise ValueError("weights: shares must not be negative, nor all zero")
        return self

    def start(self, rows: TrainingRows, batch: int, seed: int) -> Draw:
        sources = BySource(rows.sources, seed)
        return _MixtureDraw(sources, self._shares(sources))

    def _shares(self, sources: BySource) -> FloatArray:
        """The share of each source (sources,), summing to 1."""
        share = sources.sizes.astype(np.float64) ** (1 / self.temperature)
        if self.weights:
            for name in self.weights:
                if name not in sources.names:
                    raise UsageError(f"mixture: weights: no row has source {name!r}{nearest(name, sources.names)}")
            for name in sources.names:
                if name not in self.weights:
                    raise UsageError(f"mixture: weights: give the share of source {name!r} too, 0 to leave it out")
            share = np.array([self.weights[name] for name in sources.names])
        return np.asarray(share / share.sum())


class _MixtureDraw(Draw):
    def __init__(self, sources: BySource, share: FloatArray) -> None:
        self.sources, self.share, self.step = sources, share, 0

    def candidates(self, k: int) -> AnyArray:
        self.step += 1
        return self.sources.draw(self.share, k, self.step)

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, "drawn": self.sources.drawn}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.step, self.sources.drawn = int(state["step"]), state["drawn"]

    def summary(self) -> dict[str, Any]:
        return {"weights": dict(zip(self.sources.names, self.share.tolist(), strict=True))}
