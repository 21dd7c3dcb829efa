"""MetaMath with a teacher that errs: nothing wrong is kept, and what is asked backwards can be solved."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import orjson
import pytest

from dataflywheel.contracts import PoolStatistics, UsageError, build
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.proposing.asking import WORK
from dataflywheel.proposing.exact_numbers import evaluate
from dataflywheel.proposing.fulfil import Terms, fulfil
from dataflywheel.proposing.gates.format_and_length import FormatAndLength
from dataflywheel.proposing.gates.prompt_leak import PromptLeak
from dataflywheel.proposing.kinds import Demand, Proposal, Surroundings
from dataflywheel.recipe.prompts import prompts
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.synthesis.instruction.known_answers import NO_GOLD, gold_of, worked_of
from dataflywheel.synthesis.instruction.metamath import NO_NUMBER, REPHRASE, SAME, STATE, MetaMath
from dataflywheel.synthesis.instruction.unknowns import GIVEN_AWAY, LOST, NUMBERS, holds_letter, places_of, taken
from tests.models.endpoint.fake import FakeClient, number_of, system_text, user_text
from tests.signals.rating.support import MODEL
from tests.synthesis.support import demand, failures, pairs_of, parts_of, seeds, teacher

EGGS = seeds(("A box holds 12 eggs. How many eggs are in 3 boxes?", "Each box holds 12 eggs: 3 x 12 = 36.\n#### 36"))


def grade_school(data: Path, count: int) -> list[Row]:
    lines = gzip.decompress((data / "gsm8k" / "test.jsonl.gz").read_bytes()).splitlines()[:count]
    return [prompt_answer_row(one["question"], one["answer"]) for one in map(orjson.loads, lines)]


def svamp(data: Path, count: int) -> list[Row]:
    found = json.loads((data / "svamp" / "SVAMP.json").read_text("utf-8"))[:count]
    asked = [f"{one['Body'].strip()} {one['Question'].strip()}" for one in found]
    return [
        prompt_answer_row(text, f"{one['Answer']:.12g}", extra={"equation": one["Equation"]})
        for text, one in zip(asked, found, strict=True)
    ]


class Erring:
    """Rephrases and states by adding words, and solves: right where it does not err, by looking at the seed's text."""

    def __init__(self, rows: list[Row], error: float) -> None:
        self.rows, self.error = rows, error
        self.questions = [row["messages"][0]["content"].split() for row in rows]
        self.golds = [row["messages"][1]["content"].rpartition("####")[2].strip() for row in rows]
        self.wrong = self.right = 0

    def write(self, parts: dict[str, str], request: Request) -> Any:
        if "answer" in parts:
            return {"statement": f"It is known: {parts['question']} That comes to {parts['answer']}."}
        if parts:
            return {"question": f"Say this: {parts['question']}"}
        truth = self.truth(user_text(request))
        erring = number_of(request) % 100 < 100 * self.error
        self.wrong += erring
        self.right += not erring
        off = str(Fraction(truth.replace(",", "")) + 1) if erring else truth
        return f"I worked it out in my head.\n#### {off}"

    def truth(self, prompt: str) -> str:
        """The answer to a prompt: what stands in a seed where the prompt has a letter, or the seed's own answer."""
        said = prompt.split()
        for skip in (0, 2, 3):
            for question, gold in zip(self.questions, self.golds, strict=True):
                there = said[skip : skip + len(question)]
                other = [(a, b) for a, b in zip(question, there, strict=False) if a != b]
                if len(there) == len(question) and len(other) <= 1:
                    if not other:
                        return gold
                    head = re.match(r"[^\w]*", other[0][1])
                    found = re.match(r"[\d.,]*\d", other[0][0][len(head[0]) if head else 0 :])
                    assert found, other
                    return found[0].replace(",", "")
        raise AssertionError(prompt)


def in_process(client: FakeClient) -> type[MetaMath]:
    class InProcess(MetaMath):
        def propose(self, demand: Demand) -> list[Proposal]:
            return self.propose_with(client, demand)

    return InProcess


@pytest.mark.parametrize("source", [grade_school, svamp])
def test_of_a_teacher_that_errs_in_three_of_ten_nothing_wrong_is_kept(data: Path, source: Any) -> None:
    rows = source(data, 80)
    erring = Erring(rows, 0.3)
    client = teacher(erring.write)
    method = in_process(client)(model=MODEL)
    done = fulfil(method, [FormatAndLength(), PromptLeak()], rows, Terms(rows=10_000, visits=3), Surroundings(), 0)
    wrong = [
        p
        for p in done.accepted
        if p.row and erring.truth(p.row["messages"][0]["content"]) != p.row["messages"][1]["content"].split("#### ")[1]
    ]
    kinds = Counter(str(p.facts["kind"]) for p in done.accepted)
    reasons = Counter(entry.reason for entry in done.entries if entry.reason)
    print(f"{source.__name__}: {len(done.accepted)} rows {dict(kinds)}, {len(wrong)} wrong; lost {dict(reasons)}")
    assert wrong == []
    assert erring.wrong > 50
    assert reasons["wrong answer"] == erring.wrong
    assert set(kinds) == set(method.kinds)
    assert len(done.accepted) > 0.5 * len(done.entries)


