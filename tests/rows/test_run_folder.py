"""A run's folder means the rows that it ended with, wherever rows are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.rows.containers.find import find
from dataflywheel.rows.convert import convert
from dataflywheel.rows.diff import diff

ROW = '{"prompt": "%s?", "completion": "Yes."}\n'


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with two rows at first and one at the end."""
    folder = tmp_path / "runs" / "mine"
    for place, rows in (("round-1/00-pool/rows/a.jsonl", "ab"), ("dataset/train.jsonl", "a")):
        (folder / place).parent.mkdir(parents=True)
        (folder / place).write_text("".join(ROW % name for name in rows))
    for name in ("recipe.yaml", "plan.json", "events.jsonl", "dataset/README.md"):
        (folder / name).write_text("{}")
    return folder


def test_only_its_result_is_read(run: Path, tmp_path: Path) -> None:
    found = find(str(run))
    assert (found.files, found.unread) == ([run / "dataset" / "train.jsonl"], [])
    told = convert(str(run), str(tmp_path / "out.jsonl"), "messages")
    assert (told["rows"], told["unread"]) == (1, [])
    assert diff(str(run), str(run / "round-1")).only_in_b == 1
    assert find(str(run.parent / "*")).files == [run / "dataset" / "train.jsonl"]


def test_one_that_is_not_finished_says_so(run: Path) -> None:
    (run / "dataset").rename(run / "dataset.partial")
    with pytest.raises(UsageError, match=r"not finished and has no data set; run its recipe again, or name .*partial"):
        find(str(run))
    assert find(str(run / "dataset.partial")).files == [run / "dataset.partial" / "train.jsonl"]


def test_a_folder_with_a_recipe_of_its_own_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("{}")
    (tmp_path / "rows.jsonl").write_text(ROW % "a")
    assert find(str(tmp_path)).files == [tmp_path / "rows.jsonl"]
