"""S2L: rows whose loss falls alike teach alike, so few of each kind are enough."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, Columns, Selection, Selector
from dataflywheel.selection.order import counts, eligible, turns

LOSSES, SOURCE = "trajectory.losses", "row.source"
SEED = 0  # of k-means: a row's cluster must not depend on the draw
ITERATIONS = 20
ROWS_A_CLUSTER = 10
TINY = 2
"""Clusters of so many rows or fewer are outliers more than kinds."""


class S2L(Selector):
    """Equal shares of the budget for every source, and within it for every cluster of loss trajectories.

    A source or cluster that has fewer rows than its share gives all of them, and the rest goes evenly to the larger
    ones. Rows of one cluster are drawn at random; clusters of one or two rows come after all others of their source.
    """

    name: ClassVar[str] = "s2l"
    card: ClassVar[Card] = Card(
        title="SmallToLarge (S2L): Scalable Data Selection for Fine-tuning Large Language Models by Summarizing "
        "Training Trajectories of Small Models",
        authors="Yang et al.",
        year=2024,
        paper="2403.07384",
        category="selection",
        subcategory="static",
        summary="Draws evenly over clusters of rows that a small model learns alike.",
        needs=("model",),
        cost="$$",
        checked="shares against filling from the smallest group up; two planted kinds of rows told apart",
        pays="Long trainings of a large model in one field, where a proxy a hundred times smaller can read the pool "
        "for some epochs.",
        fails="Rows that are never learned, wrong ones among them, make clusters with shares like others: filter "
        "first; for one short training `source_balanced_random` is cheaper.",
        evidence="The authors: 11 % of MathInstruct is as good as all of it, +4.7 over other selectors; not measured "
        "here.",
    )
    deterministic: ClassVar[bool] = False

    clusters: int = Field(default=100, ge=1)
    """Of each source, at most; no more than one for every ten rows."""

    def needs(self) -> tuple[str, ...]:
        return (LOSSES, SOURCE)

    def rank(self, columns: Columns, budget: int, rng: np.random.Generator) -> Selection:
        rows = eligible(columns, LOSSES)
        losses = columns[LOSSES][rows].astype(np.float64)
        names, source = np.unique(columns[SOURCE][rows].astype(str), return_inverse=True)
        chance = rng.permutation(len(rows))
        place = np.zeros(len(rows), dtype=np.int64)
        found = {}
        for number, name in enumerate(names):
            members = np.flatnonzero(source == number)
            cluster = trajectory_clusters(losses[members], self.clusters)
            found[str(name)] = int(cluster.max()) + 1
            inner = even_order(cluster, chance[members], last=TINY)
            place[members[inner]] = np.arange(len(members))
        order = even_order(source, place)
        taken = np.bincount(source[order[:budget]], minlength=len(names)).tolist()
        shares = {str(name): count for name, count in zip(names, taken, strict=True)}
        notes = counts(columns, rows, LOSSES) | {"clusters": found, "taken_by_source": shares}
        return Selection(rows[order], np.full(len(rows), np.nan), "drawn evenly over loss trajectories", notes=notes)


def trajectory_clusters(losses: AnyArray, clusters: int) -> AnyArray:
    """Cluster (n,) of each of n trajectories (n, T) by k-means, into at most `clusters` and n / 10."""
    from sklearn.cluster import KMeans

    count = max(1, min(clusters, len(losses) // ROWS_A_CLUSTER, len(np.unique(losses, axis=0))))
    fitted = KMeans(count, init="k-means++", n_init=1, max_iter=ITERATIONS, random_state=SEED).fit(losses)
    labels: AnyArray = np.unique(fitted.labels_, return_inverse=True)[1]
    return labels


def even_order(group: AnyArray, place: AnyArray, last: int = 0) -> AnyArray:
    """An order of n rows of which every prefix is shared evenly by the groups, as far as they have rows.

    Groups take turns, the largest first, so that what cannot be divided evenly goes to the largest: the shares that
    come of filling from the smallest group up. Within a group rows go by `place` (n,). Groups of at most `last` rows
    come after all others.
    """
    size = np.bincount(group)[group] if len(group) else group
    by_place = np.argsort(place, kind="stable")
    turn = np.empty(len(group), dtype=np.int64)
    turn[by_place] = turns(group[by_place], int(group.max(initial=-1)) + 1)
    order: AnyArray = np.lexsort((group, -size, turn, size <= last))
    return order