def test_what_is_asked_backwards_is_solved_by_the_recorded_equation(data: Path) -> None:
    rows = svamp(data, 300)
    erring = Erring(rows, 0.0)
    made = MetaMath(model=MODEL, kinds=("fobar",)).propose_with(teacher(erring.write), demand(rows))
    kept = [(p, row) for p, row in zip(made, rows, strict=True) if p.row]
    assert len(kept) > 250
    for proposal, row in kept:
        equation, gold = json.loads(row["extra"])["equation"], Fraction(row["messages"][1]["content"])
        removed = Fraction(str(proposal.facts["gold"]))
        places = [m for m in re.finditer(r"\d+(?:\.\d+)?", equation) if Fraction(m[0]) == removed]
        assert places, "the number that is asked for plays a part"

        def value(unknown: Fraction, place: re.Match[str] = places[0], whole: str = equation) -> Fraction:
            return evaluate(
                f"{whole[: place.start()]}({unknown.numerator}/{unknown.denominator}){whole[place.end() :]}"
            )

        assert value(removed) == gold
        if len(places) == 1:
            assert value(removed + 1) != gold != value(removed / 2)


def test_the_three_questions_of_one_seed() -> None:
    erring = Erring(list(EGGS), 0.0)
    client = teacher(erring.write)
    made = [MetaMath(model=MODEL).propose_with(client, demand(EGGS, turn))[0] for turn in range(3)]
    by_kind = {str(p.facts["kind"]): p.row["messages"][0]["content"] for p in made if p.row}
    assert by_kind["rephrase"] == "Say this: A box holds 12 eggs. How many eggs are in 3 boxes?"
    told = " The answer to this question is known: 36. What is the value of x?"
    turned = ("A box holds x eggs. How many eggs are in 3 boxes?", "A box holds 12 eggs. How many eggs are in x boxes?")
    assert by_kind["fobar"] in [f"{one}{told}" for one in turned]
    assert by_kind["self_verification"].startswith("It is known: A box holds ")
    assert by_kind["self_verification"].endswith(" boxes? That comes to 36. What is the value of x?")
    assert {p.facts["gold"] for p in made} <= {"36", "12", "3"}
    assert [p.row and p.row["parents"] for p in made] == [[EGGS[0]["id"]]] * 3
    assert sum(len(p.replies) for p in made) == len(client.requests) == 5
    assert all(system_text(r) == WORK for r in client.requests if not parts_of(r))


@pytest.mark.parametrize(
    ("kind", "said", "why"),
    [
        ("rephrase", {"question": "In 3 boxes of 13 eggs, how many are there?"}, NUMBERS),
        ("rephrase", {"question": "A box holds 12 eggs.  How many eggs are in 3 boxes?"}, SAME),
        ("rephrase", {"question": " "}, "malformed"),
        ("rephrase", Reply(Outcome.REFUSED), "refused"),
        ("self_verification", {"statement": "A box holds 12 eggs, and 3 boxes 36."}, LOST),
        ("self_verification", {"statement": "Of x in 3 or 12 there are 36 eggs."}, GIVEN_AWAY),
        ("self_verification", {"statement": "A box holds x eggs, and 4 boxes 36."}, NUMBERS),
        ("self_verification", Reply(Outcome.TIMED_OUT), "timed out"),
    ],
)
def test_questions_that_changed_are_not_solved(kind: Any, said: Any, why: str) -> None:
    client = teacher(lambda parts, request: said)
    method = MetaMath(model=MODEL, kinds=(kind,))
    (made,) = method.propose_with(client, demand(EGGS))
    assert failures([made]) == [why]
    assert len(client.requests) == 1 == len(made.replies)
    assert method.told_of([(made, why)]) == {"kinds": {kind: {"proposed": 1, "rows": 0}}}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("It is 37.\n#### 37", "wrong answer"),
        ("I do not know, for it was not said how many there were in the other boxes,\nand so on.", "no final answer"),
        (Reply(Outcome.TRUNCATED, "It is"), "truncated"),
    ],
)
def test_solutions_that_are_not_right_fail(said: Any, why: str) -> None:
    client = teacher(lambda parts, request: {"question": "In 3 boxes of 12 eggs?"} if parts else said)
    (made,) = MetaMath(model=MODEL, kinds=("rephrase",)).propose_with(client, demand(EGGS))
    assert (failures([made]), len(made.replies)) == ([why], 2)


