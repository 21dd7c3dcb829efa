"""A selection without a recipe: each request has a run of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataflywheel.recipe.select import select
from tests.recipe.jobs import write_pool


def test_another_budget_leaves_the_first_selection_alone(tmp_path: Path) -> None:
    pool = str(write_pool(tmp_path))
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    first = select(pool, "longest", 5, **where)
    lines = (first.path / "dataset" / "train.jsonl").read_text().splitlines()
    others = [select(pool, "longest", keep, **where) for keep in ("3%", "900 tokens")]
    others += [select(pool, "longest", 5, per="tag", **where), select(pool, "longest", 5, then="random", **where)]
    assert len({result.path for result in [first, *others]}) == 5
    assert (first.path / "dataset" / "train.jsonl").read_text().splitlines() == lines
    assert len(lines) == 5


@pytest.mark.parametrize(
    ("keep", "then", "name"),
    [
        (7, None, "select-pool-longest-7"),
        ("2.5%", None, "select-pool-longest-2.5-percent"),
        ("900 tokens", {"random": {}}, "select-pool-longest-random-900-tokens"),
    ],
)
def test_the_run_is_named_after_what_was_asked(tmp_path: Path, keep: Any, then: Any, name: str) -> None:
    found = select(str(write_pool(tmp_path)), "longest", keep, then=then, runs=tmp_path / "r", home=tmp_path / "s")
    assert found.path == tmp_path / "r" / name
