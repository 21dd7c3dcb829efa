"""What was damaged on disk is named and made anew, and never used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataflywheel.contracts import Cost
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.progress import Silent
from dataflywheel.store.ledger import Ledger, read_bills
from dataflywheel.store.lock import made_once
from dataflywheel.store.seal import DamagedError, is_there, read_sealed, write_sealed
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


def edit_rows(path: Path) -> None:
    rows = pq.read_table(path).slice(0, 3)
    pq.write_table(rows, path)


def edit_record(path: Path) -> None:
    path.write_text(path.read_text().replace('"rows_out": 7', '"rows_out": 6'))


class Told(Silent):
    def __init__(self) -> None:
        self.notes: dict[str, str] = {}

    def finished(self, step: str, note: str, reused: bool) -> None:
        self.notes[step] = ("reused" if reused else "done") + note


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("damage")
    rows = [{"prompt": f"Say {i}.", "completion": f"The number is {i} of 20."} for i in range(20)]
    (folder / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    steps = [{"deduplicate": {}}, {"select": {"by": "random", "keep": 7}}]
    recipe = recipe_from({"name": "d", "pool": [{"path": str(folder / "pool.jsonl")}], "steps": steps})
    run(recipe, runs=folder / "runs", home=folder / "home")
    return folder, recipe


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("round-1/00-pool/rows/part-00000.parquet", cut),
        ("round-1/00-pool/origins.parquet", flip),
        ("round-1/01-deduplicate/rows/part-00000.parquet", edit_rows),
        ("round-1/01-deduplicate/rows/part-00000.parquet", flip),
        ("round-1/01-deduplicate/decisions.parquet", remove),
        ("round-1/02-select/rows/part-00000.parquet", remove),
        ("round-1/02-select/metrics.json", cut),
        ("round-1/02-select/metrics.json", empty),
        ("round-1/02-select/metrics.json", edit_record),
        ("ledger.json", cut),
        ("ledger.json", empty),
    ],
)
def test_a_step_with_damaged_files_is_made_anew(
    job: tuple[Path, Any], file: str, damage: Callable[[Path], None]
) -> None:
    folder, recipe = job
    path = folder / "runs" / "d" / file
    dataset = sorted((folder / "runs" / "d" / "dataset").glob("*.jsonl"))
    before = [data.read_bytes() for data in dataset]
    damage(path)
    told = Told()
    run(recipe, runs=folder / "runs", home=folder / "home", watcher=told)
    assert [data.read_bytes() for data in dataset] == before
    if path.name != "ledger.json":
        name = file.split("/", 2)[2]
        assert any(f"made anew, since {name} was not as it had been written" in note for note in told.notes.values())
    assert json.loads((folder / "runs/d/ledger.json").read_text())["steps"].keys() >= {"round-1/01-deduplicate"}


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
