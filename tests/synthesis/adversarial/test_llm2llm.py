"""LLM2LLM with a scripted teacher: generated rows are left alone, copies and unmarked results fail, spending ends."""

from __future__ import annotations

from typing import Any

from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.proposing.fulfil import Terms, fulfil
from dataflywheel.proposing.kinds import Demand, Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.synthesis.adversarial.llm2llm import DISAGREE, FORM, LLM2LLM
from tests.models.endpoint.fake import FakeClient, user_text
from tests.signals.rating.support import MODEL
from tests.synthesis.support import demand, failures, pairs_of, seeds, teacher

SEEDS = seeds(
    ("Tom has 3 apples and buys 4. How many has he?", "3 + 4 = 7\n#### 7"),
    ("Ann reads 5 pages a day. How many in 6 days?", "5 * 6 = 30\n#### 30"),
)
GOOD = {"problem": "A train has 9 cars and loses 2 at the hill. Say what is left.", "solution": "9 - 2 = 7\n#### 7"}


def saying(value: Any, again: str | Reply = "Nine less two.\n#### 7.0") -> FakeClient:
    """A teacher that writes `value`, and `again` when it is to solve the question anew."""
    return teacher(lambda parts, request: value if parts else again)


def test_one_question_like_each_seed() -> None:
    client = saying(GOOD)
    made = LLM2LLM(model=MODEL).propose_with(client, demand(SEEDS))
    assert pairs_of(made) == [(GOOD["problem"], GOOD["solution"])] * 2
    assert [p.row["parents"] for p in made if p.row] == [[s["id"]] for s in SEEDS]


def test_generated_rows_are_never_expanded() -> None:
    client = saying(GOOD)
    generated = prompt_answer_row("Made by a model?", "Yes.", parents=["somebody"], made_by="llm2llm")
    from_nothing = prompt_answer_row("Made of no row?", "Yes.", made_by="magpie")
    assert (
        failures(LLM2LLM(model=MODEL).propose_with(client, demand([generated, from_nothing])))
        == ["a generated row is not expanded"] * 2
    )
    assert client.requests == []


def test_attempts_of_one_row_are_capped_and_billed() -> None:
    client = saying({"problem": SEEDS[0]["messages"][0]["content"], "solution": "#### 7"})

    class InProcess(LLM2LLM):
        def propose(self, demand: Demand) -> list[Proposal]:
            return self.propose_with(client, demand)

    terms = Terms(rows=10, visits=10, wave=1, least_yield=0.0)
    done = fulfil(InProcess(model=MODEL, attempts=3), [], SEEDS[:1], terms, Surroundings(), 0)
    assert len(client.requests) == 3 == sum(len(e.proposal.replies) for e in done.entries)
    assert [e.reason for e in done.entries] == ["copy of its seed"] * 3 + ["attempts used up"] * 7
    assert len({r.sample for r in client.requests}) == 3


def test_the_form_of_the_answer_is_that_of_the_seed() -> None:
    unmarked = saying({**GOOD, "solution": "Nine less two\nis seven, as everybody knows."})
    assert failures(LLM2LLM(model=MODEL).propose_with(unmarked, demand(SEEDS[:1]))) == [FORM]
    short = saying({**GOOD, "solution": "9 - 2 is sev"})
    assert failures(LLM2LLM(model=MODEL).propose_with(short, demand(SEEDS[:1]))) == [FORM]
    free = seeds(("Why is the sky blue?", "Light is scattered,\nand blue light more than red."))
    assert len(pairs_of(LLM2LLM(model=MODEL).propose_with(unmarked, demand(free)))) == 1


def test_a_second_solution_must_agree_and_is_billed() -> None:
    one = demand(SEEDS[:1])
    for again, why in [("#### 8", DISAGREE), ("It is\nseven.", DISAGREE), (Reply(Outcome.REFUSED), "refused")]:
        (made,) = LLM2LLM(model=MODEL).propose_with(saying(GOOD, again), one)
        assert (failures([made]), len(made.replies)) == ([why], 2)
    client = saying(GOOD, "#### 8")
    assert len(pairs_of(LLM2LLM(model=MODEL, agree=0).propose_with(client, one))) == 1
    client = saying(GOOD)
    (made,) = LLM2LLM(model=MODEL, agree=3).propose_with(client, one)
    assert len(made.replies) == 4 == len(client.requests)
    assert len({r.sample for r in client.requests[1:]}) == 3
    assert user_text(client.requests[1]) == GOOD["problem"]


def test_failures_and_empty_rows() -> None:
    method = LLM2LLM(model=MODEL)
    assert failures(method.propose_with(saying(Reply(Outcome.TRUNCATED)), demand(SEEDS))) == ["truncated"] * 2
    assert failures(method.propose_with(saying({"problem": "x"}), demand(SEEDS))) == ["malformed"] * 2
    assert failures(method.propose_with(saying(GOOD), demand(seeds(("q", ""))))) == ["no question with an answer"]