def test_rows_without_one_question_and_a_known_answer_cost_nothing() -> None:
    turns = [message("user", "How many are 2 and 3?"), message("assistant", "Of what?"), message("user", "Eggs.")]
    several = make_row([*turns, message("assistant", "#### 5")])
    client = teacher(lambda parts, request: {"question": "?"})
    rows = [several, *seeds(("Why does bread rise?", "Yeast makes gas."), ("", "#### 4"))]
    method = MetaMath(model=MODEL)
    alone = "not one question alone"
    assert failures(method.propose_with(client, demand(rows))) == [alone, NO_GOLD, alone]
    none = seeds(("How many legs have a cat and a bird?", "#### 6"))
    assert failures(MetaMath(model=MODEL, kinds=("fobar",)).propose_with(client, demand(none))) == [NO_NUMBER]
    assert client.requests == []


def test_the_known_answer_is_told_by_the_row() -> None:
    asked, worked = "How many are 2 and 3?", "They are 5 in all.\n#### 5"
    assert gold_of(prompt_answer_row(asked, worked)) == "5"
    assert gold_of(prompt_answer_row(asked, "Five, I think.", extra={"gold": "5"})) == "5"
    assert gold_of(prompt_answer_row(asked, "It depends.", label="5")) == "5"
    assert gold_of(prompt_answer_row(asked, worked, label="true")) == "5", "the label says that the answer was wanted"
    assert gold_of(prompt_answer_row(asked, "It depends on what is counted.")) == ""
    assert worked_of(prompt_answer_row(asked, worked, extra={"equation": "( 2.0 + 3.0 )"})) == "( 2.0 + 3.0 )"
    assert worked_of(prompt_answer_row(asked, "5")) == ""


def test_a_question_without_numbers_is_rephrased_at_each_visit() -> None:
    rows = seeds(("How many legs have a cat and a bird?", "Four and two.\n#### 6"))
    client = teacher(lambda parts, request: {"question": "A cat and a bird: how many legs?"} if parts else "#### 6")
    for turn in range(3):
        (made,) = MetaMath(model=MODEL).propose_with(client, demand(rows, turn))
        assert made.facts["kind"] == "rephrase"
    assert len({r.sample for r in client.requests}) == 3


def test_the_letter_is_one_that_the_question_does_not_use_and_other_scripts_are_taken() -> None:
    held = "If x is 3 and y is 40, what is x times y?"
    for place in places_of(held):
        found = taken(held, place)
        assert found
        assert found.unknown == "n"
        assert holds_letter(found.question, "n")
    assert taken(" ".join("xynzk") + " 5", places_of(" ".join("xynzk") + " 5")[0]) is None
    chinese = "小明有 12 个苹果,吃了 5 个,还剩几个?"
    assert [p.value for p in places_of(chinese)] == ["12", "5"]
    assert [p.value for p in places_of("Take 5kg on the 3rd day, 1.5 million times, or 1/2 of $7.50.")] == ["7.5"]


def test_a_tail_of_ones_own_must_ask_something() -> None:
    german = "Die Antwort ist {answer}. Wie groß ist {unknown}?"
    client = teacher(lambda parts, request: "#### 12")
    (made,) = MetaMath(model=MODEL, kinds=("fobar",), tail=german).propose_with(client, demand(EGGS[:1]))
    assert user_text(client.requests[0]).endswith("Die Antwort ist 36. Wie groß ist x?")
    assert made.replies
    with pytest.raises(UsageError, match="unknown"):
        build(MetaMath, {"model": MODEL, "tail": "Is it {answer}?"})


def test_the_plan_prices_what_is_asked_and_equal_demands_give_equal_rows(data: Path) -> None:
    rows = grade_school(data, 60)
    erring = Erring(rows, 0.2)
    client = teacher(erring.write)
    method = in_process(client)(model=MODEL)
    done = fulfil(method, [], rows, Terms(rows=10_000, visits=3), Surroundings(), 0)
    told = method.estimate(PoolStatistics(180, 20_000, 6_000)).calls
    assert told == 300
    assert len(client.requests) == pytest.approx(told, rel=0.1)
    again = fulfil(method, [], rows, Terms(rows=10_000, visits=3), Surroundings(), 0)
    assert [p.row for p in again.accepted] == [p.row for p in done.accepted]
    assert pairs_of(done.accepted)


def test_all_its_questions_are_shown() -> None:
    asked = [system_text(one.request)[:40] for one in prompts("metamath")]
    assert sorted(asked) == sorted([REPHRASE[:40], STATE[:40], WORK[:40]])
