"""A run: nothing lost, nothing done twice, nothing above the budget, everything explained."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.progress import Silent
from dataflywheel.report.why import as_text, why
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.decisions import read_decisions
from dataflywheel.store.run import step_directories
from dataflywheel.store.seal import write_record
from tests.recipe.jobs import CLEAN, TRAIN, job


class Log(Silent):
    """Remembers what was reused."""

    def __init__(self) -> None:
        self.reused: dict[str, bool] = {}
        self.measured: set[str] = set()

    def advanced(self, step: str, what: str, done: int, total: int) -> None:
        self.measured.add(what)

    def finished(self, step: str, note: str, reused: bool) -> None:
        self.reused[step] = reused


def execute(folder: Path, steps: list[Any], **more: Any) -> tuple[Result, Log]:
    log = Log()
    return run(job(folder, steps, **more), runs=folder / "runs", home=folder / "store", watcher=log), log


def test_rows_in_are_rows_out_plus_decisions_at_every_step(tmp_path: Path) -> None:
    result, _ = execute(tmp_path, CLEAN)
    before: set[str] | None = None
    for step in step_directories(result.path):
        decisions = read_decisions(step / "decisions.parquet")
        out = set(read_rows(step / "rows", ["id"])["id"].to_pylist())
        ids = decisions["id"].to_pylist()
        assert len(ids) == len(set(ids))
        assert before is None or set(ids) == before
        assert out == {i for i, a in zip(ids, decisions["action"].to_pylist(), strict=True) if a != "dropped"}
        assert all(decisions["reason"].to_pylist())
        before = out
    assert result.rows_out == len(before or ())
    assert 0 < result.rows_out < result.rows_in


def test_two_runs_of_one_name_do_not_meet(tmp_path: Path) -> None:
    class Second(Log):
        told = ""

        def started(self, step: str) -> None:
            before = (tmp_path / "runs" / "job" / "plan.json").read_bytes()
            with pytest.raises(FlywheelError, match=rf"runs/job: process {os.getpid()} is at work in this run") as seen:
                execute(tmp_path, CLEAN[:1])
            self.told = str(seen.value)
            assert (tmp_path / "runs" / "job" / "plan.json").read_bytes() == before

    second = Second()
    recipe = job(tmp_path, CLEAN)
    run(recipe, runs=tmp_path / "runs", home=tmp_path / "store", watcher=second)
    assert "or take another name" in second.told
    _, log = execute(tmp_path, CLEAN)
    assert all(log.reused.values())


def test_the_same_command_again_does_nothing(tmp_path: Path) -> None:
    execute(tmp_path, CLEAN)
    _, log = execute(tmp_path, CLEAN)
    assert all(log.reused.values())
    assert not log.measured


def test_a_changed_threshold_repeats_only_what_comes_after_and_measures_nothing(tmp_path: Path) -> None:
    execute(tmp_path, CLEAN)
    changed = [*CLEAN[:2], {"filter": {"bounds": {"text.tokens_answer": [8, 300]}}}, CLEAN[3]]
    _, log = execute(tmp_path, changed)
    assert [step for step, reused in log.reused.items() if not reused] == ["03-filter", "04-select"]
    assert not log.measured


def test_the_final_data_set_is_the_last_step_in_the_asked_format(tmp_path: Path) -> None:
    from dataflywheel.rows.ingest import read_file

    result, _ = execute(tmp_path, CLEAN, format="trl")
    rows, quarantined = read_file(str(result.path / "dataset"))
    assert not quarantined
    kept = read_rows(step_directories(result.path)[-1] / "rows", ["id"])["id"].to_pylist()
    assert sorted(rows["id"].to_pylist()) == sorted(kept)


def test_planted_target_rows_never_reach_the_training_rows(tmp_path: Path) -> None:
    recipe = job(tmp_path, CLEAN)
    pool, target = Path(str(recipe.pool[0].path)), Path(str(recipe.target[0].path))
    leaks = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()[:30]]
    with pool.open("a", encoding="utf-8") as file:
        for i, leak in enumerate(leaks):
            prompt = leak["prompt"].upper() if i % 2 else "  " + leak["prompt"].replace(" ", "   ")
            file.write(json.dumps({**leak, "prompt": prompt}) + "\n")
    result = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    kept = read_rows(result.path / "round-1" / "02-decontaminate" / "rows", ["messages"])["messages"].to_pylist()
    words = {" ".join(m[0]["content"].lower().split()) for m in kept}
    assert not words & {" ".join(leak["prompt"].lower().split()) for leak in leaks}


def test_out_of_time_leaves_no_data_set(tmp_path: Path) -> None:
    result, _ = execute(tmp_path, CLEAN, budget={"hours": 1e-9})
    assert "used up before 01-deduplicate" in result.stopped
    assert result.rows_out == result.rows_in
    assert result.dataset is None
    again, _ = execute(tmp_path, CLEAN)
    assert not again.stopped
    assert again.dataset == again.path / "dataset"


@pytest.mark.slow
def test_hours_that_end_before_the_training_take_the_data_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written before hours of training, to find out early whether it can be."""
    with monkeypatch.context() as patched:
        patched.setattr(Context, "out_of_time", lambda own: own.run.step(4, "select").is_dir())
        stopped, _ = execute(tmp_path, [*CLEAN, *TRAIN], budget={"hours": 5})
    assert "the 5 hours were used up before 05-train" in stopped.stopped
    assert [path.name for path in stopped.path.glob("dataset*")] == ["dataset.partial"]
    held = (stopped.path / "dataset.partial" / "train.jsonl").read_bytes()
    whole, _ = execute(tmp_path, [*CLEAN, *TRAIN], budget={"hours": 5})
    assert [path.name for path in whole.path.glob("dataset*")] == ["dataset"]
    assert (whole.path / "dataset" / "train.jsonl").read_bytes() == held


