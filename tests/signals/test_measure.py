"""The engine: same values for any engine, batch and order; each row measured once; a bad row fails alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest

from dataflywheel.contracts import REGISTRY, AnyArray, FlywheelError, Status
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.lookup import Groups
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import table
from dataflywheel.rows.text import texts
from dataflywheel.signals.engine import Engine
from dataflywheel.signals.measure import Failed, measure, measured_batch
from dataflywheel.signals.measured_columns import columns
from dataflywheel.store.signals import SignalStore
from tests.signals.toy import Toy


def write(directory: Path, contents: list[str], part_rows: int = 100) -> Path:
    with PartWriter(directory, part_rows=part_rows) as writer:
        writer.write(table([prompt_answer_row("", text, source="s", tags=["t"]) for text in contents]))
    return directory


def test_values_come_back_by_row_whatever_the_order_of_work(tmp_path: Path) -> None:
    contents = ["x" * (i % 37) + str(i) for i in range(500)]
    rows, store, signal = write(tmp_path / "rows", contents), SignalStore(tmp_path / "store"), Toy()
    assert measure(rows, [signal], store, Engine()) == {"toy": 500}
    found = columns(rows, ["toy.length", "toy.vector"], {"toy": signal}, store)
    assert found["toy.length"].tolist() == [len(text) + 2 for text in contents]  # the empty prompt and the joint
    assert found["toy.vector"].shape == (500, 3)
    assert np.array_equal(found["toy.vector"][:, 1], 2.0 * found["toy.length"])
    assert found["row.tags"][0] == ["t"]


def test_texts_are_there_for_who_names_them(tmp_path: Path) -> None:
    with PartWriter(tmp_path / "rows", part_rows=2) as writer:
        writer.write(table([prompt_answer_row(f"What is {i}?", f"It is {i}.", source="s") for i in range(5)]))
    store = SignalStore(tmp_path / "store")
    found = columns(tmp_path / "rows", ["row.prompt", "row.text"], {}, store)
    places = {text.removeprefix("What is ").removesuffix("?"): i for i, text in enumerate(found["row.prompt"])}
    assert [found["row.text"][places[str(i)]] for i in range(5)] == [f"What is {i}?\n\nIt is {i}." for i in range(5)]
    assert "row.answer" not in found.values
    assert not {"row.text", "row.prompt"} & columns(tmp_path / "rows", [], {}, store).values.keys()


def test_vectors_are_read_a_row_group_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then they are held once: an Arrow column of all of them beside the matrix would hold them twice."""
    monkeypatch.setattr("dataflywheel.store.signals.GROUP_ROWS", 10)
    rows, store, signal = write(tmp_path / "rows", ["x" * i for i in range(1, 101)]), SignalStore(tmp_path), Toy()
    ids = _ids(rows)
    vectors = np.arange(300, dtype=np.float32).reshape(100, 3)
    for part in (slice(40, 100), slice(0, 40)):
        n = len(vectors[part])
        lists = pa.ListArray.from_arrays(np.arange(0, 3 * n + 1, 3, np.int32), vectors[part].reshape(-1))
        facts = {"status": np.zeros(n, np.uint8), "seconds": np.zeros(n), "length": np.ones(n, np.int32)}
        store.append(signal.key(), pa.table({"id": ids[part], "vector": lists, **facts}))
    at_once: list[int] = []
    plain = Groups.blocks

    def counted(self: Groups, places: AnyArray, names: Sequence[str]) -> Iterator[tuple[AnyArray, pa.Table]]:
        for where, found in plain(self, places, names):
            if "vector" in names:
                at_once.append(len(found))
            yield where, found

    monkeypatch.setattr(Groups, "blocks", counted)
    monkeypatch.setattr(Groups, "read", lambda self, places, names: _no_vector(self, places, names))
    found = columns(rows, ["toy.vector", "toy.length"], {"toy": signal}, store)
    assert np.array_equal(found["toy.vector"], vectors)
    assert at_once == [10] * 10


_read = Groups.read


def _no_vector(groups: Groups, places: AnyArray, names: Sequence[str]) -> pa.Table:
    assert "vector" not in names
    return _read(groups, places, names)


def test_a_column_without_any_vector_has_no_width(tmp_path: Path) -> None:
    rows, store, signal = write(tmp_path / "rows", ["BOOM 1", "BOOM 2", "row"]), SignalStore(tmp_path), Toy()
    measure(rows, [signal], store, Engine())
    assert columns(rows, ["toy.vector"], {"toy": signal}, store)["toy.vector"].shape == (3, 3)
    rows = write(tmp_path / "bad", ["BOOM 1", "BOOM 2"])
    assert columns(rows, ["toy.vector"], {"toy": signal}, store)["toy.vector"].shape == (2, 0)


def test_one_percent_more_rows_measures_one_percent(tmp_path: Path) -> None:
    store, signal = SignalStore(tmp_path / "store"), Toy()
    old = [f"row {i}" for i in range(300)]
    measure(write(tmp_path / "a", old), [signal], store, Engine())
    more = write(tmp_path / "b", [*old[:150], "new 1", "new 2", "new 3", *old[150:]])
    assert measure(more, [signal], store, Engine()) == {"toy": 3}
    assert measure(more, [signal], store, Engine()) == {"toy": 0}
    assert measure(more, [Toy(scale=2.0)], store, Engine()) == {"toy": 303}  # other parameters, other signal


