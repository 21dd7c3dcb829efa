"""InstructLab: a writer with planted faults before three judges, examples, odd replies, seeds that are lost once."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from pathlib import Path

import orjson
import pytest

from dataflywheel.contracts import FlywheelError, PoolStatistics, build
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.proposing.fulfil import Terms, fulfil
from dataflywheel.proposing.gates.faithful import Faithful
from dataflywheel.proposing.gates.relevant import Relevant
from dataflywheel.proposing.gates.well_asked import WellAsked
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from dataflywheel.synthesis.knowledge.documents import LEANS
from dataflywheel.synthesis.knowledge.instruct_lab import EARLIER, TWICE, InstructLab
from tests.models.endpoint.fake import FakeClient, parts_of, system_text
from tests.support.endpoint import Endpoint
from tests.synthesis.support import demand, failures, pairs_of, seeds, teacher

JUDGES = (
    (WellAsked, "unclear"),
    (Relevant, "elsewhere"),
    (Faithful, "unsupported"),
)


def documents(count: int) -> list[Row]:
    return [
        prompt_answer_row("", f"Town {i} has a tower of {20 + i} metres. Its river is {100 + i} km long.", tags=["geo"])
        for i in range(count)
    ]


class Writer:
    """Two pairs a document: on the tower and on the river, of which one may be unfaithful, off the point or unclear."""

    def __init__(self, error: float) -> None:
        self.error, self.planted = error, dict[tuple[str, str], str]()
        self.client = FakeClient(self.answer, json_schema=True)

    def answer(self, request: Request) -> str:
        digest = hashlib.blake2b(request.canonical("x"), digest_size=8).digest()
        draw, passage = random.Random(int.from_bytes(digest, "big")), parts_of(request)["passage"]
        town, tower, river = (int(word) for word in passage.replace(".", " ").split() if word.isdigit())
        pairs = []
        for what, number, unit in (("tower high", tower, "metres"), ("river long", river, "km")):
            fault = draw.choice(["unsupported", "elsewhere", "unclear"]) if draw.random() < self.error else ""
            asked = f"How {what.split()[1]} is the {what.split()[0]} of town {town}?"
            said = f"The {what.split()[0]} of town {town} measures {number} {unit}."
            if fault == "unsupported":
                said = said.replace(str(number), str(number + 7))
            if fault == "elsewhere":
                said = f"Town {town} has a {what.split()[0]}."
            if fault == "unclear":
                asked = f"How {what.split()[1]} is it there, {number}?"
            self.planted[asked, said] = fault
            pairs.append({"question": asked, "answer": said})
        return orjson.dumps({"pairs": pairs}).decode()


def truth(request: Request) -> str:
    """What a judge says who never errs."""
    parts = parts_of(request)
    if "answer" not in parts:
        word = "clear" if "of town" in parts["question"] else "unclear"
    elif "document" not in parts:
        word = "answers" if "measures" in parts["answer"] else "elsewhere"
    else:
        number = next((word for word in parts["answer"].split()[::-1] if word.isdigit()), "")
        word = "supported" if f" {number} " in parts["document"] else "unsupported"
    return orjson.dumps({"reason": "So.", "verdict": word}).decode()


def test_three_judges_that_never_err_let_all_good_pairs_pass_and_no_other() -> None:
    writer = Writer(0.5)
    made = InstructLab(model="tiny", questions=2).propose_with(writer.client, demand(documents(180)))
    left, lost = list(made), Counter[str]()
    assert len(left) == 360
    for kind, _ in JUDGES:
        checks = build(kind, {"model": "tiny"}).check_with(FakeClient(truth, json_schema=True), left)
        lost.update(kind.name for check in checks if not check.passed)
        left = [one for one, check in zip(left, checks, strict=True) if check.passed]
    planted = Counter(writer.planted.values())
    assert len(pairs_of(left)) == planted[""]
    assert all(not writer.planted[pair] for pair in pairs_of(left))
    assert dict(lost) == {kind.name: planted[word] for kind, word in JUDGES}


def test_rows_carry_where_they_come_from_and_the_bill_adds_up() -> None:
    writer, rows = Writer(0), documents(3)
    made = InstructLab(model="tiny", questions=2).propose_with(writer.client, demand(rows))
    assert [p.parents for p in made] == [(row["id"],) for row in rows for _ in range(2)]
    assert [len(p.replies) for p in made] == [1, 0] * 3
    for one in made:
        assert one.row is not None
        assert (one.row["made_by"], one.row["tags"], one.row["parents"]) == ("instruct_lab", ["geo"], list(one.parents))
        assert one.source.startswith("Town")
    again = InstructLab(model="tiny", questions=2).propose_with(Writer(0).client, demand(rows))
    assert [p.row for p in again] == [p.row for p in made]
    assert InstructLab(model="tiny").calls_a_seed() == len(writer.client.requests) / len(rows)


def test_examples_show_the_manner_and_later_visits_ask_for_something_else() -> None:
    writer, (row,) = Writer(0), documents(1)
    example = {"document": "A hen lays 5 eggs a week.", "question": "How many eggs does a hen lay?", "answer": "Five."}
    method = InstructLab(model="tiny", examples=[example])
    method.propose_with(writer.client, demand([row]))
    method.propose_with(writer.client, demand([row], turn=1, accepted=[
        prompt_answer_row(f"What of {i}?", "x", parents=[row["id"]]) for i in range(EARLIER + 5)
    ]))  # fmt: skip
    first, second = writer.client.requests
    assert "A hen lays 5 eggs a week." in system_text(first)
    assert "3 different questions" in system_text(first)
    assert "asked before" not in parts_of(first)
    assert parts_of(second)["asked before"].splitlines() == [f"What of {i}?" for i in range(5, EARLIER + 5)]


def test_long_documents_are_asked_about_part_by_part() -> None:
    text = "\n\n".join(f"Part {i}. " + f"Sentence number {i} of it says a thing. " * 10 for i in range(6))
    row = prompt_answer_row("", text)
    seen = []

    def write(parts: dict[str, str], request: Request) -> str:
        seen.append(parts["passage"])
        return "no"

    for turn in range(7):
        InstructLab(model="tiny", longest=500).propose_with(teacher(write), demand([row], turn=turn))
    asked = list(dict.fromkeys(seen))
    assert len(asked) > 5
    assert all(len(one) <= 500 for one in asked)


def test_each_fault_of_a_reply_has_its_reason() -> None:
    (row,) = seeds(("", "Water boils at 100 degrees."))

    def says(*pairs: tuple[str, str]) -> list[Proposal]:
        said = {"pairs": [{"question": q, "answer": a} for q, a in pairs]}
        return InstructLab(model="tiny").propose_with(teacher(lambda parts, request: said), demand([row]))

    assert failures(says(("What does the passage say?", "Water boils."))) == [LEANS]
    assert failures(says(("When does water boil?", "At 100."), ("when does  water boil", "At 100 degrees."))) == [TWICE]
    assert failures(says((" ", "At 100."))) == ["malformed"]
    assert len(pairs_of(says(*[(f"What {i}?", "x") for i in range(9)]))) == 3
    cut = FakeClient(lambda request: Reply(Outcome.TRUNCATED, finish="length"), json_schema=True)
    assert failures(InstructLab(model="tiny").propose_with(cut, demand([row]))) == ["truncated"]
    assert failures(InstructLab(model="tiny").propose_with(cut, demand(seeds(("q", " "))))) == ["empty document"]


def test_a_seed_whose_rows_were_all_turned_away_is_not_asked_about_again(endpoint: Endpoint, tmp_path: Path) -> None:
    verdict = '{"reason": "It does not say so.", "verdict": "%s"}'
    pairs = {"pairs": [{"question": "How tall is the tower of town 1?", "answer": "It is 99 metres tall."}]}
    endpoint.configure(rules=[
        {"rule": "echo", "match": "statement by statement", "text": verdict % "unsupported"},
        {"rule": "echo", "match": "Give the `reason`, and then", "text": verdict % "clear"},
        {"rule": "echo", "text": json.dumps(pairs)},
    ])  # fmt: skip
    (tmp_path / "pool.jsonl").write_text(json.dumps({"text": "Town 1 has a tower of 21 metres."}) + "\n")
    gates: list[object] = ["well_asked", "faithful"]
    recipe = {
        "name": "job",
        "pool": {"path": str(tmp_path / "pool.jsonl")},
        "models": {"teacher": {"endpoint": endpoint.url, "model": "m", "capabilities": {"json_schema": True}}},
        "steps": [{"generate": {"by": {"instruct_lab": {"questions": 1}}, "rows": 1, "gates": gates}}],
    }  # fmt: skip
    assert plan(recipe_from(recipe)).total.calls == 3
    for _ in range(2):
        run(recipe_from(recipe), runs=tmp_path / "runs", home=tmp_path / "store")
        assert len(endpoint.bill().charged) == 3
    wrong = {"document": "A.", "question": "B?", "answer": "C.", "reason": "No.", "verdict": "supported"}
    gates[:] = [{"faithful": {"examples": [wrong]}}]
    with pytest.raises(FlywheelError, match="example 1 has the verdict 'supported'"):
        run(recipe_from(recipe), runs=tmp_path / "runs", home=tmp_path / "store")


def test_no_more_documents_are_visited_than_the_wanted_rows_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pair too many would be paid three judges."""
    client = Writer(0.0).client
    monkeypatch.setattr(InstructLab, "propose", lambda self, wanted: self.propose_with(client, wanted))
    method = InstructLab(model="tiny", questions=2)
    for rows, visits in ((10, 5), (3, 2), (1, 1)):
        done = fulfil(method, [], documents(40), Terms(rows=rows), Surroundings(), 0)
        assert (len(done.accepted), len(done.entries)) == (rows, 2 * visits)
        assert method.estimate(PoolStatistics(rows, 1000, 250)).calls == visits
