"""Recipes whose questions go through the provider's batch interface: a run submits and stops, a later one collects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.models.endpoint import batches
from dataflywheel.models.endpoint.openai_endpoint import OpenAIEndpoint
from dataflywheel.models.endpoint.request import Reply, Request
from dataflywheel.recipe.execute import Result
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.reading import read_file
from tests.recipe.jobs import write_pool
from tests.recipe.test_asking import PRICE, bill, done
from tests.support.endpoint import Endpoint

ROWS = 60
RULE = {"rule": "rater", "low": 0, "high": 5, "template": "$score\nBecause."}


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "PAUSE", 0.01)


async def sent_alone(self: OpenAIEndpoint, request: Request) -> Reply:
    raise AssertionError("a question went out beside the batch")


@pytest.fixture
def rater(endpoint: Endpoint) -> Endpoint:
    endpoint.configure(rules=[RULE], batches={"polls": 2})
    return endpoint


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    return write_pool(tmp_path, ROWS)


def rated(pool: Path, endpoint: Endpoint, **more: Any) -> Recipe:
    teacher = {"endpoint": endpoint.url, "model": "grader", "usd_per_mtok": PRICE, "batch": True}
    value = {
        "name": "rated",
        "pool": [{"path": str(pool)}],
        "models": {"teacher": {**teacher, "capabilities": {"batch": True, "json_schema": False}}},
        "steps": [{"select": {"by": {"rated": {"score": "alpagasus.score"}}, "keep": 20}}],
        **more,
    }
    return recipe_from(value)


def ids(result: Result) -> list[str]:
    return sorted(read_file(str(result.path / "dataset"))[0]["id"].to_pylist())


def through(recipe: Recipe, folder: Path) -> list[Result]:
    """The same command until it ends."""
    results = [done(recipe, folder)]
    while results[-1].stopped and len(results) < 10:
        results.append(done(recipe, folder))
    return results


def asked_at_once(recipe: Recipe, folder: Path) -> Result:
    """The same recipe without batches, paid for once more."""
    assert recipe.models.teacher is not None
    teacher = recipe.models.teacher.model_copy(update={"batch": False})
    models = recipe.models.model_copy(update={"teacher": teacher})
    return done(recipe.model_copy(update={"models": models}), folder / "at_once")


def test_a_run_submits_stops_and_collects_later(
    pool: Path, tmp_path: Path, rater: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = rated(pool, rater)
    with monkeypatch.context() as patched:
        patched.setattr(OpenAIEndpoint, "send", sent_alone)
        first, second, third = through(recipe, tmp_path)
    assert f"{ROWS} requests were submitted as a batch; the same command collects" in first.stopped
    assert first.rows_out == ROWS
    assert f"{ROWS} requests are left in batches" in second.stopped
    assert not third.stopped
    assert third.rows_out == 20
    paid = rater.bill()
    assert len(paid.keys) == len(paid.lines) == ROWS
    assert not paid.paid_twice
    assert bill(third)["calls"] == ROWS
    assert bill(third)["usd"] == pytest.approx(paid.usd(PRICE["in"], PRICE["out"]), abs=1e-9)
    assert ids(third) == ids(asked_at_once(recipe, tmp_path))


def test_an_expired_batch_loses_nothing(
    pool: Path, tmp_path: Path, rater: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    rater.configure(rules=[RULE], batches={"expire": 1, "expired_share": 0.6})
    recipe = rated(pool, rater)
    with monkeypatch.context() as patched:
        patched.setattr(OpenAIEndpoint, "send", sent_alone)
        results = through(recipe, tmp_path)
    assert [one.stopped.split(": ")[1].split()[0] if one.stopped else "" for one in results] == ["60", "36", ""]
    assert not rater.bill().paid_twice
    assert len(rater.bill().charged) == ROWS == bill(results[-1])["calls"]
    assert ids(results[-1]) == ids(asked_at_once(recipe, tmp_path))


def test_a_cap_holds_for_a_batch_and_more_money_goes_on(pool: Path, tmp_path: Path, rater: Endpoint) -> None:
    rater.configure(rules=[RULE])
    first, second = (done(rated(pool, rater, budget={"calls": 40}), tmp_path) for _ in range(2))
    assert "40 requests were submitted as a batch, 20 requests do not fit under the cap" in first.stopped
    assert "the cap on dollars, tokens or calls was reached with 20 requests left" in second.stopped
    assert len(rater.bill().charged) == 40 == bill(second)["calls"]
    third, fourth = through(rated(pool, rater, budget={"calls": 60}), tmp_path)
    assert "20 requests were submitted" in third.stopped
    assert fourth.rows_out == 20
    assert len(rater.bill().charged) == ROWS
    assert not rater.bill().paid_twice


def test_what_fails_in_a_batch_ends_as_it_does_at_once(tmp_path: Path, endpoint: Endpoint) -> None:
    """One row is never taken, one's answer is cut at any limit: neither keeps a run from its end."""
    endpoint.configure(rules=[RULE])
    path = tmp_path / "pool.jsonl"
    marks = ["[[fault:http_400]]", "[[fault:length]]", *(f"[[truth:{i % 6}]]" for i in range(28))]
    rows = [{"prompt": f"Question {i} {mark}", "completion": f"An answer {i}."} for i, mark in enumerate(marks)]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    recipe = rated(path, endpoint)
    results = through(recipe, tmp_path)
    said = [one.stopped.split(": ", 1)[1].split(";")[0] for one in results if one.stopped]
    assert said == ["30 requests were submitted as a batch", "1 requests were submitted as a batch"]
    assert not endpoint.bill().paid_twice
    assert len(endpoint.bill().charged) == 30 == bill(results[-1])["calls"]
    assert ids(results[-1]) == ids(asked_at_once(recipe, tmp_path))


def test_a_refused_batch_is_said_and_handed_in_again(pool: Path, tmp_path: Path, rater: Endpoint) -> None:
    rater.configure(rules=[RULE], batches={"fail": 1})
    recipe = rated(pool, rater)
    assert done(recipe, tmp_path).stopped
    with pytest.raises(FlywheelError, match=r"refused the batch: .*scripted failure"):
        done(recipe, tmp_path)
    third, fourth = through(recipe, tmp_path)
    assert f"{ROWS} requests were submitted" in third.stopped
    assert fourth.rows_out == 20
    assert len(rater.bill().charged) == ROWS


def test_an_endpoint_without_batches_is_refused_before_any_call(pool: Path, tmp_path: Path, rater: Endpoint) -> None:
    teacher = {"endpoint": rater.url, "model": "grader", "usd_per_mtok": PRICE, "batch": True}
    with pytest.raises(UsageError, match="alpagasus needs batch, which grader does not offer"):
        plan(rated(pool, rater, models={"teacher": teacher}))
    with pytest.raises(UsageError, match="alpagasus needs batch"):
        plan(rated(pool, rater, models={"teacher": {"hf": str(tmp_path), "batch": True}}))
    (probed,) = plan(rated(pool, rater), probe=5, runs=tmp_path / "runs", home=tmp_path / "store")["probe"]
    assert (probed["rows"], probed["failed"]) == (5, 0)
    assert len(rater.bill().charged) == 5  # a probe asks at once
    assert "55 requests were submitted" in done(rated(pool, rater), tmp_path).stopped
