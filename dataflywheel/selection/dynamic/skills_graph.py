"""The graph of skills: how much learning one helps on another, from short trainings or as it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, UsageError
from dataflywheel.selection.dynamic.passes import Passes

How = Literal["approximate", "brute_force"]


@dataclass(frozen=True)
class Graph:
    """`weights` (skills, slices), from 0 up: what learning each skill does for each slice."""

    skills: Sequence[str]
    slices: Sequence[str]
    weights: FloatArray

    def told(self) -> dict[str, dict[str, float]]:
        """The edges that there are, by skill and by slice."""
        return {
            skill: {name: float(w) for name, w in zip(self.slices, row, strict=True) if w > 0}
            for skill, row in zip(self.skills, self.weights, strict=True)
        }


def pairs(skills: Sequence[str], slices: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of skills whose joint training says something: one of the two is a slice that losses are measured on."""
    known = set(slices)
    return [(i, j) for i, j in combinations(range(len(skills)), 2) if {skills[i], skills[j]} & known]


def trials_of(how: How, skills: int) -> int:
    """How many short trainings a graph of so many skills is learned from."""
    return skills if how == "approximate" else skills * (skills + 1) // 2


def trials(
    how: How, skills: Sequence[str], of: AnyArray, slices: Sequence[str], rows: int, seed: int
) -> list[AnyArray]:
    """Positions that each training learns, `rows` of them: none for the untrained model, then each skill, then each of
    the `pairs` by halves. `of` is each row's skill, -1 for none; a skill with few rows repeats them."""

    def some(skill: int, count: int) -> AnyArray:
        return Passes(np.flatnonzero(of == skill), (seed, 2, skill)).take(count)

    found = [np.empty(0, dtype=np.int64), *(some(i, rows) for i in range(len(skills)))]
    if how == "brute_force":
        half = rows // 2
        found += [np.concatenate([some(i, rows - half), some(j, half)]) for i, j in pairs(skills, slices)]
    return found


def edges(how: How, skills: Sequence[str], slices: Sequence[str], losses: Sequence[FloatArray]) -> FloatArray:
    """Weights of the edges (skills, slices) from the losses (slices,) after each of the `trials`.

    The share of a slice's first loss that learning a skill takes away; by brute force the share that it takes away
    beyond what the slice's own rows alone do in as many steps, for the slices that have rows of their own.
    """
    first, alone = np.maximum(losses[0], 1e-12), np.array(losses[1 : len(skills) + 1])
    weights = np.maximum(first - alone, 0) / first
    if how == "approximate":
        return np.asarray(weights)
    own = {name: i for i, name in enumerate(skills)}
    at = {name: j for j, name in enumerate(slices)}
    for (a, b), joint in zip(pairs(skills, slices), losses[len(skills) + 1 :], strict=True):
        for helper, helped in ((a, b), (b, a)):
            if (j := at.get(skills[helped])) is not None:
                weights[helper, j] = max(alone[own[slices[j]], j] - joint[j], 0) / first[j]
    return np.asarray(weights)


def given_edges(graph: Mapping[str, Mapping[str, float]], skills: Sequence[str], slices: Sequence[str]) -> FloatArray:
    """Weights of the edges (skills, slices) as they were given; 1 from a skill to itself where it was not.

    Raises:
        UsageError: no edge is left that joins a skill of the rows with a slice.
    """
    weights = np.array([[graph.get(i, {}).get(j, float(i == j)) for j in slices] for i in skills])
    if not weights.any():
        raise UsageError(
            f"skill_it: graph: no edge joins the rows' skills ({', '.join(skills[:5])}) with slices of the target "
            f"({', '.join(slices[:5])})"
        )
    return weights


def first_of_each(ids: Sequence[str], groups: Sequence[str], most: int) -> AnyArray:
    """Positions of at most so many rows of each group: those with the smallest ids, which are hashes."""
    taken: dict[str, list[int]] = {}
    for at in np.argsort(np.asarray(ids, dtype=str), kind="stable").tolist():
        held = taken.setdefault(groups[at], [])
        if len(held) < most:
            held.append(at)
    return np.array(sorted(at for held in taken.values() for at in held), dtype=np.int64)
