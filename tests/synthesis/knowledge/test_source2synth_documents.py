"""Source2Synth on documents: made-up people and houses, a writer with planted faults, helpers of known accuracy."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import replace

import orjson
import pytest

from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.proposing.kinds import Proposal
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from dataflywheel.synthesis.knowledge.shared_names import bridges
from dataflywheel.synthesis.knowledge.source2synth_documents import Source2SynthDocuments
from dataflywheel.synthesis.knowledge.two_hops import (
    ALONE,
    BLURRED,
    ELSEWHERE,
    GIVEN,
    NO_EVIDENCE,
    NO_MORE,
    ONE,
    OTHER,
    TOLD,
)
from tests.models.endpoint.fake import FakeClient, parts_of
from tests.synthesis.support import demand, failures

FAULTS = {
    "names": TOLD,
    "gives": GIVEN,
    "invents": NO_EVIDENCE,
    "elsewhere": ELSEWHERE,
    "wrong": OTHER,
    "blur": BLURRED,
}
SYLLABLES = ["bor", "vel", "tan", "mir", "kas", "lun", "dor", "fen", "gal", "hos"]


def house(i: int) -> str:
    return (SYLLABLES[i % 10] + SYLLABLES[i // 10 % 10] + "ik").title() + " Works"


def documents(count: int) -> list[Row]:
    """A person and a house each; the person's document says where they worked, the other one when it was founded."""
    made = []
    for i in range(count):
        person = (SYLLABLES[(i + 3) % 10] + "a").title() + " " + (SYLLABLES[i // 10 % 10] + SYLLABLES[i % 10]).title()
        first = f"The engineer {person} was born in a village by a lake. For years {person} built pumps at {house(i)}."
        second = (
            f"In a valley stands {house(i)}, which makes pumps. It was founded in {1800 + i}, and burnt in {1950 + i}."
        )
        made += [prompt_answer_row("", first, source="wiki"), prompt_answer_row("", second, source="wiki")]
    return made


def truth(second: str) -> str:
    return second.partition("founded in ")[2][:4]


class Writer:
    """Writes one question of two steps for each pair of passages, with a planted fault at a known rate."""

    def __init__(self, error: float = 0.0, accuracy: float = 1.0, sees_name: bool = True) -> None:
        self.error, self.accuracy, self.sees_name = error, accuracy, sees_name
        self.faults: dict[str, str] = {}
        self.client = FakeClient(self.answer, json_schema=True)

    def answer(self, request: Request) -> str | Reply:
        digest = hashlib.blake2b(request.canonical("x"), digest_size=8).digest()
        draw, parts = random.Random(int.from_bytes(digest, "big")), parts_of(request)
        if "passage" in parts:
            told = (
                parts["passage"].partition(" pumps at ")[2].rstrip(".")
                if "pumps at" in parts["question"]
                else "unknown"
            )
            return orjson.dumps({"reason": "So.", "name": told}).decode()
        year = truth(parts["second passage"])
        if "name" not in parts:
            said = year if draw.random() < self.accuracy else str(int(year) + 150)
            return orjson.dumps({"reason": "So.", "answer": said}).decode()
        person = parts["first passage"].partition(" was born")[0].removeprefix("The engineer ")
        fault = draw.choice(sorted(FAULTS)) if draw.random() < self.error else ""
        asked = f"When was the house founded where {person} built pumps at work?"
        asked = asked.replace("pumps at work", "pumps at" if fault != "blur" else "things in")
        burnt = str(int(year) + 150)
        said = {
            "first": f"Where did {person} build pumps?",
            "second": f"When was {parts['name']} founded?",
            "evidence": f"It was founded in {year}, and burnt in {burnt}.",
            "answer": {"elsewhere": "1066", "wrong": burnt}.get(fault, year),
            "question": asked,
        }
        if fault == "names":
            said["question"] = f"When was {parts['name'].upper()} founded, where {person} built pumps at?"
        if fault == "gives":
            said["question"] += f" Was it {year}?"
        if fault == "invents":
            said["evidence"] = f"It was opened in {year}."
        self.faults[said["question"]] = fault
        return orjson.dumps(said).decode()


def propose(method: Source2SynthDocuments, writer: Writer, rows: list[Row], turn: int = 0) -> list[Proposal]:
    """Of the documents of people, or of all where there are others."""
    people = [row for row in rows if "engineer" in row["messages"][-1]["content"]] or rows
    return method.propose_with(writer.client, replace(demand(people, turn), every=rows))


def test_no_planted_fault_becomes_a_row_and_no_good_question_is_lost() -> None:
    rows = documents(100)
    people = rows[::2]
    writer = Writer(error=0.5)
    made = propose(Source2SynthDocuments(model="tiny"), writer, rows)
    kept = [p for p in made if p.row is not None]
    assert len(made) == len(people)
    assert all(not writer.faults[p.row["messages"][0]["content"].rpartition("\n\n")[2]] for p in kept)
    lost = Counter(p.failure.partition(":")[0] for p in made if p.row is None)
    planted = Counter(writer.faults.values())
    assert lost == {FAULTS[name]: count for name, count in planted.items() if name and count}
    for one in kept:
        assert one.row is not None
        second = one.source.partition("\n\n")[2]
        assert one.row["messages"][-1]["content"] == truth(second)
        assert one.row["parents"] == list(one.parents)
        assert len(set(one.parents)) == 2
        assert (one.row["source"], one.row["made_by"]) == ("wiki", "source2synth_documents")


@pytest.mark.parametrize("accuracy", [0.3, 0.7])
def test_good_questions_stay_as_often_as_the_helper_is_right(accuracy: float) -> None:
    rows = documents(100)
    made = propose(Source2SynthDocuments(model="tiny", attempts=2), Writer(accuracy=accuracy), rows)
    stayed = sum(p.row is not None for p in made) / len(made)
    assert abs(stayed - (1 - (1 - accuracy) ** 2)) < 0.12
    assert {p.failure for p in made if p.row is None} == {OTHER}
    alone = propose(Source2SynthDocuments(model="tiny", attempts=0), Writer(error=1), rows)
    assert {p.failure.partition(":")[0] for p in alone} == {"", TOLD, GIVEN, NO_EVIDENCE, ELSEWHERE}


def test_calls_are_those_that_were_planned_at_most() -> None:
    rows = documents(5)
    method = Source2SynthDocuments(model="tiny")
    assert method.calls_a_seed() == 5
    writer = Writer(accuracy=0)
    made = propose(method, writer, rows)
    assert [len(p.replies) for p in made] == [5] * 5
    assert Source2SynthDocuments(model="tiny", attempts=0).calls_a_seed() == 1


def test_documents_that_share_nothing_say_so_and_visits_take_the_next_name() -> None:
    rows = documents(2)
    lone = prompt_answer_row("", "A text of nobody and nothing, in small letters.")
    chinese = prompt_answer_row("", "水是一种物质。")
    method = Source2SynthDocuments(model="tiny")
    assert failures(method.propose_with(Writer().client, demand([lone, chinese, rows[0]]))) == [ALONE] * 3
    assert failures(propose(method, Writer(), [rows[0], rows[1]], turn=1)) == [NO_MORE]
    empty = prompt_answer_row("Hi", " ")
    assert failures(propose(method, Writer(), [empty])) == ["empty document"]
    cut = FakeClient(lambda request: Reply(Outcome.TRUNCATED, finish="length"), json_schema=True)
    assert failures(method.propose_with(cut, demand(rows[:2]))) == ["truncated", "truncated"]


def test_an_answer_that_the_first_passage_has_too_takes_no_second() -> None:
    first = prompt_answer_row("", "The engineer Ada Vel was born in 1800. Then Ada Vel built pumps at Borvel Works.")
    second = prompt_answer_row("", "In a valley stands Borvel Works. It was founded in 1800, and burnt in 1950.")
    assert failures(propose(Source2SynthDocuments(model="tiny"), Writer(), [first, second]))[0] == ONE


def test_rare_names_come_first_and_those_of_everybody_never() -> None:
    texts = [f"Here is The Old House of Ann{'abcdefghij'[i]} in Rome." for i in range(10)]
    texts[0] += " Then Kurt Gödel came."
    texts[1] += " It was Kurt Gödel, from Brno Town."
    texts[2] += " It was made in Brno Town."
    steps = bridges(texts)
    assert [(one.name, one.other) for one in steps[1]] == [("Kurt Gödel", 0), ("Brno Town", 2)]
    assert steps[5] == []


def test_the_same_demand_gives_the_same_questions_and_passages_may_be_left_out() -> None:
    rows = documents(4)
    one, other = Writer(), Writer()
    method = Source2SynthDocuments(model="tiny", passages=False)
    first, again = propose(method, one, rows), propose(method, other, rows)
    assert [p.row for p in first] == [p.row for p in again]
    assert [r.messages for r in one.client.requests] == [r.messages for r in other.client.requests]
    kept = [p.row for p in first if p.row is not None]
    assert kept
    assert all(row["messages"][0]["content"].startswith("When was the house") for row in kept)
