"""A kind of step is one class: with nothing else touched it is planned, priced, done, resumed, told of and left out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict
from typer.testing import CliRunner

from dataflywheel.cli.foretold import foretold
from dataflywheel.cli.main import app
from dataflywheel.contracts import Cost, Decisions, PoolStatistics, UsageError
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.steps.rows_out import write_decided, write_kept
from dataflywheel.recipe.steps.step import KINDS, Given, Step
from dataflywheel.report.html import write_report
from dataflywheel.report.why import why
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.atomic import atomic_directory
from dataflywheel.store.record import StepRecord
from dataflywheel.store.run import RunDirectory
from dataflywheel.store.stopwatch import FILE


class EveryOther(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    first: bool = True


@pytest.fixture(autouse=True)
def thinning() -> Iterator[None]:
    """The toy: every other row stays."""

    @dataclass(frozen=True)
    class Thinning(Step, keyword="thin"):
        Work = EveryOther

        work: EveryOther

        def cost(self, recipe: Recipe, pool: PoolStatistics, speed: float) -> Cost:
            return Cost(seconds=pool.rows / 1000)

        def left(self, pool: PoolStatistics) -> PoolStatistics:
            return PoolStatistics(pool.rows // 2, pool.chars // 2, pool.tokens // 2)

        def do(self, given: Given) -> StepRecord:
            decisions = Decisions()
            for place, id in enumerate(read_rows(given.state.rows, ["id"])["id"].to_pylist()):
                stays = place % 2 == (0 if self.work.first else 1)
                decisions.add(id, "kept" if stays else "dropped", "in turn" if stays else "out of turn")
            with atomic_directory(given.output) as aside:
                kept = write_kept(given.state.rows, decisions, aside / "rows")
                return write_decided(aside, self.record(given, kept, Cost(seconds=0.1)), decisions)

    yield
    del KINDS["thin"]


def recipe(folder: Path, thin: dict[str, Any]) -> Recipe:
    rows = [{"prompt": f"How high is hill number {i}?", "completion": f"It is {i} metres high."} for i in range(20)]
    (folder / "pool.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    steps = [{"thin": thin}, {"select": {"by": "longest", "keep": 5}}]
    return recipe_from({"name": "toy", "pool": [{"path": str(folder / "pool.jsonl")}], "steps": steps})


def test_a_toy_kind_of_step_lives_in_its_own_class(tmp_path: Path) -> None:
    made = recipe(tmp_path, {})
    first = plan(made)["steps"][0]
    assert (first["step"], first["rows"], first["cost"]["seconds"]) == ("thin", 10, 0.02)
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    assert run(made, **where).rows_out == 5
    step = tmp_path / "runs" / "toy" / "round-1" / "01-thin"
    before = (step / "metrics.json").stat().st_mtime_ns
    assert run(made, **where).rows_out == 5
    assert (step / "metrics.json").stat().st_mtime_ns == before  # it was not done again
    run(recipe(tmp_path, {"first": False}), **where)
    assert (step / "metrics.json").stat().st_mtime_ns != before
    assert RunDirectory(tmp_path / "runs" / "toy").ledger.steps["round-1/01-thin"].seconds >= 0.1
    dropped = read_rows(tmp_path / "runs" / "toy" / "round-1" / "00-pool" / "rows", ["id"])["id"][0].as_py()
    assert "out of turn" in json.dumps(why(tmp_path / "runs" / "toy", dropped))
    page = write_report(tmp_path / "runs" / "toy").read_text(encoding="utf-8")
    assert "01-thin" in page
    assert "out of turn" in page


def test_a_step_that_nobody_prices_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = recipe(tmp_path, {})
    assert plan(made).unpriced == []
    assert "priced" not in json.dumps(plan(made).as_dict())
    monkeypatch.delattr(KINDS["thin"], "cost")
    found = plan(made)
    assert found.unpriced == ["01-thin"]
    assert found["steps"][0]["priced"] is False
    lines = foretold(found)
    assert lines[0] == "Not priced, since its class has no `cost`: 01-thin."
    (tmp_path / "toy.yaml").write_text(json.dumps(made.model_dump(mode="json", exclude_unset=True)), encoding="utf-8")
    shown = CliRunner().invoke(app, ["plan", str(tmp_path / "toy.yaml"), "--home", str(tmp_path / "store")])
    assert shown.exit_code == 0, shown.exception
    rows = {line.split("  ")[0]: line for line in shown.output.splitlines()}
    assert rows["01-thin"].endswith("not priced")
    assert "total without 01-thin" in rows
    assert "01-thin is not priced: its class has no `cost`" in shown.output


def test_the_bill_has_the_time_of_every_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted twice after waiting, then done; its last attempt alone was no longer than its own record says."""
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    name, path, kind = "round-1/01-thin", tmp_path / "runs" / "toy", KINDS["thin"]
    done = kind.do

    def waits(step: Step, given: Given) -> StepRecord:
        time.sleep(0.3)
        raise KeyboardInterrupt

    monkeypatch.setattr(kind, "do", waits)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            run(recipe(tmp_path, {}), **where)
    monkeypatch.setattr(kind, "do", done)
    run(recipe(tmp_path, {}), **where)
    bill = RunDirectory(path).ledger.steps[name]
    assert 0.6 <= bill.seconds < 20
    assert not (path / FILE).exists()
    (path / "ledger.json").unlink()  # a lost ledger is made anew of what the steps know
    run(recipe(tmp_path, {}), **where)
    assert RunDirectory(path).ledger.steps[name] == bill == StepRecord.read(path / name).cost


def test_its_parameters_are_checked_as_those_of_any_step(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"step 1, thin: .*'frist'.*first"):
        build_steps(recipe(tmp_path, {"frist": True}))