def test_a_bad_row_fails_alone_and_is_tried_again(tmp_path: Path) -> None:
    rows = write(tmp_path / "rows", [*(f"row {i}" for i in range(90)), "BOOM", *(f"late {i}" for i in range(40))])
    store, signal = SignalStore(tmp_path / "store"), Toy()
    measure(rows, [signal], store, Engine())
    found = columns(rows, ["toy.vector"], {"toy": signal}, store)
    assert found["toy.status"].tolist() == [Status.OK] * 90 + [Status.FAILED] + [Status.OK] * 40
    assert np.isnan(found["toy.vector"][90]).all()
    assert not found.ok("toy.vector")[90]
    assert ["BOOM" in (error or "") for error in found["toy.error"]] == [False] * 90 + [True] + [False] * 40
    assert store.missing(signal.key(), _ids(rows)).sum() == 1
    measure(rows, [signal], store, Engine())  # it fails again, and the rest still stands
    assert columns(rows, ["toy.vector"], {"toy": signal}, store)["toy.status"].tolist().count(Status.OK) == 130


BROKEN = {
    "none": lambda n: None,
    "missing": lambda n: {"status": np.zeros(n, dtype=np.uint8)},
    "no status": lambda n: {"length": np.ones(n, dtype=np.int32)},
    "too short": lambda n: {"length": np.ones(n - 1, dtype=np.int32), "status": np.zeros(n, dtype=np.uint8)},
    "text": lambda n: {"length": ["long"] * n, "status": np.zeros(n, dtype=np.uint8)},
    "null status": lambda n: {"length": np.ones(n, dtype=np.int32), "status": [None] * n},
    "a number": lambda n: {"length": 3, "status": 0},
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_a_signal_gives_beside_its_columns_is_a_failure_of_that_row(kind: str) -> None:
    class Odd(Toy):
        columns: ClassVar[dict[str, pa.DataType]] = {"length": pa.int32()}

        def measure(self, batch: pa.RecordBatch) -> Any:
            odd = any("odd" in text for text in texts(batch["messages"]))
            good = {"length": np.ones(len(batch), dtype=np.int32), "status": np.zeros(len(batch), dtype=np.uint8)}
            return BROKEN[kind](len(batch)) if odd else good

    REGISTRY.pop(Odd.name, None)
    rows = table([prompt_answer_row("", text) for text in ("a", "odd", "b")])
    found = measured_batch(Odd(), rows.to_batches()[0]).to_pylist()
    assert [row["length"] for row in found] == [1, None, 1]
    assert [row["status"] for row in found] == [Status.OK, Status.FAILED, Status.OK]
    assert [bool(row["error"]) for row in found] == [False, True, False]


def test_a_failed_row_is_tried_once_an_execution(tmp_path: Path) -> None:
    contents = [*(f"row {i}" for i in range(70)), "BOOM 1", "BOOM 2"]
    rows, fewer = write(tmp_path / "rows", contents), write(tmp_path / "fewer", contents[60:])
    target = write(tmp_path / "target", ["BOOM 3", "row 1"])
    store, signal = SignalStore(tmp_path / "store"), Toy()
    for first in (72, 2):  # a later execution tries what failed, and nothing else
        failed: Failed = {}
        steps = [(rows, first), (rows, 0), (fewer, 0), (target, 1), (target, 0), (rows, 0)]
        assert [measure(at, [signal], store, Engine(), failed=failed)["toy"] for at, _ in steps] == [
            n for _, n in steps
        ]
        assert {key: len(ids) for key, ids in failed.items()} == {signal.key(): 3}
    assert columns(fewer, ["toy.length"], {"toy": signal}, store)["toy.status"].tolist()[-2:] == [Status.FAILED] * 2


def _ids(rows: Path):  # type: ignore[no-untyped-def]
    from dataflywheel.rows.parts import read_rows

    return read_rows(rows, ["id"])["id"].combine_chunks()


def test_a_signal_that_always_fails_is_an_error_not_a_column(tmp_path: Path) -> None:
    rows = write(tmp_path / "rows", ["BOOM 1", "BOOM 2"])
    with pytest.raises(FlywheelError, match=r"all 2 rows failed.*BOOM in a row"):
        measure(rows, [Toy()], SignalStore(tmp_path / "store"), Engine())


ON_RAY = """
import sys
from pathlib import Path
from dataflywheel.signals.engine import Engine
from dataflywheel.signals.measure import measure
from dataflywheel.signals.measured_columns import columns
from dataflywheel.store.signals import SignalStore
from tests.signals.toy import Toy
import numpy as np
rows, store = Path(sys.argv[1]), SignalStore(Path(sys.argv[2]))
measure(rows, [Toy()], store, Engine(ray="auto"))
np.save(sys.argv[3], columns(rows, ["toy.vector"], {"toy": Toy()}, store)["toy.vector"])
"""


@pytest.mark.slow
@pytest.mark.ray
def test_ray_gives_the_same_values(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    rows, store = write(tmp_path / "rows", [f"row {i}" * (i % 9) for i in range(400)]), SignalStore(tmp_path / "here")
    measure(rows, [Toy()], store, Engine())
    here = columns(rows, ["toy.vector"], {"toy": Toy()}, store)["toy.vector"]
    arguments = [sys.executable, "-c", ON_RAY, str(rows), str(tmp_path / "ray"), str(tmp_path / "out.npy")]
    subprocess.run(arguments, check=True, timeout=240, cwd=Path(__file__).resolve().parents[2])
    assert np.array_equal(here, np.load(tmp_path / "out.npy"))
