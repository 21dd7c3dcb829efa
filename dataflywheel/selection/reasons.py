"""Why each row was kept or dropped, in words."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, Columns, Decisions, FloatArray
from dataflywheel.models.training.row_weights import weight_facts
from dataflywheel.selection.order import unmeasured
from dataflywheel.selection.ranking import Ranking
from dataflywheel.selection.spec import TOKENS, Select

PLAIN = (str, int, float, bool, list, dict)


@dataclass
class Outcome:
    """A filled budget. Positions in `ranking`, `taken` and `group` are those of the measured rows `rows`."""

    columns: Columns
    rows: AnyArray
    ranking: Ranking
    taken: AnyArray
    names: list[str]
    group: AnyArray
    quotas: list[int]
    wanted: int
    weight: FloatArray | None = None
    """How much each taken row counts where it is learned, 1 in the mean."""

    @cached_property
    def kept(self) -> int:
        """Rows that are taken; counted once, since every row's reason says it."""
        return int(self.taken.sum())


def decisions_of(outcome: Outcome, spec: Select) -> Decisions:
    """One decision for every row of the columns, in their order; the score is that of `by` (see `Ranking.score`)."""
    columns, ranking = outcome.columns, outcome.ranking
    missing = unmeasured(columns, spec.required())
    inner = np.full(len(columns), -1, dtype=np.int64)
    inner[outcome.rows] = np.arange(len(outcome.rows))
    turn = np.full(len(outcome.rows), -1, dtype=np.int64)
    turn[ranking.order[outcome.taken[ranking.order]]] = np.arange(outcome.kept)
    listed = np.zeros(len(outcome.rows), dtype=bool)
    listed[ranking.order] = True
    shortlisted = np.zeros(len(outcome.rows), dtype=bool)
    shortlisted[ranking.shortlist] = True
    words = _Words(outcome, spec)
    decisions = Decisions()
    ids = [str(id) for id in columns.ids.tolist()]
    facts = list(zip(turn.tolist(), listed.tolist(), shortlisted.tolist(), ranking.score.tolist(), strict=True))
    for position, row in enumerate(inner.tolist()):
        id = ids[position]
        if row < 0:
            decisions.add(id, "dropped", missing[position])
            continue
        place, in_list, in_shortlist, score = facts[row]
        score = None if math.isnan(score) else score
        rejected = ranking.rejected.get(row)
        if place >= 0:
            decisions.add(id, "kept", words.kept(row, place), score=score)
        elif rejected is not None:
            near = None if rejected.near is None else ids[outcome.rows[rejected.near]]
            decisions.add(id, "dropped", rejected.reason, near, rejected.score if score is None else score)
        else:
            decisions.add(id, "dropped", words.dropped(row, in_list, in_shortlist), score=score)
    return decisions


class _Words:
    """The sentences of one selection."""

    def __init__(self, outcome: Outcome, spec: Select) -> None:
        self.outcome, self.spec = outcome, spec
        self.by = " + ".join(selector.name for selector in spec.scorers())
        chooser = spec.chooser()
        self.chooser = None if chooser is None else chooser.name
        self.tokens = spec.budget().unit == "tokens"
        self.places: list[int] = outcome.ranking.place.tolist()
        self.of = f" of {outcome.ranking.scored:,} by {self.by}"

    def ranked(self, row: int) -> str:
        place = self.places[row]
        return f"ranked {place + 1:,}{self.of}" if place >= 0 else ""

    def kept(self, row: int, turn: int) -> str:
        weight = self.outcome.weight
        counts = "" if weight is None else f"; weight {weight[row]:.3g}"
        if self.chooser is None:
            return self.ranked(row) + counts
        return f"chosen {turn + 1:,} of {self.outcome.kept:,} by {self.chooser}; {self.ranked(row)}{counts}"

    def dropped(self, row: int, listed: bool, shortlisted: bool) -> str:
        """`listed`: it stood in the final order, but the budget or a quota was full."""
        ranking, kept = self.outcome.ranking, f"{self.outcome.kept:,} kept"
        if listed and (self.tokens or self.spec.per):
            return f"{self.full(row)}; {self.ranked(row)}"
        if self.chooser is None:
            return f"{self.ranked(row)}; {kept}" if listed else f"not among the {kept} by {self.by}"
        if shortlisted:
            pool = f"a shortlist of {len(ranking.shortlist):,}"
            return f"not among the {kept} by {self.chooser} from {pool}; {self.ranked(row)}"
        return f"below the shortlist of {len(ranking.shortlist):,}; {self.ranked(row)}"

    def full(self, row: int) -> str:
        group = int(self.outcome.group[row])
        share = f"{self.outcome.quotas[group]:,} {'tokens' if self.tokens else 'rows'}"
        whose = f"quota of {self.spec.per} {self.outcome.names[group]!r}" if self.spec.per else "budget"
        return f"does not fit the {whose} ({share})" if self.tokens else f"{whose} full ({share})"


def notes_of(outcome: Outcome, spec: Select, cost: AnyArray) -> dict[str, Any]:
    """What a report says of the selection; plain values only.

    `budget` states the denominator: percent is a share of the rows offered, measured or not.
    """
    offered, budget = len(outcome.columns), spec.budget()
    notes: dict[str, Any] = {
        "by": spec.label(),
        "budget": f"{budget} of {offered:,} rows offered: {outcome.wanted:,} rows"
        if budget.unit == "percent"
        else str(budget),
        "offered": offered,
        "eligible": len(outcome.rows),
        "not_measured": offered - len(outcome.rows),
        "kept": outcome.kept,
        "turned_away": dict(Counter(why.reason for why in outcome.ranking.rejected.values())),
    }
    if spec.chooser() is not None:
        notes["shortlist"] = len(outcome.ranking.shortlist)
    if budget.unit == "tokens":
        notes["tokens"] = int(cost[outcome.taken].sum())
        notes["token_columns"] = list(TOKENS)
    if outcome.weight is not None:
        notes["weights"] = weight_facts(outcome.weight[outcome.taken])
    if spec.per is not None:
        kept = np.bincount(outcome.group[outcome.taken], minlength=len(outcome.names)).tolist()
        notes["quotas"] = dict(zip(outcome.names, outcome.quotas, strict=True))
        notes["kept_per_group"] = dict(zip(outcome.names, kept, strict=True))
    for selector, selection in zip(spec.selectors(), outcome.ranking.notes, strict=True):
        said = {**selection.notes, **selector.remarks(outcome.columns)}
        notes[selector.name] = {
            k: v for k, v in said.items() if isinstance(v, PLAIN) and k not in notes and k != "rejected"
        }
    return notes
