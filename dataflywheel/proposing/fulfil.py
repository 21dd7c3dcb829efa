"""Propose, pass the gates, accept or reject with a reason: the one way in which rows are changed and made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from dataflywheel.contracts import Columns, OverBudgetError
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.proposing.checking import checks_of
from dataflywheel.proposing.gate_names import gate_names
from dataflywheel.proposing.kinds import PASSED, Check, Demand, Gate, Proposal, Proposer, Surroundings
from dataflywheel.proposing.ledger import Entry, Fate
from dataflywheel.proposing.seeds import SeedQueues, first_tag
from dataflywheel.proposing.written import proposed
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row

IDENTICAL = Check(False, "identical to a row that is there")
LOST = frozenset(outcome.value for outcome in Outcome)
"""How failures begin that are a model's, not a rewriter's decision."""
NOTHING = prompt_answer_row("", "")
"""What stands for a seed where there is none."""
RECENT = 64
"""Proposals over which the yield is looked at."""


class Terms(BaseModel):
    """How many rows are wanted, and when to give up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int | None = Field(default=None, ge=0)
    """Accepted rows wanted; None: what one visit of every seed gives."""
    quotas: Mapping[str, int] = {}
    """Accepted rows wanted by slice, in place of `rows`."""
    wave: int = Field(default=64, ge=1)
    """Seeds that are written from before the gates look again at what was accepted."""
    visits: int | None = Field(default=1, ge=1)
    """How often one seed is written from, at most; None: until the rows are there or the yield is too low."""
    least_yield: float = Field(default=0.02, ge=0, le=1)
    """Give up when a smaller share of the recent proposals was accepted."""


@dataclass
class Fulfilment:
    """What came of it: the ledger of all proposals, and in a plain sentence why fewer rows came than were wanted."""

    entries: list[Entry] = field(default_factory=list)
    shortfall: str = ""
    missing: dict[str, int] = field(default_factory=dict)
    """Rows still wanted, by slice."""

    def ended(self, missing: Mapping[str, int], nobody_counts: bool) -> Fulfilment:
        """With the rows that are missing, by slice, where a number of them was wanted."""
        self.shortfall = "" if nobody_counts else self.shortfall
        self.missing = {name: n for name, n in missing.items() if n} if self.shortfall else {}
        return self

    @property
    def accepted(self) -> list[Proposal]:
        return [entry.proposal for entry in self.entries if entry.fate is Fate.ACCEPTED]


def fulfil(
    proposer: Proposer,
    gates: Sequence[Gate],
    seeds: Sequence[Row],
    terms: Terms,
    around: Surroundings,
    seed: int,
    *,
    slice_of: Callable[[Row], str] | None = None,
    known: frozenset[str] = frozenset(),
    settle: Callable[[], object] = lambda: None,
    watch: Callable[[int, int], object] = lambda accepted, wanted: None,
    columns: Columns | None = None,
    evaluation: Mapping[str, Any] | None = None,
) -> Fulfilment:
    """Write from the seeds wave by wave until the terms are met or cannot be.

    A function of its arguments and the answers of models alone: begun again after a kill, it finds those answers in
    their store and comes to the same rows. `known` holds ids of rows that are there; `settle` is called after each
    wave was asked for, to hand in what waits for a batch; `slice_of` says which quota a seed's rows count for;
    `columns` hold what was measured of the seeds, among other rows. A proposer that writes from nothing needs no seeds.

    Raises:
        OverBudgetError: a cap left a question unasked. What was answered is kept and not paid twice.
    """
    place = (slice_of or first_tag) if terms.quotas else None
    wanted = dict(terms.quotas) if terms.quotas else {"": len(seeds) if terms.rows is None else terms.rows}
    seeds = seeds or [NOTHING] * (proposer.written_from(dict(proposer)) == "nothing")
    most = proposer.rows_a_seed() if terms.rows is not None or terms.quotas else 1
    queues = SeedQueues(seeds, place, wanted, terms.visits, None if proposer.rewrites else seed, most)
    done, missing, ids, wave = Fulfilment(), dict(wanted), set(known), 0
    places = {} if columns is None else {str(id): i for i, id in enumerate(columns.ids.tolist())}
    while any(missing.values()):
        taken = queues.take_all(missing) if proposer.whole else queues.take(missing, terms.wave)
        if not taken:
            done.shortfall = proposer.way_on() or queues.used_up(missing) + _parts_unasked(proposer, terms)
            break
        rng = np.random.default_rng([seed, wave])
        rows, turns = tuple(s.row for s in taken), tuple(s.turn for s in taken)
        read = None if columns is None else columns.take(np.array([places[s.row["id"]] for s in taken]))
        accepted = tuple(around.accepted)
        demand = Demand(rows, turns, accepted, rng, wave, read, evaluation, seeds, around.target)
        proposals = proposed(proposer, demand)
        settle()
        _within_budget((reply for proposal in proposals for reply in proposal.replies), around)
        checked = _checked(proposals, gates, around, ids)
        settle()  # gates may have asked as well
        _within_budget((reply for _, _, check in checked if check for reply in check.replies), around)
        origin = {s.row["id"]: s.slice for s in taken}
        for proposal, gate, check in checked:
            entry = _entry(proposal, gate, check, _slice(proposal, origin, place), wave, missing)
            done.entries.append(entry)
            _accept(entry, missing, ids, around)
        queues.learn(done.entries)
        wave += 1
        watch(len(done.accepted), sum(wanted.values()))
        done.shortfall = "" if proposer.rewrites else _too_little(done.entries, terms)
        if done.shortfall:
            break
    return done.ended(missing, nobody_counts=proposer.rewrites or (terms.rows is None and not terms.quotas))


