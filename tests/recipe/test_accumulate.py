"""Training sets grow, keep real rows at their heart, and hold nothing that was made too many times over."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.rounds.accumulate import accumulate, offer
from dataflywheel.rows.builder import build
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter, read_rows
from dataflywheel.rows.schema import Row
from dataflywheel.store.decisions import read_decisions
from dataflywheel.store.run import RunDirectory


def context(folder: Path, **guards: object) -> Context:
    value = {"name": "a", "pool": [{"builtin": "python_docs"}], "steps": ["evaluate"], "guards": guards}
    return Context(recipe_from(value), RunDirectory(folder / "run"), folder / "store")


def real(n: int, start: int = 0) -> list[Row]:
    return [prompt_answer_row(f"q{i}", "a") for i in range(start, start + n)]


def made(parents: list[Row], mark: str = "m") -> list[Row]:
    return [prompt_answer_row(f"{mark} {p['id']}", "a", parents=[p["id"]], made_by="writer") for p in parents]


def write(path: Path, rows: list[Row]) -> Path:
    with PartWriter(path) as writer:
        writer.write(build(rows))
    return path


def test_made_rows_beyond_the_real_share_are_left_out_last_first(tmp_path: Path) -> None:
    rows = real(6)
    new = write(tmp_path / "new", [*rows, *made(rows)])
    metrics = accumulate(context(tmp_path, real_share=0.75), None, new, 1, tmp_path / "out", "f")
    assert metrics.details == {"real": 6, "made": 2, "real_share": 0.75}
    kept = read_rows(tmp_path / "out" / "rows").to_pylist()
    assert [row["id"] for row in kept] == [row["id"] for row in [*rows, *made(rows)[:2]]]
    assert {row["round"] for row in kept} == {1}
    decisions = read_decisions(tmp_path / "out" / "decisions.parquet").to_pylist()
    assert len(decisions) == 12
    assert sum(d["reason"] == "the share of real rows would fall below 75%" for d in decisions) == 4


def test_earlier_rows_stay_and_the_share_is_that_of_the_whole(tmp_path: Path) -> None:
    first = real(4)
    one = write(tmp_path / "one", [*first, *made(first)])
    ctx = context(tmp_path)
    accumulate(ctx, None, one, 1, tmp_path / "a", "f")
    second = real(2, start=10)
    two = write(tmp_path / "two", [*second, *made(second), *made(first, "again")])
    metrics = accumulate(ctx, tmp_path / "a" / "rows", two, 2, tmp_path / "b", "f")
    assert metrics.details == {"real": 6, "made": 6, "real_share": 0.5}
    before = set(read_rows(tmp_path / "a" / "rows", ["id"])["id"].to_pylist())
    assert before < set(read_rows(tmp_path / "b" / "rows", ["id"])["id"].to_pylist())


def test_rows_made_from_made_rows_end_at_the_depth(tmp_path: Path) -> None:
    rows = real(9)
    once = made(rows[:1])
    twice = made(once, "two")
    thrice = made(twice, "three")
    new = write(tmp_path / "new", [*rows, *once, *twice, *thrice])
    metrics = accumulate(context(tmp_path), None, new, 1, tmp_path / "out", "f")
    assert metrics.details["made"] == 2
    assert metrics.counts["dropped: made 3 times over, more than 2"] == 1


def test_what_was_taken_is_not_offered_again(tmp_path: Path) -> None:
    rows = real(5)
    pool = write(tmp_path / "pool", rows)
    metrics = offer(context(tmp_path), pool, {rows[1]["id"], "unknown"}, tmp_path / "out", "f")
    assert (metrics.rows_in, metrics.rows_out) == (5, 4)
    assert rows[1]["id"] not in read_rows(tmp_path / "out" / "rows", ["id"])["id"].to_pylist()


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_wheel_without_real_rows_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(Exception, match="real_share"):
        context(tmp_path, real_share=share)


def test_a_made_row_that_was_rewritten_is_no_real_one(tmp_path: Path) -> None:
    rows = real(4)
    once = made(rows[:1])
    said_again = [prompt_answer_row("r", "a", parents=[once[0]["id"]], made_by="revision")]
    between = [write(tmp_path / "written", [*rows, *once])]
    new = write(tmp_path / "new", [*rows, *said_again])
    metrics = accumulate(context(tmp_path), None, new, 1, tmp_path / "out", "f", between)
    assert metrics.details == {"real": 4, "made": 1, "real_share": 0.8}
    over = write(tmp_path / "over", [*rows, *made(said_again, "two")])
    metrics = accumulate(context(tmp_path, depth=1), None, over, 1, tmp_path / "deep", "f", [*between, new])
    assert metrics.counts["dropped: made 2 times over, more than 1"] == 1
