"""What was damaged in the store is named and made anew, and never used; whole runs: `tests/recipe`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataflywheel.contracts import Cost, FlywheelError
from dataflywheel.store.answer_ledger import Amount, Caps, Reserve, Settle
from dataflywheel.store.answers import AnswerStore, Ended, Record
from dataflywheel.store.ledger import Ledger, read_bills
from dataflywheel.store.lock import made_once
from dataflywheel.store.run import RunDirectory
from dataflywheel.store.seal import DamagedError, is_there, read_record, read_sealed, write_record, write_sealed
from dataflywheel.store.signals import SignalStore


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 255
    path.write_bytes(bytes(content))


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def test_every_change_of_a_sealed_folder_is_seen(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "rows" / "part-00000.parquet")
    write_sealed(tmp_path, {"fingerprint": "x", "share": float("nan")})
    assert read_sealed(tmp_path) == {"fingerprint": "x", "share": None}
    pq.write_table(pa.table({"a": [3]}), tmp_path / "rows" / "part-00001.parquet")
    with pytest.raises(DamagedError, match="part-00001"):
        read_sealed(tmp_path)


def test_a_torn_ledger_is_read_up_to_its_tear(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.json")
    for i in range(5):
        ledger.enter(f"round-1/0{i}-x", Cost(seconds=i, usd=0.5))
    text = (tmp_path / "ledger.json").read_text()
    whole = read_bills(text)
    assert whole == ledger.steps
    sizes = [len(read_bills(text[:end])) for end in range(len(text))]
    assert sizes == sorted(sizes)
    assert set(sizes) == {0, 1, 2, 3, 4, 5}


@pytest.mark.parametrize("damage", [cut, flip, empty, lambda path: path.write_bytes(b"PAR1 nonsense PAR1")])
def test_a_damaged_part_of_a_signal_is_set_aside_and_its_rows_are_lacking(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    store = SignalStore(tmp_path)
    for ids in (["a", "b"], ["c"]):
        n = len(ids)
        store.append(
            "s", pa.table({"id": ids, "v": np.arange(n), "status": np.zeros(n, np.uint8), "seconds": np.zeros(n)})
        )
    first = sorted((tmp_path / "s").glob("part-*"))[0]
    damage(first)
    with pytest.warns(UserWarning, match="set aside"):
        missing = store.missing("s", pa.array(["a", "b", "c"]))
    assert missing.tolist() == [True, True, False]
    assert first.with_name(first.name + ".damaged").exists()
    assert store.read("s", pa.array(["c"]), ["v"])["v"].to_pylist() == [0]


@pytest.mark.parametrize("damage", [cut, flip, empty, remove])
def test_a_damaged_folder_of_a_model_is_set_aside_and_made_anew(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    folder, made = tmp_path / "tiny-1", []

    def make() -> None:
        made.append(folder)
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "model.safetensors").write_bytes(bytes(range(200)))

    assert made_once(folder, make) == made_once(folder, make) == folder
    damage(folder / "deep" / "model.safetensors")
    with pytest.warns(UserWarning, match="set aside as tiny-1.damaged, and made anew"):
        made_once(folder, make)
    assert len(made) == 2
    assert (folder / "deep" / "model.safetensors").read_bytes() == bytes(range(200))
    assert made_once(folder, make) == folder
    assert len(made) == 2


def test_a_folder_that_was_made_without_a_seal_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    assert is_there(tmp_path / "old")
    assert not is_there(tmp_path / "none")


@pytest.mark.parametrize("text", [b"[1]", b"", b'{"a.bin": '])
def test_a_seal_that_cannot_be_read_vouches_for_nothing(tmp_path: Path, text: bytes) -> None:
    made_once(tmp_path / "m", lambda: (tmp_path / "m").mkdir())
    (tmp_path / ".m.seal").write_bytes(text)
    with pytest.warns(UserWarning, match=r"\.m\.seal is not as it was written"):
        assert not is_there(tmp_path / "m")


def test_a_record_is_read_as_it_was_written_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "compare.json"
    assert read_record(path) is None
    write_record(path, {"fingerprint": "x", "gain": 0.5, "seeds": (1, 2), "none": float("nan")})
    assert read_record(path) == {"fingerprint": "x", "gain": 0.5, "seeds": [1, 2], "none": None}
    path.write_text(path.read_text().replace("0.5", "0.9"))
    with pytest.warns(UserWarning, match="set aside as compare.json.damaged"):
        assert read_record(path) is None
    path.write_text('{"fingerprint": "x", "gain": 1}')  # of an earlier version
    assert read_record(path) == {"fingerprint": "x", "gain": 1}


def test_what_is_said_of_a_torn_log_stays_a_line_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b'{"event": "started"}\n{"event": "fin')
    run = RunDirectory(tmp_path)
    run.event("planned", name="caf\u00e9 \ud800")
    run.event("done")
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [line.startswith("{") and line.endswith("}") for line in lines] == [True, False, True, True]
    assert json.loads(lines[2])["name"] == "caf\u00e9 ?"


def test_closing_the_store_of_answers_leaves_one_file(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.db")
    store.commit([Reserve(b"k", "run", Amount(1, 1, 1, 1), Caps())])
    store.commit([Ended(Settle(b"k", "run", Amount(1, 1, 1, 1)), Record("ok", {"text": "a"}, Amount(1, 1, 1, 1)))])
    store.close()
    assert [path.name for path in tmp_path.iterdir()] == ["answers.db"]
    assert store.find(b"k") is not None  # opened once more


@pytest.mark.parametrize("damage", [cut, flip, lambda path: path.write_bytes(b"no database" * 999)])
def test_a_damaged_store_of_answers_is_refused_by_name(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    store = AnswerStore(tmp_path / "answers.db")
    ended = [Ended(Settle(b"%d" % i, "run"), Record("ok", {"text": "a" * 99}, Amount())) for i in range(500)]
    store.commit(ended)
    store.close()
    damage(tmp_path / "answers.db")
    with pytest.raises(FlywheelError, match=r"answers\.db: the store of paid answers cannot be read .* held is"):
        _ = [AnswerStore(tmp_path / "answers.db").find(end.settle.key) for end in ended]
