"""The signal store: each row once, aligned by id, repaired failures win, partial writes vanish."""

from __future__ import annotations

import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import Status
from dataflywheel.store.signals import SignalStore


def values(ids: list[str], value: float = 1.0, status: Status = Status.OK) -> pa.Table:
    n = len(ids)
    status_column = pa.array([int(status)] * n, pa.uint8())
    return pa.table({"id": ids, "v": [value] * n, "status": status_column, "seconds": [0.5] * n})


def test_an_empty_store_lacks_everything(tmp_path: Path) -> None:
    assert SignalStore(tmp_path).missing("s@1-x", pa.array(["a", "b"])).tolist() == [True, True]
    with pytest.raises(KeyError, match="nothing measured yet"):
        SignalStore(tmp_path).read("s@1-x", pa.array(["a"]))


def test_failures_are_tried_again_and_the_repair_wins(tmp_path: Path) -> None:
    store = SignalStore(tmp_path)
    store.append("s", values(["a", "b"], status=Status.FAILED))
    store.append("s", values(["c"]))
    assert store.missing("s", pa.array(["a", "b", "c", "d"])).tolist() == [True, True, False, True]
    store.append("s", values(["a"], value=7.0))
    assert store.read("s", pa.array(["a"]), ["v"])["v"].to_pylist() == [7.0]
    with pytest.raises(KeyError, match="1 of 2 rows were not measured"):
        store.read("s", pa.array(["a", "z"]))


def test_of_failures_the_last_tells_why(tmp_path: Path) -> None:
    store = SignalStore(tmp_path)
    for key in "abcdef":
        for value in (1.0, 2.0, 3.0):
            store.append(key, values(["x", "y"], value, Status.FAILED))
        assert store.read(key, pa.array(["y", "x"]), ["v"])["v"].to_pylist() == [3.0, 3.0]


@given(st.lists(st.sets(st.sampled_from("abcdefgh")), max_size=5), st.permutations("abcdefgh"))
def test_values_align_with_the_ids_asked_for(
    tmp_path_factory: pytest.TempPathFactory, parts: list[set[str]], order: str
) -> None:
    store = SignalStore(tmp_path_factory.mktemp("store"))
    held: dict[str, float] = {}
    for part in parts:
        new = sorted(part - held.keys())
        if new:
            store.append("s", pa.concat_tables([values([i], value=float(ord(i))) for i in new]))
            held |= {i: float(ord(i)) for i in new}
    asked = [i for i in order if i in held]
    if asked:
        assert store.read("s", pa.array(asked), ["v"])["v"].to_pylist() == [held[i] for i in asked]
        assert store.seconds("s", pa.array(asked)) == pytest.approx(0.5 * len(asked))


def test_half_written_parts_are_swept_and_never_read(tmp_path: Path) -> None:
    store = SignalStore(tmp_path)
    store.append("s", values(["a"]))
    (tmp_path / "s" / ".part-1.parquet.abc.partial").write_bytes(b"half")
    assert store.missing("s", pa.array(["a"])).tolist() == [False]
    store.sweep()
    assert len(list((tmp_path / "s").iterdir())) == 2  # young: somebody may be writing it
    store.sweep(older_than=0)
    assert [p.suffix for p in (tmp_path / "s").iterdir()] == [".parquet"]


HALF = """
import os, sys, time
from pathlib import Path
from dataflywheel.store.atomic import atomic_path
with atomic_path(Path(sys.argv[1]) / "s" / "part-1.parquet") as aside:
    aside.write_bytes(b"half")
    print("half", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_writer_left_goes_at_the_next_start_and_what_is_being_written_stays(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", HALF, str(tmp_path)], stdout=subprocess.PIPE) for _ in "ab"]
    try:
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"half\n"
        SignalStore(tmp_path).sweep()
        assert len(list((tmp_path / "s").iterdir())) == 2
        writers[0].kill()
        writers[0].wait()
        SignalStore(tmp_path).sweep()
        left = [path.name for path in (tmp_path / "s").iterdir()]
        assert len(left) == 1
        assert f"-{writers[1].pid}-" in left[0]
        elsewhere = tmp_path / "s" / f".part-2.parquet.0000{left[0].split('.')[3][4:]}.0123abcd.partial"
        elsewhere.write_bytes(b"half")  # of a process of another machine, of which nothing is known
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
            writer.stdout.close()  # type: ignore[union-attr]
    SignalStore(tmp_path).sweep()
    assert list((tmp_path / "s").iterdir()) == [elsewhere]


def append_many(root: str, name: str) -> None:
    for i in range(30):
        SignalStore(Path(root)).append("s", values([f"{name}-{i}", "shared"], value=float(i)))


def test_processes_append_side_by_side_and_a_reader_sees_whole_parts(tmp_path: Path) -> None:
    writers = [get_context("spawn").Process(target=append_many, args=(str(tmp_path), name)) for name in "abc"]
    for writer in writers:
        writer.start()
    store, seen = SignalStore(tmp_path), 0
    everyone = pa.array([f"{name}-{i}" for name in "abc" for i in range(30)])
    deadline = time.monotonic() + 120
    while any(writer.is_alive() for writer in writers) and time.monotonic() < deadline:
        there = everyone.filter(pa.array(~store.missing("s", everyone)))
        assert len(there) >= seen  # what was there stays there
        seen = len(there)
        if seen:
            assert store.read("s", there, ["v"])["v"].to_pylist() == [float(i.split("-")[1]) for i in there.to_pylist()]
    for writer in writers:
        writer.join(timeout=1)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert not store.missing("s", everyone).any()
    assert store.read("s", pa.array(["shared"]), ["v"])["v"].to_pylist()[0] in range(30)


def test_only_the_row_groups_that_hold_an_asked_row_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataflywheel.store.signals.GROUP_ROWS", 100)
    store = SignalStore(tmp_path)
    for part in range(4):
        names = [f"row-{part}-{i:04d}" for i in range(1000)]
        store.append("s", values(names).append_column("vector", pa.array([[float(i)] * 64 for i in range(1000)])))
    read: list[int] = []
    plain = pq.ParquetFile.read_row_group

    def counted(self: Any, i: int, **options: Any) -> pa.Table:
        found = plain(self, i, **options)
        read.append(len(found))
        assert found.column_names == ["id", "status", "vector"]
        return found

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    asked = [f"row-{part}-{i:04d}" for i in (450, 420, 999) for part in (3, 1)]
    found = store.read("s", pa.array(asked), ["vector"])
    assert found["id"].to_pylist() == asked
    assert [v[0] for v in found["vector"].to_pylist()] == [450, 450, 420, 420, 999, 999]
    assert read == [100] * 4  # of 4,000 rows
    assert len(store.read("s", pa.array([], pa.string()), ["vector"])) == 0
