"""Skill-It: sample skills by how much they help those that the model does not master yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from dataflywheel.contracts import (
    AnyArray,
    Asks,
    Card,
    FloatArray,
    Sampler,
    TrainingRows,
    UsageError,
    ValidatedDraw,
    nearest,
)
from dataflywheel.selection.dynamic.passes import BySource
from dataflywheel.selection.dynamic.skills_graph import Graph, edges, first_of_each, given_edges, trials, trials_of
from dataflywheel.selection.order import SLICE


class SkillIt(Sampler):
    """Rows drawn skill by skill, by weights that follow the losses on the target's slices through a graph of skills.

    The weight of skill i is p(i) ~ exp(`step_size` x sum over slices j of A(i, j) L(j)). L(j) is the sum of the last
    `window` losses on slice j, in nats a token; A(i, j) says how much learning skill i helps on slice j. The weights
    are set `updates` times, at even distances; before the first losses all L are 1. An edgeless `graph: {}` leaves
    each skill to itself: plain multiplicative weights.

    The graph is learned first, by short trainings of `graph_steps` from the same untrained model. `approximate`: one
    on each skill; A(i, j) is the share of the loss on j that learning i takes away. `brute_force`: one on each pair
    too, half of its rows from either; A(i, j) is the share that both together take away beyond j alone, and the work
    grows with the square of the skills. The paper's code takes a graph as given: these weights of edges are ours.

    The skill of a row is the slice of the target that it carries as a tag, else that of the nearest target row; rows
    without one are never drawn. A graph in which nearly all edges are there, or none, gives no order to follow: then
    expect no more than even shares give.
    """

    card: ClassVar[Card] = Card(
        title="Skill-it! A Data-Driven Skills Framework for Understanding and Training Language Models",
        authors="Chen et al.",
        year=2023,
        paper="2307.14430",
        category="selection",
        subcategory="dynamic",
        summary="Draws skills by the losses on all that they help with, along a graph of skills that it learns first.",
        needs=("model", "target"),
        cost="$$",
        checked="weights by hand; no edges against multiplicative weights; a planted skill that needs another",
        pays="A target whose slices are skills, some of which need others first; the graph costs a short training for "
        "each skill.",
        fails="Where nearly every skill helps every other, as with a model that knows no language yet, it draws much "
        "as even shares do: take `mixture`, or give the graph.",
    )
    reads_sources: ClassVar[bool] = True
    validates: ClassVar[bool] = True

    skills: Literal["slice", "source"] = "slice"
    """What divides the rows that are trained on: the target's slices, or the rows' own sources."""
    graph: Literal["approximate", "brute_force"] | dict[str, dict[str, float]] = "approximate"
    """How it is learned, or the graph itself: `{counting: {sums: 0.5}}` says that counting helps with sums. A skill's
    edge to itself is 1 where it is not given."""
    graph_steps: int | None = Field(default=None, ge=1)
    """Steps of each training that the graph is learned from; as many as lie between two updates if not given."""
    step_size: float = Field(default=0.5, gt=0)
    """How fast weights follow the losses."""
    window: int = Field(default=3, ge=1)
    """Losses that are summed: of this update and those before it."""
    updates: int = Field(default=6, ge=1)
    """How often the weights are set, the beginning included."""
    normalise: bool = False
    """Divide the losses on a slice by the first one, so that slices whose text is hard for any model do not decide."""
    rows_a_slice: int = Field(default=100, ge=1)
    """Target rows of each slice whose losses are measured, at most."""

    @field_validator("graph")
    @classmethod
    def _weights_of_edges(cls, graph: Any) -> Any:
        for skill, helped in graph.items() if isinstance(graph, dict) else ():
            for other, weight in helped.items():
                if not (np.isfinite(weight) and weight >= 0):
                    raise ValueError(f"the edge from {skill!r} to {other!r} must be a number from 0 up, not {weight}")
        return graph

    def needs(self) -> tuple[str, ...]:
        return (SLICE,) if self.skills == "slice" else ()

    def check(self, slices: Sequence[str]) -> None:
        if len(slices) < 2:
            told = f"one slice, {slices[0]!r}" if slices else "no slice"
            raise UsageError(
                f"skill_it weighs skills against each other, and the target has {told}; say what divides its rows "
                "(`slice: tag`, `slice: source` or a field of the input), or leave the sampler out"
            )
        if isinstance(self.graph, str):
            return
        named = [other for helped in self.graph.values() for other in helped]
        for name in [*(self.graph if self.skills == "slice" else ()), *named]:
            if name not in slices:
                raise UsageError(f"skill_it: graph: the target has no slice {name!r}{nearest(name, slices)}")

    def validated(self, ids: Sequence[str], slices: Sequence[str]) -> AnyArray:
        return first_of_each(ids, slices, self.rows_a_slice)

    def asks(self, skills: int, steps: int) -> Asks:
        learned = trials_of(self.graph, skills) if isinstance(self.graph, str) else 0
        each = self._graph_steps(steps)
        return Asks(learned * each, learned + len(self._moments(steps)))

    def rehearsals(self, rows: TrainingRows, batch: int, seed: int) -> list[AnyArray]:
        if not isinstance(self.graph, str):
            return []
        skills, of = self._skills(rows)
        return trials(self.graph, skills, of, rows.slices, self._graph_steps(rows.steps) * batch, seed)

    def start(self, rows: TrainingRows, batch: int, seed: int) -> ValidatedDraw:
        names, of = self._skills(rows)
        if isinstance(self.graph, str):
            graph = edges(self.graph, names, rows.slices, rows.rehearsed)
        else:
            graph = given_edges(self.graph, names, rows.slices)
        return _SkillDraw(self, Graph(names, rows.slices, graph), rows, of, self._moments(rows.steps), seed)

    def _skills(self, rows: TrainingRows) -> tuple[list[str], AnyArray]:
        """The skills ascending, and that of every row (n,), -1 for none."""
        named = np.asarray(rows.columns[SLICE] if self.skills == "slice" else rows.sources, dtype=str)
        at = np.flatnonzero(named != "")
        if not len(at):
            raise UsageError(f"skill_it: none of {len(named)} rows has a skill ({self.skills})")
        names, found = np.unique(named[at], return_inverse=True)
        of = np.full(len(named), -1)
        of[at] = found
        return [str(name) for name in names], of

    def _moments(self, steps: int) -> list[int]:
        """Steps before which the weights are set, ascending, from 0."""
        return sorted({steps * t // self.updates for t in range(self.updates)})

    def _graph_steps(self, steps: int) -> int:
        return self.graph_steps or max(1, steps // self.updates)


class _SkillDraw(ValidatedDraw):
    def __init__(
        self, sampler: SkillIt, graph: Graph, rows: TrainingRows, of: AnyArray, moments: list[int], seed: int
    ) -> None:
        self.sampler, self.graph, self.moments = sampler, graph, moments
        self.at, self.none = np.flatnonzero(of >= 0), np.flatnonzero(of < 0)
        self.rows = BySource([graph.skills[i] for i in of[self.at]], seed)
        self.losses: list[FloatArray] = list(rows.rehearsed[:1])  # of the untrained model, where they are known
        self.step = 0

    def due(self) -> bool:
        return len(self.losses) < len(self.moments) and self.step >= self.moments[len(self.losses)]

    def validate(self, losses: FloatArray) -> None:
        self.losses.append(np.asarray(losses, dtype=np.float64))

    def candidates(self, k: int) -> AnyArray:
        self.step += 1
        return np.asarray(self.at[self.rows.draw(self.weights(len(self.losses)), k, self.step)])

    def weights(self, heard: int) -> FloatArray:
        """Of the skills (skills,), after so many losses were heard."""
        seen = self.losses[max(0, heard - self.sampler.window) : heard]
        if heard < 2:  # nothing is learned yet, so that no loss says what is missing
            seen = [np.ones(len(self.graph.slices))]
        elif self.sampler.normalise:
            seen = [one / self.losses[0] for one in seen]
        return mixture(self.graph.weights, np.array(seen), self.sampler.step_size)

    def state_dict(self) -> dict[str, Any]:
        return {"step": self.step, "drawn": self.rows.drawn, "losses": [one.tolist() for one in self.losses]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.step, self.rows.drawn = int(state["step"]), state["drawn"]
        self.losses = [np.array(one) for one in state["losses"]]

    def summary(self) -> dict[str, Any]:
        set_at = self.moments[: max(1, len(self.losses))]
        weights = np.array([self.weights(heard + 1) for heard in range(len(set_at))]).T
        losses = np.array(self.losses).T if self.losses else np.empty((len(self.graph.slices), 0))
        drawn = {name: sum(part) for name, part in zip(self.rows.names, zip(self.rows.drawn, strict=True), strict=True)}
        return {
            "steps": set_at,
            "weights": dict(zip(self.graph.skills, weights.tolist(), strict=True)),
            "losses": dict(zip(self.graph.slices, losses.tolist(), strict=True)),
            "graph": self.graph.told(),
            "drawn": drawn,
            "without_skill": len(self.none),
        }

    def left_out(self) -> Mapping[int, str]:
        never = {int(at): "skill_it never drew it" for at in self.at[self.rows.undrawn()]}
        return never | {int(at): "no skill was found for it" for at in self.none}


def mixture(graph: FloatArray, losses: FloatArray, step_size: float) -> FloatArray:
    """Weights of skills (s,), summing to 1, from a graph (s, v) and the last losses on the slices (w, v).

    >>> mixture(np.array([[1.0, 0.5], [0.0, 1.0]]), np.array([[0.0, np.log(9)]]), 1.0).round(6)
    array([0.25, 0.75])
    """
    grown = step_size * (graph @ losses.sum(axis=0))
    share = np.exp(grown - grown.max())
    return np.asarray(share / share.sum())
