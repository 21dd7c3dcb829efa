"""What a store holds is counted to the byte, and only what was named is taken away."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.store.cleaning import AGAIN, clean, paid, size
from dataflywheel.store.lock import is_held, only_here


def write(path: Path, size: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    store = tmp_path / ".flywheel"
    write(store / "models" / "sft-1" / "model.safetensors", 100)
    write(store / "models" / ".sft-2.checkpoints-0f" / "checkpoint-5" / "optimizer.pt", 50)
    write(store / "models" / "checkpoints-77" / "000.safetensors", 7)
    write(store / "signals" / "text@2-aa" / "part-0.parquet", 30)
    write(store / "trials" / "ab" / "trial.json", 5)
    write(store / "given" / "1.jsonl", 2)
    write(store / "clean" / "f0" / "rows" / "part-0.parquet", 3)
    write(store / "of-somebody-else.txt", 1000)
    with sqlite3.connect(store / "answers.db") as db:
        db.execute("CREATE TABLE spent (pico INTEGER)")
        db.executemany("INSERT INTO spent VALUES (?)", [(10**12,), (5 * 10**11,)])
    return store


def test_every_kind_is_counted(home: Path) -> None:
    found = {one.kind: one.bytes for one in clean(home=home)}
    assert list(found) == list(AGAIN)
    assert found.pop("answers") == (home / "answers.db").stat().st_size
    assert found == {"checkpoints": 57, "models": 100, "signals": 30, "trials": 5, "rows": 5}
    assert paid(home) == 1.5


@pytest.mark.parametrize("kind", list(AGAIN))
def test_only_what_is_named_goes(home: Path, tmp_path: Path, kind: str) -> None:
    before = {one.kind for one in clean(home=home)}
    (gone,) = clean([kind], home=home, runs=tmp_path / "runs")
    assert gone.kind == kind
    assert not any(path.exists() for path in gone.paths)
    assert {one.kind for one in clean(home=home)} == before - {kind}
    assert (home / "of-somebody-else.txt").is_file()


def test_nothing_goes_while_a_run_is_at_work(home: Path, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "a"
    with only_here(run):
        assert is_held(run)
        with pytest.raises(FlywheelError, match="a process is at work"):
            clean(["models"], home=home, runs=tmp_path / "runs")
    assert not is_held(run)
    assert clean(["models"], home=home, runs=tmp_path / "runs")


def test_links_are_not_followed(home: Path, tmp_path: Path) -> None:
    kept = write(tmp_path / "mine" / "weights", 10)
    (home / "models" / "mine").symlink_to(kept.parent)
    (home / "given").rename(home / "elsewhere")
    (home / "given").symlink_to(home / "elsewhere")
    assert size(home / "models" / "mine") == 0
    clean(list(AGAIN), home=home, runs=tmp_path / "runs")
    assert kept.is_file()
    assert (home / "elsewhere" / "1.jsonl").is_file()


def test_what_is_not_there_is_refused_by_name(tmp_path: Path, home: Path) -> None:
    with pytest.raises(UsageError, match="no store is there"):
        clean(home=tmp_path / "nowhere")
    with pytest.raises(UsageError, match="there is no 'model'"):
        clean(["model"], home=home)
    assert (home / "models" / "sft-1").is_dir()
