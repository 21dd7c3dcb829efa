"""The data set tells where its rows come from and who made them, and says so again when it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import dataflywheel as fw
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.report.card.card import write_card
from dataflywheel.rows.diff import diff
from dataflywheel.rows.reading import read_file
from dataflywheel.rows.schema import Row
from tests.support.endpoint import Endpoint

KEYS = ["id", "source", "made_by", "model", "parents", "round", "copies"]
PERSON = "Write to jane.doe@example.org about it"
SAID = {"prompt": "Why is the sea salt?", "answer": "Rivers bring salt to it, and the water leaves without it."}


def pools(folder: Path) -> list[dict[str, Any]]:
    """Two files; a row with an address in its prompt, and one that stands twice."""
    river = ("Name a river.", "The Rhine.")
    lines = {
        "one": [(f"{PERSON}: what is owed?", "Nothing."), river, river],
        "two": [(f"What is {n} and {n}?", f"It is {2 * n}.") for n in range(4)],
    }
    for name, pairs in lines.items():
        text = "".join(json.dumps({"prompt": prompt, "completion": said}) + "\n" for prompt, said in pairs)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    return [{"path": str(folder / f"{name}.jsonl")} for name in lines]


def done(folder: Path, name: str, steps: list[Any], **more: Any) -> Path:
    given = {"name": name, "pool": pools(folder), "steps": steps, **more}
    return run(recipe_from(given), runs=folder / "runs", home=folder / "home").path


def records(run: Path) -> list[dict[str, Any]]:
    files = sorted((run / "dataset").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def rows(path: Path) -> dict[str, Row]:
    found: list[Row] = read_file(str(path))[0].to_pylist()
    return {row["id"]: row for row in found}


REDACT = {"enhance": {"by": "redact_personal_data"}}


def write(endpoint: Endpoint) -> tuple[dict[str, Any], dict[str, Any]]:
    """A step that writes one row, and the model that is asked for it."""
    endpoint.configure(rules=[{"rule": "echo", "text": json.dumps(SAID)}])
    step = {"generate": {"by": {"ask_for_rows": {}}, "rows": 1, "gates": ["refusal"]}}
    return step, {"teacher": {"endpoint": endpoint.url, "model": "writer"}}


def test_every_record_tells_its_source_method_model_and_parents(endpoint: Endpoint, tmp_path: Path) -> None:
    step, models = write(endpoint)
    path = done(tmp_path, "whole", [step, REDACT], models=models)
    found = records(path)
    assert [list(one["flywheel"]) for one in found] == [KEYS] * 7
    by_made = {name: [one for one in found if one["flywheel"]["made_by"] == name] for name in
               ("", "redact_personal_data", "ask_for_rows")}  # fmt: skip
    assert [len(one) for one in by_made.values()] == [5, 1, 1]
    assert {one["flywheel"]["source"] for one in by_made[""]} == {"one", "two"}
    assert sorted(one["flywheel"]["copies"] for one in by_made[""]) == [1, 1, 1, 1, 2]
    (written,), (redacted,) = by_made["ask_for_rows"], by_made["redact_personal_data"]
    ids = rows(tmp_path / "one.jsonl") | rows(tmp_path / "two.jsonl")
    assert (written["flywheel"]["model"], redacted["flywheel"]["model"]) == ("writer", "")
    assert written["flywheel"]["parents"] in ids
    assert PERSON in ids[redacted["flywheel"]["parents"]]["messages"][0]["content"]
    assert not any("jane.doe" in json.dumps(one) for one in found)
    card = write_card(path)
    assert card is not None
    text = card.read_text(encoding="utf-8")
    assert "## Where each row comes from" in text
    assert "taken out of a row by `redact_personal_data`" in text


@pytest.mark.parametrize("format", ["messages", "trl", "llamafactory", "axolotl"])
def test_what_is_read_back_is_the_same_with_its_sources(endpoint: Endpoint, tmp_path: Path, format: str) -> None:
    step, models = write(endpoint)
    path = done(tmp_path, "first", [step], models=models, format=format)
    (last,) = path.glob("round-1/01-generate")
    there = {row["id"]: row for row in read_file(str(last / "rows"))[0].to_pylist()}
    back = rows(path / "dataset")
    assert len(back) == len(read_file(str(path / "dataset"))[0]) == len(there)
    facts = ("source", "made_by", "parents", "round", "copies")
    assert {id: [row[key] for key in facts] for id, row in back.items()} == {  # type: ignore[literal-required]
        id: [row[key] for key in facts] for id, row in there.items()
    }
    more = {"pool": {"path": str(path / "dataset")}, "format": format}
    again = done(tmp_path, "again", ["deduplicate"], **more)
    assert sorted(map(json.dumps, records(again))) == sorted(map(json.dumps, records(path))), "nothing is doubled"


def test_trainers_load_the_column_however_it_is_cut(endpoint: Endpoint, tmp_path: Path) -> None:
    """The kinds of the first records are those of all: no list that is empty at first, and no null."""
    datasets = pytest.importorskip("datasets")
    step, models = write(endpoint)
    path = done(tmp_path, "loaded", [step], models=models, format="trl")
    file = next((path / "dataset").glob("*.jsonl"))
    loaded = datasets.Dataset.from_json(str(file), cache_dir=str(tmp_path / "cache"), chunksize=300)
    assert [row["flywheel"] for row in loaded] == [one["flywheel"] for one in records(path)]


def test_a_redacted_row_is_a_changed_one_of_its_source(tmp_path: Path) -> None:
    before, after = done(tmp_path, "before", ["deduplicate"]), done(tmp_path, "after", ["deduplicate", REDACT])
    found = diff(str(before), str(after))
    assert (found.in_both, found.changed, found.only_in_a, found.only_in_b) == (5, 1, 0, 0)
    assert found.by_source == {
        "one": {"in_both": 1, "only_in_a": 0, "only_in_b": 0, "changed": 1},
        "two": {"in_both": 4, "only_in_a": 0, "only_in_b": 0, "changed": 0},
    }
    (change,) = found.examples["changed"]
    assert "jane.doe@example.org" in change["prompt"]
    assert "jane.doe@example.org" not in change["other_prompt"]


def test_a_recipe_switches_it_off(tmp_path: Path) -> None:
    path = done(tmp_path, "bare", ["deduplicate"], origins=False)
    assert not any("flywheel" in one for one in records(path))
    assert "Where each row comes from" not in write_card(path).read_text(encoding="utf-8")  # type: ignore[union-attr]
    options = {"runs": tmp_path / "runs", "home": tmp_path / "home"}
    picked = fw.select(str(tmp_path / "two.jsonl"), "longest", 2, origins=False, **options)
    assert not any("flywheel" in one for one in picked.run.rows)


def test_who_rewrote_a_row_is_told_whatever_tidied_it_up(endpoint: Endpoint, tmp_path: Path) -> None:
    """A row that a model wrote and a cleaner then changed was written by that model still."""
    step, models = write(endpoint)
    mail = {**SAID, "answer": "Ask jane.doe@example.org, who knows a good deal about salt."}
    endpoint.configure(rules=[{"rule": "echo", "text": json.dumps(mail)}])
    (made,) = [
        one for one in records(done(tmp_path, "tidied", [step, REDACT], models=models)) if "salt" in json.dumps(one)
    ]
    assert (made["flywheel"]["made_by"], made["flywheel"]["model"]) == ("redact_personal_data", "writer")


def test_what_somebody_else_calls_flywheel_stays_theirs(tmp_path: Path) -> None:
    for ours in ({"parents": 3}, {"source": ["a"]}, {"copies": "two"}, {"model": None, "owner": "me"}):
        line = {"prompt": "Why?", "completion": "So.", "flywheel": ours}
        (tmp_path / "own.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
        (row,) = rows(tmp_path / "own.jsonl").values()
        assert (row["source"], row["parents"], row["copies"]) == ("own", [], 1)
        fw.convert(str(tmp_path / "own.jsonl"), str(tmp_path / "out.jsonl"), "jsonl")
        assert json.loads((tmp_path / "out.jsonl").read_text(encoding="utf-8")) == line
