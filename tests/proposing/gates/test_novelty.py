from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.models.spec import EmbedderSpec
from dataflywheel.proposing.gates.novelty import Novelty
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from tests.proposing.gates.proposals import check, new, pool_of
from tests.signals.rows import alpaca, json_lines
from tests.signals.words import rouge_l, words

STATIC = EmbedderSpec(builtin="static")


def answered(prompts: list[str]) -> list[Row]:
    return [prompt_answer_row(prompt, "An answer.") for prompt in prompts]


def test_pool_accepted_rows_and_the_batch_are_all_looked_at(tmp_path: Path) -> None:
    pool = answered(["Write a short poem about the sea and its many fish."])
    around = Surroundings(pool=pool_of(tmp_path / "pool", pool))
    gate = Novelty()
    (near,) = gate.check([new("Write a short poem, about the sea and its few FISH!", "x")], around)
    assert near.reason == "too similar in words"
    assert near.facts["rouge_l"] == pytest.approx(2 * 10 / 22)
    fresh = new("Name three rivers of France that flow to the west.", "x")
    assert gate.check([fresh], around)[0].passed
    assert [c.passed for c in gate.check([fresh, new("Bake bread.", "x"), fresh], around)] == [True, True, False]
    assert fresh.row is not None
    around.accepted.append(fresh.row)
    assert not gate.check([fresh], around)[0].passed
    assert gate.check([new("Bake bread.", "x")], around)[0].passed  # it was never accepted


def test_a_rewrite_may_be_near_to_the_row_it_replaces(tmp_path: Path) -> None:
    prompts = [
        "Write a short poem about the sea and its many fish.",
        "List all the rivers of France from north to south.",
    ]
    around = Surroundings(pool=pool_of(tmp_path / "pool", answered(prompts)))
    own, other = answered(prompts)
    rewritten = prompt_answer_row(prompts[0].replace("many", "few"), "An answer.")
    for before, passed in ((own, True), (other, False)):
        assert Novelty().check([Proposal((), rewritten, before=before)], around)[0].passed is passed


def test_meaning_finds_repeats_in_other_words(tmp_path: Path) -> None:
    around = Surroundings(pool=pool_of(tmp_path / "pool", answered(["How do I cook rice?"])))
    gate = Novelty(rouge_l=None, cosine=0.6, embedder=STATIC)
    repeat, fresh = new("What is the way to cook rice?", "x"), new("Who wrote the novel Emma?", "x")
    found = gate.check([repeat, fresh, fresh, new("", "x")], around)
    assert [c.reason for c in found] == ["too similar in meaning", "", "too similar in meaning", "novelty unknown"]
    assert found[0].facts["nearest_cosine"] > 0.6 > found[1].facts["nearest_cosine"]
    around.accepted.append(prompt_answer_row("Who wrote Emma, the novel?", "x"))
    assert [c.passed for c in gate.check([fresh], around)] == [False]


def test_nothing_around_makes_everything_new() -> None:
    assert check(Novelty(cosine=0.9, embedder=STATIC), new("Bake bread.", "x")).passed


def test_decisions_are_those_of_comparing_with_every_row(data: Path, tmp_path: Path) -> None:
    seeds = [r["instruction"] for r in json_lines(data / "self_instruct" / "seed_tasks.jsonl")]
    rows = [r["instruction"] for r in json_lines(data / "alpaca_libre" / "alpaca_libre_tasks_v1.jsonl.gz")[:250]]
    rows += [prompt for prompt, _ in alpaca(data)[:50]]
    around = Surroundings(pool=pool_of(tmp_path / "pool", answered(seeds)))
    decisions: list[bool] = []
    for start in range(0, len(rows), 20):
        proposals = [new(row, "x") for row in rows[start : start + 20]]
        found = [c.passed for c in Novelty().check(proposals, around)]
        around.accepted += [p.row for p, passed in zip(proposals, found, strict=True) if passed and p.row]
        decisions += found
    known, expected = [words(seed) for seed in seeds], []
    for row in map(words, rows):
        expected.append(all(rouge_l(row, other) <= 0.7 for other in known))
        if expected[-1]:
            known.append(row)
    print(f"{len(rows)} rows, {expected.count(False)} too similar")
    assert decisions == expected
    assert 20 < expected.count(False) < 200
