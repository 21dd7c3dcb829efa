"""Reading into canonical parts: merging, places, origins; nothing depends on workers or block size."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.rows.builder import build
from dataflywheel.rows.fingerprint import fingerprint
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.ingest import Input, ingest
from dataflywheel.rows.merge import COPY, Merging
from dataflywheel.rows.origins import origins_of
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.reading import stem
from dataflywheel.rows.schema import Row, table
from tests.rows.strategies import any_rows


def pool(path: Path, count: int = 600, every: int = 7) -> list[int]:
    """A file of chats, every 7th line a copy of an earlier one, every 50th broken; the numbers of the good ones."""
    lines, numbers = [], []
    for i in range(count):
        number = i // every if i % every == 0 else i
        chat = {
            "messages": [{"role": "user", "content": f"q{number}"}, {"role": "assistant", "content": f"a{number} é"}]
        }
        broken = i % 50 == 49
        lines.append(b"{broken" if broken else orjson.dumps(chat))
        if not broken:
            numbers.append(number)
    path.write_bytes(b"\n".join(lines))
    return numbers


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_identical_rows_are_merged_at_their_first_place_and_counted(tmp_path: Path) -> None:
    numbers = pool(tmp_path / "a.jsonl")
    result = ingest([Input(str(tmp_path / "a.jsonl"))], tmp_path / "rows")
    rows = read_rows(tmp_path / "rows")
    first = list(dict.fromkeys(numbers))
    assert [messages[0]["content"] for messages in rows["messages"].to_pylist()] == [f"q{n}" for n in first]
    assert rows["copies"].to_pylist() == [numbers.count(n) for n in first]
    assert (result.rows, result.merged, result.quarantined) == (len(first), len(numbers) - len(first), 12)
    assert result.rows + result.merged + result.quarantined == 600


def test_neither_workers_nor_block_size_nor_what_is_held_change_a_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool(tmp_path / "a.jsonl")
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress((tmp_path / "a.jsonl").read_bytes() + b'\n{"text": "new"}'))
    inputs = [Input(str(tmp_path / "a.jsonl")), Input(str(tmp_path / "b.jsonl.gz"), "packed")]
    outcomes = []
    for name, workers, size, held in (("x", 1, 4 << 20, 5000), ("y", 1, 100, 31), ("z", 2, 1500, 400)):
        monkeypatch.setattr("dataflywheel.rows.ingest.Merging", partial(Merging, held=held))
        ingest(inputs, tmp_path / name, workers=workers, block_bytes=size)
        outcomes.append(digests(tmp_path / name))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert set(outcomes[0]) == {"part-00000.parquet", "origins.parquet", "quarantine.jsonl"}


def test_every_line_can_be_found_again(tmp_path: Path) -> None:
    numbers = pool(tmp_path / "a.jsonl")
    ingest([Input(str(tmp_path / "a.jsonl"))], tmp_path / "rows", block_bytes=999)
    rows = read_rows(tmp_path / "rows").to_pylist()
    lines = (tmp_path / "a.jsonl").read_bytes().split(b"\n")
    twice = next(row for row in rows if row["copies"] == 2)
    found = origins_of(tmp_path / "rows", twice["id"])
    assert len(found) == 2
    assert [orjson.loads(lines[line - 1])["messages"][0]["content"] for _, line in found] == [
        twice["messages"][0]["content"]
    ] * 2
    assert {file for file, _ in found} == {str(tmp_path / "a.jsonl")}
    assert pq.read_metadata(tmp_path / "rows/origins.parquet").num_rows == len(numbers)
    assert origins_of(tmp_path / "rows", "0" * 32) == []


def test_of_equal_rows_the_first_keeps_its_facts_and_copies_add_up(tmp_path: Path) -> None:
    def made() -> Iterator[Row]:
        for source in ("one", "two"):
            row = prompt_answer_row("q", "a", source=source)
            row["copies"] = 3
            yield row

    (tmp_path / "late.jsonl").write_bytes(b'{"prompt": "q", "completion": "a", "score": 1}')
    result = ingest([Input(None, "made", records=made), Input(str(tmp_path / "late.jsonl"))], tmp_path / "rows")
    [row] = read_rows(tmp_path / "rows").to_pylist()
    assert (row["source"], row["copies"], row["extra"]) == ("one", 7, "{}")
    assert (result.rows, result.merged) == (1, 2)
    assert [file["source"] for file in result.files] == ["made", "late"]


def test_progress_ends_with_all_rows(tmp_path: Path) -> None:
    numbers = pool(tmp_path / "a.jsonl")
    seen: list[int] = []
    ingest([Input(str(tmp_path / "a.jsonl"))], tmp_path / "rows", progress=seen.append, block_bytes=5000)
    assert seen == sorted(seen)
    assert len(seen) > 3
    assert seen[-1] == len(numbers)


def test_a_script_without_a_main_guard_may_use_workers(tmp_path: Path) -> None:
    pool(tmp_path / "a.jsonl")
    (tmp_path / "script.py").write_text(
        "from pathlib import Path\nfrom dataflywheel.rows.ingest import Input, ingest\n"
        f"inputs = [Input({str(tmp_path / 'a.jsonl')!r})]\n"
        f"print(ingest(inputs, Path({str(tmp_path / 'rows')!r}), workers=2).quarantined)\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["12"]


def test_a_changed_file_changes_the_fingerprint_and_a_moved_one_does_not(tmp_path: Path) -> None:
    pool(tmp_path / "a.jsonl")
    before = fingerprint([Input(str(tmp_path / "a.jsonl"), "s")])
    (tmp_path / "a.jsonl").rename(tmp_path / "b.jsonl")
    assert fingerprint([Input(str(tmp_path / "b.jsonl"), "s")]) == before
    assert fingerprint([Input(str(tmp_path / "b.jsonl"), "t")]) != before
    content = (tmp_path / "b.jsonl").read_bytes()
    (tmp_path / "b.jsonl").write_bytes(content[:-1] + b" ")
    assert fingerprint([Input(str(tmp_path / "b.jsonl"), "s")]) != before


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(-1, 4)), max_size=12), max_size=5),
    st.sampled_from([1, 2, 5, 1000]),
)
def test_merging_counts_like_a_dictionary(blocks: list[list[tuple[int, int, int]]], held: int) -> None:
    """However few entries are held at once, and whatever `copies` says."""
    expected: dict[tuple[int, int], int] = {}
    first: list[tuple[int, int] | None] = []
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("dataflywheel.rows.merge.SHARE_BITS", 2)
        merging = Merging(Path(folder), held)
        for block in blocks:
            for high, low, copies in block:
                first.append(None if (high, low) in expected else (high, low))
                expected[high, low] = expected.get((high, low), 0) + copies
            ids = np.array([(high << 62, low) for high, low, _ in block], np.uint64).reshape(-1, 2)
            merging.add(ids, np.array([copies for *_, copies in block], np.int64))
        found = list(merging.totals([len(block) for block in blocks]))
        assert not any(file for _, _, files in os.walk(folder) for file in files)
    assert [len(part) for part in found] == [len(block) for block in blocks]
    assert np.concatenate([np.zeros(0, np.int64), *found]).tolist() == [
        COPY if id is None else expected[id] for id in first
    ]
    assert (merging.rows, merging.kept) == (len(first), len(expected))


def test_memory_does_not_grow_with_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Python and numpy hold at most, under small bounds, while ten times the rows are read."""
    monkeypatch.setattr("dataflywheel.rows.ingest.Merging", partial(Merging, held=500))
    monkeypatch.setattr("dataflywheel.rows.merge.SHARE_BITS", 4)
    monkeypatch.setattr("dataflywheel.rows.origins.GROUP", 500)
    peaks = []

    def opened(rows: int) -> None:
        if rows < 300:
            tracemalloc.reset_peak()

    for rows in (10, 1000, 6000):  # the first only loads what is loaded once
        pool(tmp_path / "a.jsonl", rows)
        tracemalloc.start()
        ingest([Input(str(tmp_path / "a.jsonl"))], tmp_path / str(rows), 1, opened, block_bytes=10_000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] + 10 * 5000, "10 bytes a row"


@given(st.lists(any_rows(), max_size=4))
def test_flat_building_gives_the_same_table(rows: list[Row]) -> None:
    assert build(rows).equals(table(rows))


@pytest.mark.parametrize(
    ("name", "expected"), [("a.jsonl.gz", "a"), ("b.v2.csv", "b.v2"), ("c", "c"), ("d.json.zst", "d")]
)
def test_a_source_is_the_name_without_its_suffixes(name: str, expected: str) -> None:
    assert stem(Path(name)) == expected
