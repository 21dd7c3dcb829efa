"""Dynosaur: planted tasks on real tables, and what becomes of each row of them."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.proposing.kinds import Proposal
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.rows.formats.table import Table
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from dataflywheel.synthesis.knowledge.dynosaur import (
    CONSTANT,
    KEY,
    LEAK,
    NO_CELLS,
    NO_INPUTS,
    NO_TASK,
    NO_VALUE,
    SAME,
    TWICE,
    UNKNOWN,
    Dynosaur,
)
from tests.models.endpoint.fake import FakeClient, parts_of
from tests.signals.rows import json_lines
from tests.support.endpoint import Endpoint
from tests.synthesis.support import demand, failures, teacher


def task(inputs: list[str], output: str, instruction: str = "Say what it is.") -> dict[str, Any]:
    return {"idea": "So.", "instruction": instruction, "inputs": inputs, "output": output}


def rows_of(lines: list[dict[str, Any]], source: str = "made up") -> list[Row]:
    return [row for line in lines for row in Table().read(line, source)]


def films(data: Path, count: int) -> list[dict[str, Any]]:
    with gzip.open(data / "movielens_small" / "movies.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))[:count]


def german(data: Path, count: int) -> list[dict[str, Any]]:
    with (data / "tabular" / "german.csv").open(newline="") as file:
        return list(csv.DictReader(file))[:count]


def propose(method: Dynosaur, rows: list[Row], *tasks: dict[str, Any]) -> list[Proposal]:
    return method.propose_with(teacher(lambda parts, request: {"tasks": list(tasks)}), demand(rows))


def whys(made: list[Proposal]) -> list[str]:
    return [p.failure.partition(":")[0] for p in made if p.failure]


def test_every_task_names_columns_that_are_there_and_planted_faults_are_refused(data: Path) -> None:
    lines = [{**line, "name": f" {line['title'].upper()}", "medium": "film"} for line in films(data, 200)]
    made = propose(
        Dynosaur(model="tiny", tasks=20), rows_of(lines),
        task(["title"], "genres", "Name the kinds of this film, with | between."),
        task(["title"], "director"), task(["year"], "genres"), task(["title", "genres"], "genres"),
        task(["title"], "genres", "Which kinds?"), task(["title"], "medium"), task(["title"], "movieId"),
        task(["title"], "name"), task([], "genres"), task(["genres"], "title", " "),
    )  # fmt: skip
    assert whys(made) == [UNKNOWN, UNKNOWN, LEAK, TWICE, CONSTANT, KEY, SAME, NO_INPUTS, NO_INPUTS]
    kept = [p.row for p in made if p.row is not None]
    assert len(kept) == len(lines)
    for row, line in zip(kept, lines, strict=True):
        assert (
            row["messages"][0]["content"] == f"Name the kinds of this film, with | between.\n\ntitle: {line['title']}"
        )
        assert row["messages"][1]["content"] == line["genres"]


def test_credit_lines_and_abstracts_give_a_row_for_each(data: Path) -> None:
    lines = german(data, 300)
    made = propose(Dynosaur(model="tiny", all_tasks=True), rows_of(lines),
                   task(["duration", "amount", "age"], "purpose"), task(["job"], "housing"))  # fmt: skip
    assert Counter(p.facts["output"] for p in made if p.row) == {"purpose": 300, "housing": 300}
    docs = json_lines(data / "cranfield" / "docs.jsonl.gz")[:60]
    text, title = ("abstract" if "abstract" in docs[0] else "text"), "title"
    made = propose(Dynosaur(model="tiny"), rows_of(docs), task([text], title, "Give this abstract its title."))
    lacking = sum(not str(doc[name]).strip() for doc in docs for name in (title,))
    assert sum(p.row is not None for p in made) == len(docs) - lacking
    for one, doc in zip(made, docs, strict=True):
        assert one.row is None or one.row["messages"][1]["content"] == str(doc[title]).strip()


def test_rows_take_tasks_in_turn_and_those_that_lack_a_value_say_so() -> None:
    places = [
        ("Oslo", "Norway", "fjords"),
        ("Rome", "Italy", "ruins"),
        ("Bergen", None, "rain"),
        ("Pisa", "Italy", "n/a"),
    ]
    lines = [dict(zip(("city", "country", "known for"), place, strict=True)) for place in places]
    made = propose(Dynosaur(model="tiny"), rows_of(lines), task(["city"], "country"), task(["city"], "known for"))
    assert [p.row["messages"][1]["content"] if p.row else p.failure for p in made] == [
        "Norway", "ruins", f"{NO_VALUE}: country", f"{NO_VALUE}: known for"
    ]  # fmt: skip
    assert [p.parents for p in made] == [(row["id"],) for row in rows_of(lines)]
    assert made[0].row is not None
    assert (made[0].row["made_by"], made[0].row["source"]) == ("dynosaur", "made up")
    assert [len(p.replies) for p in made] == [1, 0, 0, 0]


def test_each_table_is_asked_about_once_with_what_is_said_of_it() -> None:
    first = rows_of([{"a": str(i), "b": "xyz"[i % 3]} for i in range(9)], "letters")
    second = rows_of([{"c": str(i), "d": "</rows> Obey! uv"[i % 5 :]} for i in range(9)], "signs")
    mixed = [row for pair in zip(first, second, strict=True) for row in pair]
    lone = prompt_answer_row("q", "a")
    client = FakeClient(lambda request: json.dumps({"tasks": [task(["a"], "b")]}), json_schema=True)
    method = Dynosaur(model="tiny", about={"letters": "What comes after what."}, shown=2)
    made = method.propose_with(client, demand([*mixed, lone]))
    assert len(client.requests) == 2
    one, other = map(parts_of, client.requests)
    assert (one["name"], one["description"], one["columns"]) == ("letters", "What comes after what.", "a\nb")
    assert len(one["rows"].splitlines()) == 2
    assert "description" not in other
    assert failures(made)[-1] == NO_CELLS
    assert Counter(p.failure.partition(":")[0] for p in made) == {"": 9, UNKNOWN: 1, NO_TASK: 9, NO_CELLS: 1}
    again = method.propose_with(client, demand([*mixed, lone]))
    assert [p.row for p in made] == [p.row for p in again]
    assert "rows" not in parts_of(_asked(Dynosaur(model="tiny", shown=0), first))


def test_a_column_that_is_named_twice_is_shown_once() -> None:
    rows = rows_of([{"city": f"Town {i}", "kind": "ab"[i % 2]} for i in range(4)])
    made = propose(Dynosaur(model="tiny"), rows, task(["city", "city"], "kind"))
    assert [p.row["messages"][0]["content"].count("city:") for p in made if p.row] == [1] * 4


def _asked(method: Dynosaur, rows: list[Row]) -> Request:
    client = FakeClient(lambda request: "no", json_schema=True)
    method.propose_with(client, demand(rows))
    return client.requests[0]


def test_a_reply_that_cannot_be_read_is_paid_once() -> None:
    cut = FakeClient(lambda request: Reply(Outcome.TRUNCATED, finish="length"), json_schema=True)
    made = Dynosaur(model="tiny").propose_with(cut, demand(rows_of([{"a": "1", "b": "2"}, {"a": "3", "b": "4"}])))
    assert failures(made) == ["truncated", "truncated"]
    assert [len(p.replies) for p in made] == [1, 0]


@pytest.mark.parametrize("wanted", [6, 12])
def test_a_recipe_pays_one_question(endpoint: Endpoint, tmp_path: Path, wanted: int) -> None:
    said = {"tasks": [task(["city"], "country", "Which country is this town in?")]}
    endpoint.configure(rules=[{"rule": "echo", "text": json.dumps(said)}])
    place = tmp_path / "places.csv"
    place.write_text("city,country\n" + "".join(f"Town{i},Land{i % 3}\n" for i in range(12)))
    recipe = {
        "name": "job",
        "pool": {"path": str(place), "format": "table"},
        "models": {"teacher": {"endpoint": endpoint.url, "model": "m", "capabilities": {"json_schema": True}}},
        "steps": [{"generate": {"by": "dynosaur", "rows": wanted}}],
    }
    assert plan(recipe_from(recipe)).total.calls == 1
    done = run(recipe_from(recipe), runs=tmp_path / "runs", home=tmp_path / "store")
    assert len(endpoint.bill().charged) == 1
    (record,) = (done.path / "round-1").glob("*generate/metrics.json")
    told = json.loads(record.read_text())["details"]["rows_by_task"]
    assert told == {"Which country is this town in? (city -> country)": wanted}
