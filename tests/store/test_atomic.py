"""Files and directories appear whole or not at all."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from dataflywheel.contracts import Cost, Decisions
from dataflywheel.store.atomic import atomic_directory, atomic_path, sweep, write_json
from dataflywheel.store.decisions import counts, read_decisions, write_decisions
from dataflywheel.store.ledger import Ledger


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "step"
    with atomic_directory(place) as aside:
        (aside / "a").write_text("old")
    with contextlib.suppress(RuntimeError), atomic_directory(place) as aside:
        (aside / "a").write_text("new")
        raise RuntimeError
    assert (place / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["step"]


def test_a_directory_is_replaced_as_a_whole(tmp_path: Path) -> None:
    for name in ("first", "second"):
        with atomic_directory(tmp_path / "step") as aside:
            (aside / name).write_text("")
    assert [p.name for p in (tmp_path / "step").iterdir()] == ["second"]


def test_a_failed_file_vanishes(tmp_path: Path) -> None:
    with contextlib.suppress(RuntimeError), atomic_path(tmp_path / "deep" / "f") as aside:
        aside.write_text("half")
        raise RuntimeError
    assert list((tmp_path / "deep").iterdir()) == []


def test_sweep_removes_what_a_kill_left_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".step.1234.partial").mkdir()
    (tmp_path / ".f.1234.partial").write_text("half")
    (tmp_path / "kept.partial").write_text("a user's file")
    sweep(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["kept.partial"]


def test_json_has_no_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "f.json", {"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": "é"}})
    assert json.loads((tmp_path / "f.json").read_text()) == {"a": None, "b": [None, 1.5], "c": {"d": "é"}}


def test_the_ledger_adds_up_and_replaces_a_repeated_step(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.json")
    ledger.enter("a", Cost(seconds=1, tokens=10))
    ledger.enter("b", Cost(seconds=2, usd=0.5))
    ledger.enter("a", Cost(seconds=3, tokens=20))
    again = Ledger(tmp_path / "ledger.json")
    assert again.total() == Cost(seconds=5, tokens=20, usd=0.5)


def test_decisions_survive_and_count_by_kind(tmp_path: Path) -> None:
    decisions = Decisions()
    decisions.add("a", "kept", "ranked 1 of 3,000 by ifd; 2 kept", score=0.5)
    decisions.add("b", "dropped", "ranked 812 of 3,000 by ifd; 2 kept")
    decisions.add("d", "dropped", "ranked 9 of 3,000 by ifd; 2 kept")
    decisions.add("c", "dropped", "near-duplicate: Jaccard 0.912 >= 0.8", other="a", score=0.912)
    write_decisions(tmp_path / "d.parquet", decisions)
    assert read_decisions(tmp_path / "d.parquet").to_pylist()[3]["other"] == "a"
    assert counts(decisions) == {
        "kept: ranked 1 of 3,000 by ifd": 1,
        "dropped: ranked … of 3,000 by ifd": 2,
        "dropped: near-duplicate": 1,
    }
