"""Rows held apart: with their reason where nobody reads them who is not told to, and never in what is exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.rows.containers.find import find
from dataflywheel.rows.convert import convert

LENGTHS = [3, 40, 7, 90, 12, 55, 21, 66]


def done(folder: Path, low: int | None, high: int | None, **more: Any) -> Result:
    pool = folder / "pool.jsonl"
    lines = [{"prompt": f"Number {i}?", "completion": "a" * n, "mine": i} for i, n in enumerate(LENGTHS)]
    pool.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    steps = [{"deduplicate": {}}, {"quarantine": {"bounds": {"text.chars_answer": [low, high]}}}]
    made = {"name": "kept", "pool": [{"path": str(pool)}], "steps": steps, **more}
    return run(recipe_from(made, "made"), runs=folder / "runs", home=folder / "home")


def ids(path: Path) -> set[str]:
    return {orjson.loads(line)["flywheel"]["id"] for line in path.read_bytes().splitlines()}


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 50), st.integers(50, 100))
def test_no_export_has_a_row_that_is_held(tmp_path_factory: pytest.TempPathFactory, low: int, high: int) -> None:
    folder = tmp_path_factory.mktemp("held")
    result = done(folder, low, high)
    apart = result.path / "quarantine" / "rows.jsonl"
    wanted = {i for i, n in enumerate(LENGTHS) if not low <= n <= high}
    assert result.held_apart == len(wanted)
    if not wanted:
        assert not apart.exists()
        return
    held = [orjson.loads(line) for line in apart.read_bytes().splitlines()]
    assert {one["mine"] for one in held} == wanted
    for file in [result.path / "dataset" / "train.jsonl", *find(str(result.path)).files]:
        assert ids(file).isdisjoint(ids(apart))
    convert(str(result.path), str(folder / "out.jsonl"), "canonical")
    out = (folder / "out.jsonl").read_text()
    assert not any(f'"mine":{i},' in out or f'\\"mine\\":{i}}}' in out for i in wanted)


def test_each_row_says_which_step_holds_it_and_why(tmp_path: Path) -> None:
    result = done(tmp_path, 5, None)
    (held,) = [orjson.loads(line) for line in (result.path / "quarantine" / "rows.jsonl").read_bytes().splitlines()]
    assert (held["held_by"], held["held_for"]) == ("02-quarantine", "text.chars_answer = 3 < 5")
    assert find(str(result.path / "quarantine")).files == [result.path / "quarantine" / "rows.jsonl"]


def test_another_recipe_of_that_name_leaves_none_of_the_earlier_ones(tmp_path: Path) -> None:
    assert (done(tmp_path, 5, None).path / "quarantine").is_dir()
    assert not (done(tmp_path, 0, None).path / "quarantine").exists()
