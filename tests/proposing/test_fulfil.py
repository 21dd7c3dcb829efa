"""The engine of changed and new rows: every proposal ends in the ledger, quotas are met exactly or the reason said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.contracts import FlywheelError
from dataflywheel.proposing.fulfil import Terms, fulfil
from dataflywheel.proposing.gate_names import gate_names
from dataflywheel.proposing.kinds import PASSED, Check, Demand, Gate, Proposal, Proposer, Surroundings
from dataflywheel.proposing.ledger import Fate, funnel
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row

SEEDS = [prompt_answer_row(f"q{i}", f"a{i}", tags=["even" if i % 2 == 0 else "odd"]) for i in range(20)]


class Numbered(Proposer):
    """One row a visit, as many different ones as visits; every `broken`th seed gives nothing."""

    broken: int = 0
    collapsed: bool = False

    def propose(self, demand: Demand) -> list[Proposal]:
        found = []
        for row, turn in zip(demand.seeds, demand.turns, strict=True):
            number = int(row["messages"][0]["content"][1:])
            if self.broken and number % self.broken == 0:
                found.append(Proposal((row["id"],), failure="truncated: at 512 tokens"))
                continue
            answer = "same" if self.collapsed else f"n{number}-{turn}"
            made = prompt_answer_row("made", answer, tags=row["tags"], parents=[row["id"]], made_by="numbered")
            found.append(Proposal((row["id"],), made))
        return found


class Rewritten(Proposer):
    rewrites: ClassVar[bool] = True

    def propose(self, demand: Demand) -> list[Proposal]:
        return [
            Proposal((r["id"],), prompt_answer_row("p", r["messages"][1]["content"] + "!"), before=r)
            for r in demand.seeds
        ]


class NoThrees(Gate):
    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        return [
            Check(False, "has a three") if p.row and "3" in p.row["messages"][1]["content"] else Check(True)
            for p in proposals
        ]


def test_quotas_are_met_exactly_and_everything_is_in_the_ledger() -> None:
    done = fulfil(
        Numbered(broken=4), [NoThrees()], SEEDS, Terms(quotas={"even": 5, "odd": 8}, wave=6), Surroundings(), 0
    )
    assert Counter(e.slice for e in done.entries if e.fate is Fate.ACCEPTED) == {"even": 5, "odd": 8}
    assert (done.shortfall, done.missing) == ("", {})
    told = funnel(done.entries)
    assert told["proposed"] == sum(told[fate.value] for fate in Fate) == len(done.entries)
    assert {r["reason"] for r in told["rejections"]} == {"has a three"}
    assert {r["reason"] for r in told["failures"]} == {"truncated"}


def test_every_seed_is_written_from_before_any_twice() -> None:
    done = fulfil(Numbered(), [], SEEDS, Terms(rows=30, visits=2, wave=7), Surroundings(), 0)
    visits = [e.proposal.parents[0] for e in done.entries]
    assert sorted(visits[:20]) == sorted(r["id"] for r in SEEDS)
    assert len(done.accepted) == 30


def test_a_shortfall_is_said_plainly_with_what_is_missing() -> None:
    done = fulfil(Numbered(), [], SEEDS, Terms(quotas={"even": 15, "none": 2}, visits=1), Surroundings(), 0)
    assert len(done.accepted) == 10
    assert done.missing == {"even": 5, "none": 2}
    assert done.shortfall == "every one of the 10 seeds that could help was used once; none belongs to none"
    # Seeds of a slice that has all its rows could not help, and were not all used.
    some = fulfil(Numbered(), [], SEEDS, Terms(quotas={"even": 15, "odd": 2}, visits=1), Surroundings(), 0)
    assert some.shortfall == "every one of the 10 seeds that could help was used once"
    none = fulfil(Numbered(), [], SEEDS, Terms(quotas={"even": 2, "none": 1}, visits=1), Surroundings(), 0)
    assert none.shortfall == "there is no seed to write from; none belongs to none"


class OfDocuments(Numbered):
    writes_from: ClassVar[Literal["rows", "documents", "nothing"]] = "documents"


def test_documents_that_were_visited_once_are_said_to_have_other_parts() -> None:
    once = fulfil(OfDocuments(), [], SEEDS, Terms(rows=30), Surroundings(), 0).shortfall
    assert once.endswith(
        "was used once; each was asked about its first part alone: raise `visits`, which is 1, to reach the others"
    )
    twice = fulfil(OfDocuments(), [], SEEDS, Terms(rows=50, visits=2), Surroundings(), 0).shortfall
    assert twice == "every one of the 20 seeds that could help was used 2 times"
    assert fulfil(OfDocuments(), [], SEEDS, Terms(rows=20), Surroundings(), 0).shortfall == ""


def test_a_writer_that_repeats_itself_is_stopped() -> None:
    done = fulfil(Numbered(collapsed=True), [], SEEDS, Terms(rows=50, visits=9, wave=8), Surroundings(), 0)
    assert len(done.accepted) == 1
    assert len(done.entries) < 80
    assert done.shortfall.startswith("the yield is too low: 1 of the last 64 proposals")
    assert done.shortfall.endswith("identical to a row that is there")


def test_rows_that_are_there_are_not_made_again() -> None:
    there = frozenset(
        e.proposal.row["id"]
        for e in fulfil(Numbered(), [], SEEDS, Terms(), Surroundings(), 0).entries
        if e.proposal.row
    )
    done = fulfil(Numbered(), [], SEEDS, Terms(), Surroundings(), 0, known=there)
    assert not done.accepted


def test_rewriters_visit_every_row_once_and_rejections_leave_it() -> None:
    done = fulfil(Rewritten(), [NoThrees()], SEEDS, Terms(wave=8), Surroundings(), 0)
    assert [e.proposal.before for e in done.entries] == SEEDS
    assert {e.proposal.before["id"] for e in done.entries if e.fate is Fate.REJECTED and e.proposal.before} == {
        SEEDS[3]["id"],
        SEEDS[13]["id"],
    }


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(1, 9), st.integers(1, 3), st.integers(0, 5))
def test_laws(even: int, odd: int, wave: int, visits: int, seed: int) -> None:
    terms = Terms(quotas={"even": even, "odd": odd}, wave=wave, visits=visits)
    done = fulfil(Numbered(broken=3), [NoThrees()], SEEDS, terms, Surroundings(), seed)
    again = fulfil(Numbered(broken=3), [NoThrees()], SEEDS, terms, Surroundings(), seed)
    rows: list[Row] = [p.row for p in done.accepted if p.row]
    assert [r["id"] for r in rows] == [p.row["id"] for p in again.accepted if p.row]
    assert len({r["id"] for r in rows}) == len(rows)
    counts = Counter(r["tags"][0] for r in rows)
    for name, want in (("even", even), ("odd", odd)):
        assert counts[name] + done.missing.get(name, 0) == want
    assert bool(done.missing) == bool(done.shortfall)


def test_rows_without_a_slice_do_not_take_the_place_of_those_that_have_one() -> None:
    slices = {row["id"]: ["a", "b", ""][i % 3] for i, row in enumerate(SEEDS)}
    done = fulfil(
        Numbered(), [], SEEDS, Terms(quotas={"": 1, "a": 3, "b": 4}), Surroundings(), 0,
        slice_of=lambda row: slices.get(row["id"], ""),
    )  # fmt: skip
    assert Counter(e.slice for e in done.entries if e.fate is Fate.ACCEPTED) == {"": 1, "a": 3, "b": 4}


class Fragile(Gate):
    """Fails at some answers, and where it sees two alike."""

    worst: str = "a3"

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        answers = [p.row["messages"][1]["content"] for p in proposals if p.row]
        if self.worst in "".join(answers):
            raise ValueError(f"cannot read {self.worst}")
        return [Check(not answer.startswith("a5"), "five") for answer in answers]


def test_a_gate_that_fails_at_one_proposal_turns_that_one_away_and_no_other() -> None:
    done = fulfil(Rewritten(), [Fragile()], SEEDS, Terms(), Surroundings(), 0)
    told = {e.proposal.before["messages"][1]["content"]: e for e in done.entries if e.proposal.before}
    assert {name: e.reason for name, e in told.items() if e.fate is Fate.REJECTED} == {
        "a3": "the gate failed",
        "a5": "five",
    }
    assert told["a3"].check is not None
    assert told["a3"].check.detail == "ValueError: cannot read a3"
    assert len(done.accepted) == len(SEEDS) - 2


def test_a_gate_that_fails_at_every_proposal_is_an_error() -> None:
    with pytest.raises(FlywheelError, match="gate Fragile fails at every proposal; the first: ValueError: cannot read"):
        fulfil(Rewritten(), [Fragile(worst="a")], SEEDS, Terms(), Surroundings(), 0)


class Odd(Fragile):
    """Gives something else than one check a proposal where an answer holds a3, or always."""

    gives: Any = None

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        answers = "".join(p.row["messages"][1]["content"] for p in proposals if p.row)
        return self.gives if self.worst in answers else [PASSED] * len(proposals)  # type: ignore[no-any-return]


@pytest.mark.parametrize("gives", [None, [], [PASSED] * 99, [True], ["ok"], 7, {"passed": True}])
def test_a_gate_that_gives_no_check_turns_one_away_or_is_named(gives: Any) -> None:
    done = fulfil(Rewritten(), [Odd(gives=gives)], SEEDS, Terms(), Surroundings(), 0)
    assert [e.reason for e in done.entries if e.fate is Fate.REJECTED] == ["the gate failed"]
    with pytest.raises(FlywheelError, match="gate Odd fails at every proposal"):
        fulfil(Rewritten(), [Odd(worst="a", gives=gives)], SEEDS, Terms(), Surroundings(), 0)


class Dropping(Proposer):
    rewrites: ClassVar[bool] = True

    def propose(self, demand: Demand) -> list[Proposal]:
        return [
            Proposal((r["id"],), before=r, failure="nothing to do", facts={"drop": True} if i % 4 == 0 else {})
            for i, r in enumerate(demand.seeds)
        ]


def test_rows_that_go_are_not_told_to_stay_as_they_were() -> None:
    told = funnel(fulfil(Dropping(), [], SEEDS, Terms(wave=20), Surroundings(), 0).entries)
    assert (told["left"], told["dropped"]) == (20, 5)
    assert told["left_as_they_were"] == [{"reason": "nothing to do", "rows": 15}]


class Longer(Gate):
    """Turns away answers of fewer characters."""

    than: int
    note: str = ""

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        lengths = [len(p.row["messages"][1]["content"]) if p.row else 0 for p in proposals]
        return [Check(True) if length > self.than else Check(False, "too short") for length in lengths]


def test_a_gate_that_stands_twice_is_counted_under_what_tells_it_apart() -> None:
    done = fulfil(Numbered(), [Longer(than=4), NoThrees(), Longer(than=3)], SEEDS, Terms(wave=20), Surroundings(), 0)
    counted = {(one["gate"], one["reason"]): one["rows"] for one in funnel(done.entries)["rejections"]}
    assert counted == {("Longer (than: 4)", "too short"): 10, ("NoThrees", "has a three"): 1}
    done = fulfil(Numbered(), [Longer(than=3), Longer(than=4)], SEEDS, Terms(wave=20), Surroundings(), 0)
    assert {one["gate"] for one in funnel(done.entries)["rejections"]} == {"Longer (than: 4)"}
    assert gate_names([Longer(than=4), Longer(than=4), NoThrees()]) == ["Longer [1]", "Longer [2]", "NoThrees"]
    long = [Longer(than=4, note="x" * 80 + end) for end in "ab"]
    assert len(set(gate_names(long))) == 2  # also where what differs is too long to be shown
