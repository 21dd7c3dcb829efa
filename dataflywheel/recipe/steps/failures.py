"""Rows that the student got wrong: the only seeds of generators that write from failures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from dataflywheel.evolution.feedback.evaluate import Evaluate, RowScores
from dataflywheel.evolution.feedback.score_files import read_scores
from dataflywheel.evolution.iteration.trial import EvalSet, examine
from dataflywheel.evolution.metrics.named import better
from dataflywheel.models.files import folder_digest
from dataflywheel.proposing.ledger import Entry
from dataflywheel.proposing.seeds import is_made
from dataflywheel.recipe.contents import digest
from dataflywheel.recipe.context import Context
from dataflywheel.rows.schema import Row

READ = "bits_per_byte"
"""What rows outside the target are scored by where the target is not scored by final answers: rows of any kind have it,
where a worked answer is hardly ever given word for word."""
Origin = Literal["rows", "pool", "target"]


@dataclass(frozen=True)
class Student:
    """The model that was trained last."""

    model: Path
    steered: Path | None = None
    """Its scores on the steering tier, as the last round's evaluation left them."""


@dataclass(frozen=True)
class Failures:
    """Rows that the student got wrong: `scores` by row id, each row's own value in the metric."""

    metric: str
    scores: dict[str, float]

    def told(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries with the failure that each proposal was written from among its facts."""
        return [self._told(entry) for entry in entries]

    def _told(self, entry: Entry) -> Entry:
        proposal = entry.proposal
        seed = next((id for id in proposal.parents if id in self.scores), None)
        if seed is None:
            return entry
        failed = {"row": seed, "metric": self.metric, "score": self.scores[seed]}
        return replace(entry, proposal=replace(proposal, facts={**proposal.facts, "failed": failed}))


def steering_failures(context: Context, student: Student) -> Failures:
    """Rows of the steering tier that the last evaluated model failed on, whether its round was kept or taken back."""
    assert student.steered is not None, "the plan refuses `source: target` without rounds"
    metric = context.recipe.target[0].metric
    return Failures(metric, wrong(read_scores(student.steered), metric))


def find_failures(
    context: Context,
    student: Student,
    source: Origin,
    origin: Path,
    rows: Sequence[Row],
    place: Callable[[Row], str] | None,
) -> Failures:
    """The failures among the `rows` of the directory `origin`, those that a method wrote left out.

    Of the steering tier they are told by its scores in the last evaluation. Other rows are scored here: by their final
    answers where the target is, so that those with a wrong one are the failures; else by the bits per byte of their
    answers, of which the worse half are, in each slice where `place` gives slices.
    """
    own = {row["id"] for row in rows if not is_made(row)}
    if source == "target":
        found = steering_failures(context, student)
        return replace(found, scores={id: score for id, score in found.scores.items() if id in own})
    slices = tuple(place(row) if place else "" for row in rows)
    metric = read_by(context)
    return Failures(metric, wrong(examine(student.model, EvalSet(origin, metric, slices, Evaluate())), metric, own))


def read_by(context: Context) -> str:
    """The metric by which rows outside the target are scored."""
    target = context.recipe.target
    return target[0].metric if target and target[0].metric.partition(":")[0] == "final_answer" else READ


def wrong(scores: RowScores, metric: str, among: Collection[str] | None = None) -> dict[str, float]:
    """Ids of the rows that a model failed on, with each row's own value; `among`: other rows do not take part.

    Under a metric of right and wrong those with 0. Under a loss, which knows no right and wrong, the worse half
    of every slice by the row's own loss (bits per byte, nats a token), the middle row among them; ties go to the
    smaller row id. Rows that could not be scored are not known to be wrong, and left out.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        value = scores.value / scores.weight
    ids, slices = scores.ids.tolist(), np.asarray(scores.slices, dtype=str)
    able = np.isfinite(value) & np.array([among is None or id in among for id in ids], dtype=bool)
    if better(metric) == "higher":
        return {ids[i]: 0.0 for i in np.flatnonzero(able & (value == 0))}
    found: dict[str, float] = {}
    for name in np.unique(slices[able]):
        members = sorted(np.flatnonzero(able & (slices == name)), key=lambda i: (-value[i], ids[i]))
        found |= {ids[i]: float(value[i]) for i in members[: (len(members) + 1) // 2]}
    return found


def why_none(name: str, source: Origin) -> str:
    """The plain word where a generator that writes from failures has none to write from."""
    where = "of the steering tier" if source == "target" else "that could be scored"
    return f"{name} writes from rows that the student got wrong, and there is no such row {where}"


def why_not_yet(name: str) -> str:
    """The plain word where nothing was trained yet."""
    return (
        f"{name} writes from rows that the student got wrong, and nothing was trained yet: its rows are for the rounds "
        "after the first"
    )


def evidence(context: Context, source: Origin, student: Student) -> list[str]:
    """Of a step that writes from failures, a digest of what their choice follows from besides the rows: part of its
    fingerprint."""
    if source == "target" and student.steered is not None:
        found = read_scores(student.steered)
        return [digest("failures@1", *found.ids, *found.slices, found.value.tolist(), found.weight.tolist())]
    return [digest("failures@1", read_by(context), folder_digest(student.model))]


def facts_of(found: Failures | None) -> dict[str, Any]:
    """What the metrics of a step say of the failures that it wrote from."""
    return {} if found is None else {"failures": {"metric": found.metric, "rows": len(found.scores)}}
