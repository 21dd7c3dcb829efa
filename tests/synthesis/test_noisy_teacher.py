"""Generators through the engine and its gates against a teacher with known faults: accepted rows are cleaner."""

from __future__ import annotations

from collections import Counter

import pytest

from dataflywheel.proposing.fulfil import Fulfilment, Terms, fulfil
from dataflywheel.proposing.gates.executable_truth import ExecutableTruth
from dataflywheel.proposing.gates.format_and_length import FormatAndLength
from dataflywheel.proposing.gates.novelty import Novelty
from dataflywheel.proposing.gates.prompt_leak import PromptLeak
from dataflywheel.proposing.gates.refusal import Refusal
from dataflywheel.proposing.kinds import Demand, Gate, Proposal, Surroundings
from dataflywheel.proposing.ledger import Fate, funnel
from dataflywheel.rows.schema import Row
from dataflywheel.synthesis.adversarial.llm2llm import LLM2LLM
from dataflywheel.synthesis.instruction.generate_verify_keep import GenerateVerifyKeep
from tests.signals.rating.support import MODEL
from tests.synthesis.noisy_teacher import NoisyTeacher, seed_rows, truth
from tests.synthesis.support import pairs_of

GATES: list[Gate] = [FormatAndLength(), Refusal(), PromptLeak(), Novelty()]
RATES = {"error": 0.05, "duplicate": 0.12, "leak": 0.1, "refusal": 0.1, "truncation": 0.1}


def similar(teacher: NoisyTeacher, seeds: list[Row], terms: Terms, agree: int) -> Fulfilment:
    client = teacher.client

    class InProcess(LLM2LLM):
        def propose(self, demand: Demand) -> list[Proposal]:
            return self.propose_with(client, demand)

    return fulfil(InProcess(model=MODEL, attempts=terms.visits, agree=agree), GATES, seeds, terms, Surroundings(), 0)


@pytest.mark.parametrize(("agree", "factor"), [(0, 2.5), (1, 20.0)])
def test_accepted_rows_are_cleaner_by_a_factor_and_counts_are_exact(agree: int, factor: float) -> None:
    """`agree` solutions by the same teacher, which errs in these as often, must confirm the first."""
    teacher = NoisyTeacher(**RATES)
    terms = Terms(quotas={"carry": 90, "borrow": 60}, visits=10)
    done = similar(teacher, seed_rows(120), terms, agree)
    assert (done.shortfall, done.missing) == ("", {})
    assert Counter(p.row["tags"][0] for p in done.accepted if p.row) == {"carry": 90, "borrow": 60}
    told = funnel(done.entries)
    assert len(done.entries) == sum(told[fate.value] for fate in Fate)
    assert told["calls"] == sum(teacher.faults.values()) + sum(teacher.solved.values())
    calls = sum(teacher.faults.values())
    accepted = Counter(teacher.told[pair] for pair in pairs_of(done.accepted))
    # The first of each of the three problems that it repeats is new.
    accepted["duplicate"] -= min(3, accepted["duplicate"])
    before = 1 - teacher.faults[""] / calls
    after = sum(n for fault, n in accepted.items() if fault) / len(done.accepted)
    by_fault = {fault: (round(teacher.faults[fault] / calls, 3), accepted[fault] / 150) for fault in RATES}
    good = [e for e in done.entries if e.proposal.row and not teacher.told[pairs_of([e.proposal])[0]]]
    lost = Counter(e.gate for e in good if e.fate is Fate.REJECTED)
    times = f"{before / after:.1f} times cleaner" if after else "no fault left"
    print(f"agree={agree}: faulty are {before:.1%} of the written and {after:.1%} of the accepted rows: {times}")
    print(f"by fault (written, accepted): {by_fault}; {len(good)} good ones, of which rejected: {dict(lost)}")
    assert before > factor * after
    assert {fault for fault, n in accepted.items() if fault and n} <= {"error"}
    # By chance some problems of the grammar are near to each other; nothing else is held against a good row.
    assert set(lost) <= {"novelty"}
    assert lost["novelty"] < 0.25 * len(good)


def test_verified_rows_hold_no_wrong_answer() -> None:
    teacher = NoisyTeacher(error=0.3, refusal=0.1, truncation=0.1)
    client, seeds = teacher.client, seed_rows(150)

    class InProcess(GenerateVerifyKeep):
        def propose(self, demand: Demand) -> list[Proposal]:
            return self.propose_with(client, demand)

    method = InProcess(model=MODEL, samples=3)
    done = fulfil(method, [ExecutableTruth()], seeds, Terms(rows=100), Surroundings(), 0)
    assert len(done.accepted) == 100
    wrong = [pair for pair in pairs_of(done.accepted) if not pair[1].endswith(f"#### {truth(pair[0])}")]
    print(f"{dict(teacher.solved)} written; {len(done.accepted)} accepted, {len(wrong)} of them wrong")
    assert wrong == []
    assert teacher.solved["error"] > 50


def test_a_teacher_that_collapses_is_caught_by_novelty() -> None:
    teacher = NoisyTeacher(collapsed=True)
    done = similar(teacher, seed_rows(64), Terms(rows=50, visits=20, wave=16), 0)
    assert len(done.accepted) == 3
    assert "the yield is too low" in done.shortfall
    assert "novelty" in done.shortfall
    assert done.missing == {"": 47}
    assert len(done.entries) <= 16 * 5


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_two_runs_are_alike(rate: float) -> None:
    first, second = (
        similar(NoisyTeacher(error=rate, refusal=rate), seed_rows(30), Terms(rows=20, visits=5), 0) for _ in range(2)
    )
    assert [p.row for p in first.accepted] == [p.row for p in second.accepted]
    assert len(first.accepted) == 20