def _accept(entry: Entry, missing: dict[str, int], ids: set[str], around: Surroundings) -> None:
    """Count an accepted row, and let those after it see it."""
    row = entry.proposal.row
    if entry.fate is Fate.ACCEPTED and row is not None:
        missing[entry.slice] -= 1
        ids.add(row["id"])
        around.accepted.append(row)


def _slice(proposal: Proposal, origin: Mapping[str, str], place: Callable[[Row], str] | None) -> str:
    """The quota that a proposal counts for: that of the seed it was made from, else what its own row says."""
    if place is None:
        return ""
    found = next((origin[parent] for parent in proposal.parents if parent in origin), None)
    return found if found is not None else place(proposal.row) if proposal.row is not None else ""


def _within_budget(replies: Iterable[Reply], around: Surroundings) -> None:
    if any(reply.outcome is Outcome.OVER_BUDGET for reply in replies):
        raise OverBudgetError(
            f"the cap on dollars, tokens or calls was reached with {len(around.accepted):,} rows accepted; raise it "
            "under `budget` (or by `--usd`, `--calls`) and run again: what was answered is not paid twice"
        )


def _checked(
    proposals: Sequence[Proposal], gates: Sequence[Gate], around: Surroundings, ids: set[str]
) -> list[tuple[Proposal, str, Check | None]]:
    """Every proposal with the gate that turned it away, if one did, and what it said; None: it failed before."""
    found: dict[int, tuple[str, Check]] = {}
    passed: dict[int, Check] = {}
    seen = set(ids)
    for i, proposal in enumerate(proposals):
        if proposal.row is not None and (proposal.row["id"] in seen or _unchanged(proposal)):
            found[i] = ("identity", IDENTICAL)
        elif proposal.row is not None:
            seen.add(proposal.row["id"])
    for gate, name in zip(gates, gate_names(gates), strict=True):
        left = [i for i, proposal in enumerate(proposals) if proposal.row is not None and i not in found]
        if not left:
            break
        for i, check in zip(left, checks_of(gate, [proposals[i] for i in left], around), strict=True):
            whole = _both(passed.get(i, PASSED), check)
            if not check.passed:
                found[i] = (name, whole)
            elif gate.keeps_facts:
                passed[i] = whole
    return [
        (proposal, *(("", None) if proposal.row is None else found.get(i, ("", passed.get(i, PASSED)))))
        for i, proposal in enumerate(proposals)
    ]


def _both(before: Check, check: Check) -> Check:
    """A check with what gates before it measured and cost; an answer that is rested on twice was paid once."""
    paid = {reply.key: reply for reply in (*before.replies, *check.replies)}
    return replace(check, facts={**before.facts, **check.facts}, replies=tuple(paid.values()))


def _unchanged(proposal: Proposal) -> bool:
    return proposal.before is not None and proposal.row is not None and proposal.before["id"] == proposal.row["id"]


def _entry(
    proposal: Proposal, gate: str, check: Check | None, slice: str, wave: int, missing: Mapping[str, int]
) -> Entry:
    if check is None and proposal.facts.get("surplus"):
        return Entry(proposal, Fate.SURPLUS, wave, slice)
    if check is None:
        lost = proposal.before is None or proposal.failure.partition(":")[0] in LOST
        return Entry(proposal, Fate.FAILED if lost else Fate.LEFT, wave, slice)
    if not check.passed:
        return Entry(proposal, Fate.REJECTED, wave, slice, gate, check)
    return Entry(proposal, Fate.ACCEPTED if missing.get(slice, 0) > 0 else Fate.SURPLUS, wave, slice, "", check)


def _parts_unasked(proposer: Proposer, terms: Terms) -> str:
    """What to say besides where documents were visited once: a visit is about one part of a document."""
    if proposer.writes_from != "documents" or terms.visits != 1:
        return ""
    return "; each was asked about its first part alone: raise `visits`, which is 1, to reach the others"


def _too_little(entries: Sequence[Entry], terms: Terms) -> str:
    """Why to give up, or "": too few of the recent proposals were accepted."""
    if len(entries) < RECENT:
        return ""
    recent = entries[-RECENT:]
    good = sum(entry.fate in (Fate.ACCEPTED, Fate.SURPLUS) for entry in recent)
    if good >= terms.least_yield * len(recent):
        return ""
    reasons = [f"{e.gate}: {e.reason}" if e.gate else e.reason for e in recent if e.reason]
    often = max(sorted(set(reasons)), key=reasons.count, default="no proposal was made")
    return (
        f"the yield is too low: {good:,} of the last {len(recent):,} proposals were good (at least "
        f"{terms.least_yield:.0%} wanted); most often: {often}"
    )
