"""Selecting, measuring and checking in three lines: what was kept, what was not, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import dataflywheel as fw
from dataflywheel.contracts import UsageError
from tests.evolution.judging.scripted import script, two_files
from tests.signals.rating.test_alpagasus import RATER
from tests.support.endpoint import Endpoint

SORRY = {"prompt": "How tall?", "completion": "I'm sorry, but I cannot help with that."}


def pool() -> list[Any]:
    """Rows of rising length, one that is no row, a copy, and one that JSON cannot hold."""
    rows: list[Any] = [{"prompt": f"What is <b>{i}?", "completion": f"It is {'very ' * i}{i}."} for i in range(12)]
    return [*rows, 17, dict(rows[11]), {"prompt": "a", "completion": "b", "x": object()}]


@pytest.fixture
def where(tmp_path: Path) -> dict[str, Any]:
    return {"home": tmp_path / "store", "runs": tmp_path / "runs"}


def test_a_selection_explains_itself(where: dict[str, Any]) -> None:
    rows = pool()
    found = fw.select(rows, by="longest", keep=3, **where)
    assert (len(found), found.index) == (3, [9, 10, 11])
    assert found.kept == rows[9:12]
    assert found.kept[0] is rows[9]
    why = {one.index: one.reason for one in found.dropped}
    assert sorted([*why, *found.index]) == list(range(15))
    assert why[12] == "cannot be read: expected an object, got a number"
    assert why[13] == "identical row: that at 11 stands for it"
    assert why[14].startswith("cannot be written as JSON")
    assert [one.row for one in found.dropped] == [rows[one.index] for one in found.dropped]
    assert sum(found.reasons.values()) == 12
    assert found.scores[11] > found.scores[0]
    first, second = repr(found).splitlines()
    assert first == "3 of 15 rows kept by longest"
    assert "whether that beats random choice was not measured" in second
    assert "not measured" not in repr(fw.select(rows, keep=3, **where))
    assert (found.path / "dataset").is_dir()
    assert (found.rows_out, found.as_dict()["rows_in"]) == (3, 12)
    frame, dataset = found.to_pandas(), found.to_dataset()
    assert frame.index.tolist() == [9, 10, 11]
    assert dataset["prompt"] == frame["prompt"].tolist()


def test_neither_order_nor_container_changes_what_is_kept(where: dict[str, Any], tmp_path: Path) -> None:
    pandas, datasets = pytest.importorskip("pandas"), pytest.importorskip("datasets")
    rows = [row for row in pool() if isinstance(row, dict) and "x" not in row]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n\n" for row in rows))
    frame = pandas.DataFrame(rows, index=[f"row {i}" for i in range(len(rows))])
    found = {
        name: fw.select(form, by="longest", keep=4, **where)
        for name, form in {
            "list": rows,
            "turned": rows[::-1],
            "dataset": datasets.Dataset.from_list(rows),
            "pandas": frame,
            "file": str(file),
        }.items()
    }
    ids = {name: {one.id for one in found[name].decisions if one.kept} for name in found}
    assert all(one == ids["list"] for one in ids.values())
    assert found["list"].index == found["dataset"].index == found["pandas"].index == found["file"].index
    assert found["file"].kept == found["dataset"].kept == found["list"].kept
    assert found["file"].to_pandas().equals(found["list"].to_pandas())
    assert found["pandas"].to_pandas().equals(frame.iloc[found["list"].index])
    assert len(found["dataset"].to_dataset()) == 4


def test_a_signal_is_measured_once_and_bounded_again(where: dict[str, Any]) -> None:
    rows = pool()
    found = fw.measure(rows, "text", **where)
    tokens = found["tokens_answer"]
    assert len(found) == len(tokens) == 15
    assert found.status[12:] == ("unread", "ok", "unread")
    assert tokens[13] == tokens[11]
    assert tokens[12] != tokens[12]  # NaN
    short = found.between("tokens_answer", high=tokens[3])
    assert short.kept == rows[:4]
    assert short.reasons["cannot be read"] == 1
    assert found.to_pandas().loc[12, "error"].startswith("cannot be read")
    assert "13 of 15 rows measured by text" in repr(found)
    with pytest.raises(UsageError, match="did you mean 'tokens_answer'"):
        found["token_answer"]
    with pytest.raises(UsageError, match="no numbers"):
        found.between("prompt_key", 1)
    ranked = fw.measure(rows, "longest", **where)["score"]
    assert ranked[13] == ranked[11] > ranked[0]


def test_a_gate_over_rows_and_over_pairs(where: dict[str, Any]) -> None:
    rows = pool()
    rows.insert(1, SORRY)
    found = fw.check(rows, gate="refusal", **where)
    assert found.dropped[0].row is SORRY
    assert found.dropped[0].reason == "refusal: I'm sorry, but I cannot help"
    assert found.index == [0, *range(2, 13), 14]  # a gate has nothing against a copy
    assert "&lt;b&gt;0?" in found._repr_html_()
    assert "<b>0" not in found._repr_html_()
    after = [rows[0], rows[2], rows[3]]
    pairs = [(rows[0], after[0]), (rows[0], after[1]), (17, after[2])]
    kept = fw.check(pairs, gate={"meaning": {"least": None}}, **where)
    assert kept.kept == after[:1]
    assert [one.reason.partition(":")[0] for one in kept.dropped] == ["numbers changed", "what it was before"]
    beside = fw.check(after, gate={"meaning": {"least": None}}, before=[rows[0], rows[0], 17], **where)
    assert beside.decisions == kept.decisions
    told = [{**after[0], "seen": "It is 0."}, {**after[1], "seen": "It is 0."}, after[2]]
    assert fw.check(told, gate="grounded", source="seen", **where).index == [0]
    assert fw.check([SORRY, *after], gate="novelty", against=rows[2:5], **where).index == [0]
    for wrong, said in (
        (lambda: fw.check(after, "refusal", before=rows[:2], **where), "2 rows before and 3 after"),
        (lambda: fw.check([pairs[0], after[0]], "refusal", **where), "entry 1 is no pair"),
        (lambda: fw.check(after, {"refusal": {"wrds": 1}}, **where), "did you mean 'words'"),
        (lambda: fw.check(after, "alpagasus", **where), "alpagasus is a signal, and not a gate"),
        (lambda: fw.measure(after, "refusal", **where), "no signal"),
        (lambda: fw.measure(after, "alpagasus", **where), "asks a model"),
    ):
        with pytest.raises(UsageError, match=said):
            wrong()


def test_a_signal_that_asks_is_paid_once(where: dict[str, Any], endpoint: Endpoint) -> None:
    endpoint.configure(rules=[RATER])
    teacher = {"endpoint": endpoint.url, "model": "m", "usd_per_mtok": {"in": 1, "out": 2}}
    rows = [{"prompt": f"Question {i}?", "completion": f"Answer {i}. [[truth:{i}]]"} for i in range(3)]
    first, again = (fw.measure(rows, "alpagasus", models={"teacher": teacher}, **where) for _ in range(2))
    assert first["score"].tolist() == again["score"].tolist() == [0.0, 1.0, 2.0]
    charged = endpoint.bill().charged
    assert len([line for line in charged if "Question" in line.begins]) == 3
    spent = json.loads(next(where["runs"].glob("measure-*/ledger.json")).read_text())
    assert spent["total"]["calls"] == len(charged) == 4  # with the one question whether the endpoint obeys a schema


def test_two_lists_of_answers_before_a_judge(where: dict[str, Any], endpoint: Endpoint, tmp_path: Path) -> None:
    script(endpoint)
    files = two_files(tmp_path)
    a, b = ([json.loads(line) for line in file.read_text().splitlines()] for file in files)
    model = {"endpoint": endpoint.url, "model": "m"}
    found = fw.judge(a, b, model, home=where["home"])
    assert found.win_rate["value"] == fw.judge(*files, model, home=where["home"]).win_rate["value"]
    assert repr(found).startswith("40 pairs judged by pairwise: A wins 80%")
    assert "A (list)" in found._repr_html_()
