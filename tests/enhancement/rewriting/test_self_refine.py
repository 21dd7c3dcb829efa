"""Self-Refine against a scripted refiner that mends one planted defect a round and at times plants others."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import PoolStatistics
from dataflywheel.enhancement.rewriting.self_refine import DRAFT, FEEDBACK, REFINE, SelfRefine
from dataflywheel.models.endpoint.account import account
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.endpoint.structured import REPAIR
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.store.answers import AnswerStore
from tests.enhancement.rewriting.support import MODEL, answer_of, demand, shown
from tests.models.endpoint.fake import FakeClient, system_text
from tests.support.endpoint import Endpoint


def row(defects: int, name: str = "a") -> Row:
    return prompt_answer_row(f"Question {name}?", f"{name}{' BUG' * defects}", source="pool", tags=["math"])


def refiner(added: Callable[[int], int] = lambda round: 0) -> FakeClient:
    """Names every BUG, scores 10 less their number, mends one a round and adds `added(round)`."""

    def answer(request: Request) -> str:
        said = {}
        text = shown(request, "answer")
        if system_text(request).startswith(FEEDBACK):
            bugs = text.count("BUG")
            return json.dumps({**said, "issues": ["a BUG is left"] * bugs, "score": max(10 - bugs, 0)})
        if system_text(request).startswith(DRAFT):
            return json.dumps({**said, "answer": "drafted BUG"})
        assert system_text(request).startswith(REFINE)
        assert shown(request, "faults").count("BUG") == text.count("BUG") > 0
        done = text.count("mended")
        return json.dumps({**said, "answer": text.replace(" BUG", " mended", 1) + " BUG" * added(done)})

    return FakeClient(answer)


def test_one_defect_a_round_until_none_is_left() -> None:
    rows = [row(k, name) for k, name in enumerate("abcd")]
    client = refiner()
    found = SelfRefine(model=MODEL).propose_with(client, demand(rows))
    assert (found[0].row, found[0].failure) == (None, "no issue")
    assert [answer_of(p) for p in found[1:]] == ["b mended", "c mended mended", "d mended mended mended"]
    # One scoring of each draft, and two calls for each round.
    assert [len(p.replies) for p in found] == [1, 3, 5, 7]
    assert len(client.requests) == 16
    assert sum(r.usd for p in found for r in p.replies) == pytest.approx(0.016)


def test_rounds_are_capped() -> None:
    client = refiner()
    (found,) = SelfRefine(model=MODEL, rounds=2).propose_with(client, demand([row(5)]))
    assert answer_of(found).count("BUG") == 3
    assert len(client.requests) == 1 + 2 * 2


def test_a_regression_never_replaces_a_better_draft() -> None:
    """The second round breaks two things: the version of the first stays; a break in the first leaves the row."""
    (kept,) = SelfRefine(model=MODEL).propose_with(refiner(lambda done: 2 * (done == 1)), demand([row(4)]))
    assert answer_of(kept) == "a mended BUG BUG BUG"
    (none,) = SelfRefine(model=MODEL).propose_with(refiner(lambda done: 2), demand([row(4)]))
    assert (none.row, none.failure) == (None, "no better version")
    (equal,) = SelfRefine(model=MODEL).propose_with(refiner(lambda done: 1), demand([row(4)]))
    assert (equal.row, len(equal.replies)) == (None, 3)


@given(st.integers(0, 6), st.lists(st.integers(0, 3), min_size=8, max_size=8), st.integers(1, 6))
def test_the_best_version_is_kept_whatever_the_refiner_does(defects: int, added: list[int], rounds: int) -> None:
    start = row(defects)
    client = refiner(lambda done: added[done])
    (found,) = SelfRefine(model=MODEL, rounds=rounds).propose_with(client, demand([start]))
    versions = [shown(r, "answer") for r in client.requests if system_text(r).startswith(FEEDBACK)]
    fewest = min(text.count("BUG") for text in versions)
    final = answer_of(found) if found.row else versions[0]
    assert final.count("BUG") == fewest <= defects
    assert final == next(text for text in versions if text.count("BUG") == fewest)
    assert len(client.requests) == len(found.replies) <= 1 + 2 * rounds


def test_pairs_and_lineage() -> None:
    start = make_row(
        [message("system", "Be kind."), message("user", "Q?"), message("assistant", "x BUG")],
        source="pool", tags=["math"], label="good", extra={"k": 1},
    )  # fmt: skip
    (found,) = SelfRefine(model=MODEL, pairs=True).propose_with(refiner(), demand([start]))
    assert found.row is not None
    assert found.row["messages"][:2] == start["messages"][:2]
    assert found.row["rejected"] == [message("assistant", "x BUG")]
    assert answer_of(found) == "x mended"
    assert (found.parents, found.before) == ((start["id"],), start)
    kept = {name: found.row[name] for name in ("source", "tags", "label", "extra", "parents", "made_by")}  # type: ignore[literal-required]
    assert kept == {
        "source": "pool", "tags": ["math"], "label": "good", "extra": '{"k":1}', "parents": [start["id"]],
        "made_by": "self_refine",
    }  # fmt: skip
    (plain,) = SelfRefine(model=MODEL).propose_with(refiner(), demand([start]))
    assert plain.row is not None
    assert plain.row["rejected"] is None


def test_a_row_without_an_answer_gets_a_draft_first() -> None:
    start = make_row([message("user", "Q?")])
    (found,) = SelfRefine(model=MODEL, pairs=True).propose_with(refiner(), demand([start]))
    assert found.row is not None
    assert answer_of(found) == "drafted mended"
    assert found.row["rejected"] == [message("assistant", "drafted BUG")]
    assert len(found.replies) == 4


def test_rows_that_cannot_be_refined_cost_nothing() -> None:
    rows = [
        make_row([message("assistant", "text alone")]),
        prompt_answer_row("Q?", "y" * 500),
        make_row([message("user", "Q?"), message("assistant", "", tool_calls="[]")]),
    ]
    client = refiner()
    found = SelfRefine(model=MODEL, max_chars=100).propose_with(client, demand(rows))
    assert [p.failure.partition(", ")[2] for p in found] == ["no instruction", "too long", "the answer calls tools"]
    assert client.requests == []


def test_failures_never_become_versions() -> None:
    def answer(request: Request) -> str | Reply:
        instructions, text = system_text(request), shown(request, "answer")
        if instructions.startswith(REPAIR):
            return "I cannot."
        if "refusing" in text:
            return Reply(Outcome.REFUSED)
        if "down" in text and instructions.startswith(REFINE):
            return Reply(Outcome.SERVER_ERROR, detail="gone")
        if "vague" in text and "mended" in text and instructions.startswith(FEEDBACK):
            return json.dumps({"issues": [], "score": 11})
        return str(refiner().answer(request))

    rows = [row(2, name) for name in ("refusing", "down", "vague", "fine")]
    found = SelfRefine(model=MODEL).propose_with(FakeClient(answer), demand(rows))
    assert [p.failure.partition(":")[0] for p in found] == ["refused", "server error", "malformed", ""]
    assert answer_of(found[3]) == "fine mended mended"


def test_every_call_is_billed_through_a_server(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "rater", "low": 0, "high": 10}])
    rows = [prompt_answer_row(f"Question {i}?", f"Answer {i}. [[truth:{i}]]") for i in range(6)]
    with closing(AnswerStore(tmp_path / "answers.db")) as store, account(store):
        can = {"json_schema": True}
        method = SelfRefine(model=ModelSpec(endpoint=endpoint.url, model="editor", capabilities=can), rounds=1)
        found = method.propose(demand(rows))
        again = method.propose(demand(rows))
    charged = endpoint.bill().charged
    replies = [reply for proposal in found for reply in proposal.replies]
    assert len(replies) == len(charged) >= 6
    assert sum(r.tokens_in + r.tokens_out for r in replies) == sum(c.tokens_in + c.tokens_out for c in charged)
    assert [(p.row, p.failure) for p in again] == [(p.row, p.failure) for p in found]


def test_every_round_is_paid_for() -> None:
    pool = PoolStatistics(rows=10, chars=4000, tokens=1000)
    one, four = (SelfRefine(model=MODEL, rounds=rounds).estimate(pool) for rounds in (1, 4))
    assert (one.calls, four.calls) == (30, 90)
    assert four.tokens == 3 * one.tokens