def test_the_budget_caps_a_selection_that_asks_for_more(tmp_path: Path) -> None:
    result, _ = execute(tmp_path, CLEAN, budget={"rows": 9})
    assert result.rows_out == 9
    wider, log = execute(tmp_path, CLEAN, budget={"rows": 12})
    assert wider.rows_out == 12
    assert not log.reused["04-select"]
    with pytest.raises(UsageError, match="the budget is in tokens"):
        execute(tmp_path, CLEAN, budget={"tokens": 100})


def test_the_target_is_never_trained_on(tmp_path: Path) -> None:
    late = [CLEAN[0], CLEAN[3], CLEAN[1], *TRAIN]
    for steps in ([CLEAN[3], *TRAIN], late):
        with pytest.raises(UsageError, match="put a `decontaminate` step before"):
            execute(tmp_path, steps)


def test_hours_of_earlier_attempts_count(tmp_path: Path) -> None:
    from dataflywheel.contracts import Cost
    from dataflywheel.store.run import RunDirectory

    RunDirectory(tmp_path / "runs" / "job").ledger.enter("round-1/01-deduplicate", Cost(seconds=7200))
    result, _ = execute(tmp_path, CLEAN, budget={"hours": 1})
    assert "used up" in result.stopped


def test_why_tells_the_life_of_a_dropped_copy(tmp_path: Path) -> None:
    result, _ = execute(tmp_path, CLEAN)
    table = read_decisions(result.path / "round-1" / "01-deduplicate" / "decisions.parquet").to_pylist()
    copy = next(d for d in table if d["action"] == "dropped")
    life = why(result.path, copy["id"])
    assert life["outcome"] == "dropped"
    assert life["steps"][-1]["other"]["id"] == copy["other"]
    assert life["origin"][0]["file"].endswith("pool.jsonl")
    text = as_text(life)
    assert copy["reason"] in text
    assert f"line {life['origin'][0]['line']}" in text
    with pytest.raises(UsageError, match="no row with id or text"):
        why(result.path, "zzzz-nothing")


def test_a_pool_without_a_readable_row_is_an_error_that_says_where_to_look(tmp_path: Path) -> None:
    recipe = job(tmp_path, CLEAN)
    Path(str(recipe.pool[0].path)).write_text("{broken\n", encoding="utf-8")
    with pytest.raises(FlywheelError, match="no row could be read"):
        run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    assert (tmp_path / "runs" / "job" / "round-1" / "00-pool" / "quarantine.jsonl").exists()


def test_needs_are_checked_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="evaluate needs a target"):
        execute(tmp_path, [*CLEAN, "train", "evaluate"], target=[])
    with pytest.raises(UsageError, match=r"pool\[0\].path: .*nowhere.jsonl is not there"):
        execute(tmp_path, CLEAN, pool=[{"path": "nowhere.jsonl"}])
    with pytest.raises(UsageError, match=r"scorer: .* is not a model folder"):
        execute(tmp_path, [{"select": {"by": "ifd", "keep": 5}}], models={"scorer": {"hf": "./no-model"}})
    assert not (tmp_path / "runs").exists()


def test_another_seed_is_another_selection(tmp_path: Path) -> None:
    steps = [{"select": {"by": "random", "keep": "20%"}}]
    kept = []
    for seed in (0, 1):
        result, log = execute(tmp_path, steps, seed=seed)
        assert not log.reused["01-select"]
        kept.append(read_rows(result.path / "round-1" / "01-select" / "rows", ["id"])["id"].to_pylist())
    assert kept[0] != kept[1]


def test_a_shorter_recipe_leaves_nothing_of_the_longer_one(tmp_path: Path) -> None:
    longer, _ = execute(tmp_path, CLEAN)
    write_record(longer.path / "compare.json", {"of": "other steps"})
    dropped = read_decisions(longer.path / "round-1" / "04-select" / "decisions.parquet").to_pylist()
    row = next(d["id"] for d in dropped if d["action"] == "dropped")
    shorter, log = execute(tmp_path, CLEAN[:3])
    assert all(log.reused.values())
    assert [step.name for step in step_directories(shorter.path)][-1] == "03-filter"
    assert why(shorter.path, row)["outcome"] == "in the final data set"
    assert not (shorter.path / "compare.json").exists()


def test_what_compare_lacks_is_said_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="compare needs the steps select, train and evaluate; missing: evaluate, train"
    ):
        execute(tmp_path, CLEAN, compare=["random"])
    with pytest.raises(UsageError, match="compare: there is no selector 'longst'; did you mean 'longest'"):
        execute(tmp_path, [*CLEAN, "train", "evaluate"], compare=["random", "longst"])
    assert not (tmp_path / "runs").exists()


def test_a_step_that_drops_every_row_is_named(tmp_path: Path) -> None:
    nothing = {"filter": {"bounds": {"text.tokens_answer": [100_000, None]}}}
    with pytest.raises(FlywheelError, match=r"01-filter: no row is left of [\d,]+; loosen"):
        execute(tmp_path, [nothing, {"select": {"by": "longest", "keep": 3}}])


def test_a_killed_run_loses_no_bill(tmp_path: Path) -> None:
    result, _ = execute(tmp_path, CLEAN[:1])
    ledger = result.path / "ledger.json"
    before = json.loads(ledger.read_text())
    ledger.unlink()
    execute(tmp_path, CLEAN[:1])
    assert json.loads(ledger.read_text()) == before
