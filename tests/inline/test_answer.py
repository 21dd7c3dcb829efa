"""Answers to prompts: one for each row in the order given, the reason where there is none, nothing paid twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import dataflywheel as fw
from dataflywheel.cli.main import app
from dataflywheel.contracts import FlywheelError
from dataflywheel.recipe.progress import Silent
from dataflywheel.store.plan import Plan
from tests.evolution.judging.scripted import spec
from tests.models.copy_skill import copy_model, copy_rows
from tests.support.endpoint import Endpoint

RULES = [
    {"rule": "echo", "match": "capital of France", "text": "<think>Easy.</think>Paris."},
    {"rule": "echo", "match": "capital of Peru", "text": "Lima."},
    {"rule": "echo", "match": "blank", "text": "  "},
]


def rows() -> list[dict[str, Any]]:
    return [
        {"prompt": "What is the capital of Peru?", "completion": "I do not know.", "level": 3},
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "The capital of France?"},
            ]
        },
        {"instruction": "Say something blank.", "output": ""},
        {"prompt": "What is the capital of Peru?", "completion": "Cuzco"},
    ]


@pytest.fixture
def where(tmp_path: Path) -> dict[str, Any]:
    return {"home": tmp_path / "store", "runs": tmp_path / "runs"}


def said(row: dict[str, Any]) -> str:
    return str(row["messages"][-1]["content"])


def test_every_row_has_its_answer_or_the_reason(endpoint: Endpoint, where: dict[str, Any]) -> None:
    endpoint.configure(rules=RULES)
    found = fw.answer(rows(), spec(endpoint), **where)
    assert [said(row) for row in found.rows] == ["Lima.", "Paris.", "Lima."]
    assert [row.get("reference") for row in found.rows] == ["I do not know.", None, "Cuzco"]
    assert [row.get("level") for row in found.rows] == [3, None, None]
    assert found.rows[1]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert [(one.index, one.reason.partition(":")[0]) for one in found.unanswered] == [(2, "malformed")]
    assert (len(found), repr(found)) == (3, "3 of 4 prompts answered by m; no answer: malformed (1)")
    paid = len(endpoint.bill().charged)
    assert paid == 3  # equal prompts are one question
    again = fw.answer(rows(), spec(endpoint), **where)
    assert again.rows == found.rows
    assert len(endpoint.bill().charged) == paid
    kept = fw.answer(rows(), spec(endpoint), thoughts=True, **where)
    assert "Easy." in str(kept.rows[1]), kept.rows


def test_a_budget_leaves_prompts_without_an_answer_and_says_so(endpoint: Endpoint, where: dict[str, Any]) -> None:
    endpoint.configure(rules=RULES)
    found = fw.answer(rows(), spec(endpoint), budget={"calls": 1}, **where)
    assert found.stopped
    assert len(found) + len(found.unanswered) == 4
    assert all(one.reason for one in found.unanswered)


def test_a_folder_answers_and_the_verb_writes_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = [{"messages": row} for row in copy_rows(6, seed=9)]
    (tmp_path / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    called = ["answer", str(copy_model()), "prompts.jsonl", "--out", "a.jsonl", "--max-tokens", "16"]
    told = CliRunner().invoke(app, called)
    assert told.exit_code == 0, told.output
    assert "prompts answered by copy-skill" in told.output
    made = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    right = sum(said(one) == one["reference"] for one in made)
    assert right >= len(made) - 1 >= 4


def test_nothing_to_answer_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"foo": 1}\n', encoding="utf-8")
    with pytest.raises(FlywheelError, match="no row can be read"):
        fw.answer(str(tmp_path / "a.jsonl"), "somewhere", home=tmp_path / "s", runs=tmp_path / "r")


def test_lines_that_cannot_be_read_are_counted_where_they_stand(
    endpoint: Endpoint, where: dict[str, Any], tmp_path: Path
) -> None:
    endpoint.configure(rules=RULES)
    lines = ["{broken", json.dumps(rows()[0]), '{"prompt": ""}', json.dumps(rows()[1])]
    (tmp_path / "p.jsonl").write_text("\n".join(lines) + "\n")
    found = fw.answer(tmp_path / "p.jsonl", spec(endpoint), **where)
    assert [said(row) for row in found.rows] == ["Lima.", "Paris."]
    assert [one.index for one in found.unanswered] == [0, 2]
    assert all(one.reason.startswith("could not be read: ") for one in found.unanswered)
    assert found.unanswered[0].row == {"text": "{broken"}
    assert found.told().startswith("2 of 4 prompts answered")


def test_prompts_are_not_written_over(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.jsonl").write_text(before := json.dumps(rows()[0]) + "\n")
    done = CliRunner().invoke(app, ["answer", endpoint.url, "p.jsonl", "--model", "m", "--out", "./p.jsonl"])
    assert "the prompts are read from there" in str(done.exception)
    assert Path("p.jsonl").read_text() == before
    assert not endpoint.bill().charged


def test_a_model_that_is_trained_first_is_announced(where: dict[str, Any]) -> None:
    class StoppedError(Exception):
        pass

    class Hearing(Silent):
        def foretold(self, plan: Plan) -> None:
            (helper,) = plan.helpers
            assert helper.what == "train teacher, 1m"
            assert helper.cost.seconds > 1
            raise StoppedError

        def started(self, step: str) -> None:
            raise AssertionError(f"{step} began unannounced")

    with pytest.raises(StoppedError):
        fw.answer(rows(), "tiny", watcher=Hearing(), **where)
