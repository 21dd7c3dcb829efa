"""Recipes that ask a model: ratings as signals, caps, the probe, and nothing paid twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dataflywheel import api
from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.models.endpoint.progress import Progress
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.progress import Silent
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.report.html import write_report
from dataflywheel.report.why import as_text, why
from dataflywheel.rows.reading import read_file
from dataflywheel.store.record import StepRecord
from tests.support.endpoint import Endpoint

ROWS = 300
PRICE = {"in": 1.0, "out": 10.0}


@pytest.fixture
def rater(endpoint: Endpoint) -> Endpoint:
    """Grades by a rule of its own: a row without a mark gets what its id says."""
    endpoint.configure(rules=[{"rule": "rater", "low": 0, "high": 5, "template": "$score\nBecause."}])
    return endpoint


def pool(data: Path, folder: Path) -> Path:
    """The first rows of a real pool."""
    rows = pq.read_table(data / "alpaca_pool" / "alpaca_pool.parquet").slice(0, ROWS)
    path = folder / "pool.parquet"
    pq.write_table(rows, path)
    return path


def ratings(path: Path, endpoint: Endpoint, budget: dict[str, Any] | None = None, **more: Any) -> Recipe:
    value = {
        "name": "ratings",
        "pool": [{"path": str(path)}],
        "models": {"teacher": {"endpoint": endpoint.url, "model": "grader", "usd_per_mtok": PRICE}},
        "budget": budget or {},
        "steps": [
            {"filter": {"bounds": {"text.tokens_answer": [1, 500]}}},
            {"select": {"by": {"rated": {"score": "alpagasus.score"}}, "keep": 50}},
        ],
        **more,
    }
    return recipe_from(value)


def done(recipe: Recipe, folder: Path) -> Result:
    return run(recipe, runs=folder / "runs", home=folder / "store")


def bill(result: Result) -> dict[str, float]:
    ledger: dict[str, dict[str, float]] = json.loads((result.path / "ledger.json").read_text(encoding="utf-8"))
    return ledger["total"]


def test_ratings_from_a_recipe_are_paid_once(data: Path, tmp_path: Path, rater: Endpoint) -> None:
    recipe = ratings(pool(data, tmp_path), rater)
    result = done(recipe, tmp_path)
    paid = rater.bill()
    offered = result.rows_in - 0
    assert result.rows_out == 50
    assert not paid.paid_twice
    assert bill(result)["calls"] == len(paid.charged) <= offered
    assert bill(result)["tokens"] == paid.tokens_in + paid.tokens_out
    assert bill(result)["usd"] == pytest.approx(paid.usd(PRICE["in"], PRICE["out"]), abs=1e-9)
    report = write_report(result.path).read_text(encoding="utf-8")
    assert "alpagasus.score" in report
    first = sorted(read_file(str(result.path / "dataset"))[0]["id"].to_pylist())

    life = why(result.path, first[0], tmp_path / "store")
    (asked,) = life["steps"][-1]["asked"]
    (answer,) = asked["answers"]
    assert life["row"]["messages"][-1]["content"] in answer["request"]["messages"][-1]["content"]
    assert asked["usd"] == pytest.approx(answer["usd"])
    assert answer["text"] in as_text(life) or answer["text"].split("\n")[0] in as_text(life)

    again = done(recipe, tmp_path)
    shutil.rmtree(tmp_path / "runs")
    shutil.rmtree(tmp_path / "store" / "signals")  # the answers are left, and are parsed once more
    anew = done(recipe, tmp_path)
    assert len(rater.bill().charged) == len(paid.charged)
    assert sorted(read_file(str(anew.path / "dataset"))[0]["id"].to_pylist()) == first
    assert again.rows_out == anew.rows_out


def test_a_cap_stops_the_run_and_more_money_goes_on(data: Path, tmp_path: Path, rater: Endpoint) -> None:
    path = pool(data, tmp_path)
    result = done(ratings(path, rater, {"calls": 100}), tmp_path)
    assert "rows not asked about for alpagasus" in result.stopped
    assert "02-select" in result.stopped
    assert len(rater.bill().charged) == 100 == bill(result)["calls"]
    assert result.dataset == result.path / "dataset.partial"
    rows, quarantined = read_file(str(result.dataset))
    assert len(rows) == result.rows_out > 250
    assert not quarantined

    poor = done(ratings(path, rater, {"usd": bill(result)["usd"] * 1.5}), tmp_path)
    assert poor.stopped
    assert rater.bill().usd(PRICE["in"], PRICE["out"]) <= bill(result)["usd"] * 1.5 + 1e-12

    rich = done(ratings(path, rater, {"usd": 5}), tmp_path)
    assert not rich.stopped
    assert rich.rows_out == 50
    assert [path.name for path in result.path.glob("dataset*")] == ["dataset"]
    undisturbed = run(ratings(path, rater), runs=tmp_path / "others", home=tmp_path / "store")
    held = "dataset/train.jsonl"
    assert (rich.path / held).read_bytes() == (undisturbed.path / held).read_bytes()
    assert not rater.bill().paid_twice
    assert bill(rich)["usd"] == pytest.approx(rater.bill().usd(PRICE["in"], PRICE["out"]), abs=1e-9)


def test_a_budget_says_first_that_it_ended_a_run_and_leaves_no_data_set(
    data: Path, tmp_path: Path, rater: Endpoint
) -> None:
    """Neither what there is nor the result of an earlier recipe of that name stands for what was asked."""
    path = pool(data, tmp_path)
    every = {"steps": [{"filter": {"bounds": {"text.tokens_answer": [1, 500]}}}]}
    earlier = api.run(ratings(path, rater, **every), runs=tmp_path / "runs", home=tmp_path / "store")
    known = (earlier.path / "dataset" / "train.jsonl").read_bytes()
    stopped = api.run(ratings(path, rater, {"calls": 30}), runs=tmp_path / "runs", home=tmp_path / "store")
    assert not (stopped.path / "dataset").exists()
    assert (stopped.path / "dataset.earlier" / "train.jsonl").read_bytes() == known
    assert stopped.as_dict()["dataset"] == str(stopped.path / "dataset.partial")
    card = (stopped.path / "dataset.partial" / "README.md").read_text(encoding="utf-8").split("---\n", 2)[2]
    said = "Not finished: 02-select: the cap on dollars, tokens or calls was reached with"
    assert card.split("\n\n")[1].startswith(said)
    report = (stopped.path / "report.html").read_text(encoding="utf-8")
    assert f"<h1>{said}" in report
    assert "whether they are worth more" not in report
    whole = api.run(ratings(path, rater), runs=tmp_path / "runs", home=tmp_path / "store")
    assert [one.name for one in whole.path.glob("dataset*")] == ["dataset"]
    assert "Not finished" not in (whole.path / "report.html").read_text(encoding="utf-8")
    assert "Not finished" not in (whole.path / "dataset" / "README.md").read_text(encoding="utf-8")


def test_a_budget_that_ends_before_any_step_leaves_no_rows(data: Path, tmp_path: Path, rater: Endpoint) -> None:
    select = [{"select": {"by": {"rated": {"score": "alpagasus.score"}}, "keep": 50}}]
    recipe = ratings(pool(data, tmp_path), rater, {"calls": 3}, steps=select)
    result = api.run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    assert result.dataset is None
    assert not list(result.path.glob("dataset*"))
    assert "no rows were written" in (result.path / "report.html").read_text(encoding="utf-8")


REPAIRED = "malformed: the repair added '1.0', which the answer does not hold"


def about_rows(endpoint: Endpoint) -> int:
    """Questions about rows that were paid for: no repairs, and not the one whether a schema is obeyed."""
    return sum(line.begins.startswith("<instruction ") for line in endpoint.bill().charged)


def test_unreadable_answers_end_a_step_and_a_probe_before_all_rows_are_paid_for(
    data: Path, tmp_path: Path, endpoint: Endpoint
) -> None:
    endpoint.configure(rules=[{"rule": "echo", "text": "Well\x1b[31m, it depends."}])
    recipe = ratings(pool(data, tmp_path), endpoint)
    probed = {"runs": tmp_path / "others", "home": tmp_path / "other"}
    said = r"probe: alpagasus: 0 of 5 rows asked about got a readable answer: .*; the first reply: 'Well\\x1b\[31m, it"
    with pytest.raises(FlywheelError, match=said):
        plan(recipe, probe=5, **probed)
    before = about_rows(endpoint)
    told = r"02-select: alpagasus: none of the first 20 answers of .* can be read.*'Well\\x1b\[31m, it depends.'"
    with pytest.raises(FlywheelError, match=told):
        done(recipe, tmp_path)
    assert about_rows(endpoint) - before == 20
    with pytest.raises(FlywheelError, match=told):
        done(recipe, tmp_path)
    assert about_rows(endpoint) - before == 20


def test_the_probe_is_kept_and_its_interval_holds(data: Path, tmp_path: Path, rater: Endpoint) -> None:
    recipe = ratings(pool(data, tmp_path), rater)
    found = plan(recipe, probe=20, runs=tmp_path / "runs", home=tmp_path / "store")
    assert about_rows(rater) == 20
    (probed,) = found["probe"]
    assert (probed["signal"], probed["rows"], probed["failed"]) == ("alpagasus", 20, 0)
    assert found["steps"][1]["cost"]["calls"] == ROWS + 1  # and whether the endpoint obeys a schema, at most
    assert found["steps"][1]["cost"]["usd"] > 0
    result = done(recipe, tmp_path)
    paid = rater.bill()
    assert not paid.paid_twice
    assert bill(result)["calls"] == len(paid.charged)
    assert probed["tokens"]["low"] * 0.9 < paid.tokens_in + paid.tokens_out < probed["tokens"]["high"] * 1.1


def test_what_cannot_work_is_refused_before_any_call(data: Path, tmp_path: Path, rater: Endpoint) -> None:
    path = pool(data, tmp_path)
    by = [{"select": {"by": {"rated": {"score": "deita_quality.score"}}, "keep": 50}}]
    with pytest.raises(UsageError, match="deita_quality needs logprobs"):
        plan(ratings(path, rater, steps=by))
    with pytest.raises(UsageError, match="asks a model: name one"):
        plan(ratings(path, rater, models={}))
    free = {"teacher": {"endpoint": rater.url, "model": "grader"}}
    with pytest.raises(UsageError, match="price"):
        plan(ratings(path, rater, {"usd": 1}, models=free))
    secret = {"alpagasus": {"model": {**free["teacher"], "api_key": "s"}}}
    with pytest.raises(UsageError, match=r"models\.teacher"):
        plan(ratings(path, rater, signals=secret))
    assert not rater.bill().lines


def test_other_anchors_under_the_same_name_rate_anew(tmp_path: Path, endpoint: Endpoint) -> None:
    endpoint.configure(rules=[{"rule": "judge", "ties": False}])
    model = {"endpoint": endpoint.url, "model": "grader", "capabilities": {"json_schema": True}}
    anchors = tmp_path / "anchors.jsonl"
    given = {"anchors": str(anchors), "comparisons": 1, "model": model}
    steps = [{"select": {"by": {"rated": {"score": "qurating.strength"}}, "keep": 3}}]
    rows = [json.dumps({"prompt": f"Question {i}", "completion": f"[[truth:{i}]]"}) for i in range(30)]
    (tmp_path / "pool.jsonl").write_text("\n".join(rows[:12]), encoding="utf-8")
    sent = []
    for start in (12, 12, 17):
        anchors.write_text("\n".join(rows[start : start + 5]), encoding="utf-8")
        done(ratings(tmp_path / "pool.jsonl", endpoint, steps=steps, models={}, signals={"qurating": given}), tmp_path)
        sent.append(len(endpoint.bill().charged))
    assert sent == [44, 44, 88]  # 12 rows and 10 pairs of anchors, both orders


class Impatient(Silent):
    """Interrupts the process, once, while a model is asked."""

    def __init__(self) -> None:
        self.interrupted = False

    def asking(self, progress: Progress) -> None:
        if progress.in_flight and not self.interrupted:
            self.interrupted = True
            os.kill(os.getpid(), signal.SIGINT)


def test_an_interruption_stops_the_spending(data: Path, tmp_path: Path, rater: Endpoint) -> None:
    rater.configure(rules=[{"rule": "rater", "template": "$score"}], latency={"median_ms": 100})
    teacher = {"endpoint": rater.url, "model": "grader", "concurrency": 2, "usd_per_mtok": PRICE}
    recipe = ratings(pool(data, tmp_path), rater, models={"teacher": teacher})
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            run(recipe, runs=tmp_path / "runs", home=tmp_path / "store", watcher=Impatient())
    finally:
        signal.signal(signal.SIGINT, before)
    paid = rater.bill()
    assert 0 < len(paid.charged) < ROWS / 3
    entered = json.loads((tmp_path / "runs/ratings/ledger.json").read_text())["total"]
    assert entered["calls"] == len(paid.charged)  # what was under way is in the bill too
    assert entered["usd"] == pytest.approx(paid.usd(PRICE["in"], PRICE["out"]), abs=1e-9)


def test_rows_without_a_value_are_told_with_the_commonest_reason(tmp_path: Path, endpoint: Endpoint) -> None:
    """`It is 1.` is mended to the grade 1, which it holds; what a repair adds to the others counts for nothing."""
    rater = {"rule": "rater", "low": 0, "high": 5, "template": "$score\nBecause."}
    vague = [{"rule": "echo", "match": f"number {i}?", "text": f"It is {i}."} for i in (1, 2, 3)]
    refusing = {"rule": "echo", "match": "number 4?", "text": "I'm sorry, but I can't help with that request."}
    endpoint.configure(rules=[*vague, refusing, rater])
    rows = [{"prompt": f"What is number {i}?", "completion": f"[[truth:{i % 6}]]"} for i in range(9)]
    (tmp_path / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    recipe = recipe_from(
        {
            "name": "told",
            "pool": [{"path": str(tmp_path / "pool.jsonl")}],
            "models": {"teacher": {"endpoint": endpoint.url, "model": "m"}},
            "steps": [{"filter": {"bounds": {"alpagasus.score": [0, None]}, "unmeasured": "drop"}}],
        }
    )
    result = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    step = result.path / "round-1" / "01-filter"
    record = StepRecord.read(step)
    assert record.details["without_value"] == [
        {"signal": "alpagasus", "rows": 3, "of": 9, "reason": REPAIRED, "reply": "'It is 2.'"}
    ]
    (made,) = build_steps(recipe)
    assert made.note(record) == (
        f"6 of 9 rows; alpagasus: 3 of 9 rows have no value; most often: {REPAIRED}, as in the reply 'It is 2.'"
    )
