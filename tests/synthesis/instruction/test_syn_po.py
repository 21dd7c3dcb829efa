"""SynPO with a scripted improver: chosen and rejected differ, gaps are recorded, keywords come from two seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dataflywheel.contracts import PoolStatistics
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.spec import ModelSpec
from dataflywheel.synthesis.instruction.syn_po import IMPROVE, PROMPT, SynPO
from tests.models.endpoint.fake import FakeClient, system_text, user_text
from tests.signals.rating.support import MODEL
from tests.synthesis.support import demand, failures, seeds, teacher

SEEDS = seeds(
    ("Describe mountains and glaciers.", "Mountains carry glaciers."),
    ("Explain violins and trumpets.", "Violins have strings."),
    ("Compare tomatoes with cucumbers.", "Tomatoes turn red."),
)


def scripted(improve: Any = None, draft: Any = None, mark: Callable[[str], int] = len) -> FakeClient:
    def write(parts: dict[str, str], request: Request) -> Any:
        if "0 (useless)" in system_text(request):
            return {"reasons": "So.", "score": min(10, mark(parts["answer"]))}
        if "keywords" in parts:
            return {"prompt": f"Write about {parts['keywords']}."}
        if "answer" in parts:
            return {"answer": f"{parts['answer']} And that is better."} if improve is None else improve
        return f"A draft for: {user_text(request)}" if draft is None else draft

    return teacher(write)


def test_every_pair_has_two_answers_and_their_gap() -> None:
    made = SynPO(model=MODEL, least_gap=0).propose_with(scripted(), demand(SEEDS))
    assert failures(made) == []
    for proposal, seed in zip(made, SEEDS, strict=True):
        row = proposal.row
        assert row is not None
        assert row["rejected"] is not None
        chosen, rejected = row["messages"][-1]["content"], row["rejected"][0]["content"]
        assert chosen == f"{rejected} And that is better." != rejected
        assert proposal.facts["length_gap"] == len(chosen.split()) - len(rejected.split()) == 4
        assert (row["parents"], row["made_by"]) == ([seed["id"]], "syn_po")
        assert proposal.shown == (PROMPT, IMPROVE)
        assert len(proposal.replies) == 3


def test_keywords_are_two_of_the_seed_and_one_of_another() -> None:
    client = scripted()
    SynPO(model=MODEL, least_gap=0).propose_with(client, demand(SEEDS))
    texts = [" ".join(m["content"] for m in seed["messages"]).casefold() for seed in SEEDS]
    prompts = [user_text(r).split("\n") for r in client.requests[:3]]
    for own, lines in enumerate(prompts):
        words = next(line for line in lines if line.count(", ") == 2).split(", ")
        assert len(set(words)) == 3
        assert [sum(word in text for text in texts) for word in words] == [1, 1, 1]
        assert [word in texts[own] for word in words] == [True, True, False]


def test_the_rejected_answer_is_the_earlier_models() -> None:
    earlier = FakeClient(lambda request: "The old answer.")
    made = SynPO(model=MODEL, earlier=MODEL, least_gap=0).propose_between(scripted(), earlier, demand(SEEDS))
    assert {p.row["rejected"][0]["content"] for p in made if p.row and p.row["rejected"]} == {"The old answer."}
    assert len(earlier.requests) == 3


def test_equal_answers_and_failed_calls_are_no_pairs() -> None:
    method = SynPO(model=MODEL, least_gap=0)
    same = method.propose_with(scripted(improve={"answer": " a  draft\n"}, draft="a draft"), demand(SEEDS))
    assert failures(same) == ["chosen and rejected are equal"] * 3
    assert failures(method.propose_with(scripted(draft=" "), demand(SEEDS))) == ["empty answer"] * 3
    assert failures(method.propose_with(scripted(draft=Reply(Outcome.FILTERED)), demand(SEEDS))) == ["filtered"] * 3
    assert failures(method.propose_with(scripted(improve=Reply(Outcome.REFUSED)), demand(SEEDS))) == ["refused"] * 3
    assert failures(method.propose_with(scripted(), demand(seeds(("a b", "c d"))))) == ["no keywords"]


def test_two_runs_are_alike() -> None:
    first, second = (
        [p.row for p in SynPO(model=MODEL, least_gap=0).propose_with(scripted(), demand(SEEDS))] for _ in range(2)
    )
    assert first == second


def test_the_earlier_model_is_paid_at_its_own_price() -> None:
    def priced(output: float) -> ModelSpec:
        price = {"in": 0.0, "out": output}
        return ModelSpec.model_validate({"endpoint": "http://localhost/v1", "model": "m", "usd_per_mtok": price})

    pool = PoolStatistics(rows=100, chars=4000, tokens=1000)
    both, first = (SynPO(model=priced(3), earlier=e, least_gap=0).estimate(pool) for e in (priced(9), None))
    assert first.usd == pytest.approx(300 * 300 * 3 / 1e6)
    assert both.usd == pytest.approx((200 * 300 * 3 + 100 * 300 * 9) / 1e6)
    assert both.calls == first.calls == 300


def test_an_improvement_that_the_judge_does_not_see_is_no_pair() -> None:
    def mark(answer: str) -> int:
        better = "better" in answer
        return 5 + 2 * better if "glaciers" in answer else 5 + better if "violins" in answer else 5

    for gap, kept in ((1, [True, True, False]), (2, [True, False, False])):
        client = scripted(mark=mark)
        made = SynPO(model=MODEL, least_gap=gap).propose_with(client, demand(SEEDS))
        assert [p.row is not None for p in made] == kept
        assert set(failures(made)) == {"no better, the judge's marks are too near"}
        assert [len(p.replies) for p in made] == [5, 5, 5]
        assert (made[0].facts["score"], made[0].facts["rejected_score"]) == (7, 5)
    assert SynPO(model=MODEL).calls_a_seed() == 5
