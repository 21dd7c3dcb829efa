"""Every real file: read whole, nothing set aside, written back equal, and equal through every container."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from dataflywheel.rows.containers import read_blocks
from dataflywheel.rows.containers.write import write_records
from dataflywheel.rows.formats import shape_named
from dataflywheel.rows.parse import records
from dataflywheel.rows.reading import Input, iter_parsed
from dataflywheel.rows.schema import Row

FILES = {
    "formats_demo/alpaca_en_demo.json.gz": ("alpaca", 999),
    "formats_demo/alpaca_zh_demo.json.gz": ("alpaca", 1000),
    "formats_demo/c4_demo.jsonl.gz": ("text", 300),
    "formats_demo/dpo_en_demo.json.gz": ("sharegpt", 300),
    "formats_demo/dpo_zh_demo.json.gz": ("sharegpt", 300),
    "formats_demo/glaive_toolcall_en_demo.json.gz": ("sharegpt", 300),
    "formats_demo/kto_en_demo.json.gz": ("messages", 300),
    "formats_demo/wiki_demo.txt.gz": ("text", 30),
    "alpaca_pool/alpaca_pool.parquet": ("alpaca", 16352),
    "dolly/dolly_pool.jsonl.gz": ("alpaca", 3205),
    "p3_multitask/t0_train.parquet": ("prompt_completion", 43388),
    "self_instruct/davinci_predictions.jsonl.gz": ("prompt_response", 252),
    "self_instruct/text-davinci-003_predictions.jsonl": ("prompt_response", 252),
    "self_instruct/seed_tasks.jsonl": ("self_instruct", 175),
    "self_instruct/user_oriented_instructions.jsonl": ("self_instruct", 252),
    "hh_rlhf/harmless_base.jsonl.gz": ("transcript", 1125),
    "oasst_trees/en_100_tree.jsonl.gz": ("oasst_tree", 100),
    "vicuna_demo/dummy_conversation.json": ("sharegpt", 500),
}


def read(path: Path, source: str = "") -> tuple[list[Row], set[str]]:
    rows: list[Row] = []
    shapes: set[str] = set()
    for parsed in iter_parsed(Input(str(path), source)):
        assert parsed.quarantined == []
        rows += parsed.rows
        shapes |= set(parsed.shapes)
    return rows, shapes


@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_its_records_back(data: Path, name: str) -> None:
    shape, count = FILES[name]
    rows, shapes = read(data / name)
    given = [record for block in read_blocks(data / name)[1] for _, _, record in records(block)]
    assert shapes == {shape}
    assert len(given) == count
    assert [record for _, record in shape_named(shape).write_all(rows, lineage=False)] == given


@pytest.mark.parametrize("suffix", ["jsonl", "json.gz", "csv", "tsv.zst", "parquet", ""])
@pytest.mark.parametrize("name", [name for name in FILES if FILES[name][1] < 2000])
def test_a_file_is_the_same_through_every_container(data: Path, tmp_path: Path, name: str, suffix: str) -> None:
    rows, [shape] = read(data / name)
    target = tmp_path / (f"out.{suffix}" if suffix else "out")
    count = write_records(target, (record for _, record in shape_named(shape).write_all(rows, source="out")))
    assert count == FILES[name][1]
    assert read(target, "out")[0] == rows


def test_a_tool_call_of_a_real_chat_is_canonical_json(data: Path) -> None:
    rows, _ = read(data / "formats_demo/glaive_toolcall_en_demo.json.gz")
    calls = [orjson.loads(m["tool_calls"]) for row in rows for m in row["messages"] if m["tool_calls"]]
    assert len(calls) == 211
    assert all(isinstance(call["function"]["arguments"], dict) for turn in calls for call in turn)
    assert sum(m["role"] == "tool" for row in rows for m in row["messages"]) == 211


def test_answers_of_a_tree_are_paired_with_the_worst_of_their_siblings(data: Path) -> None:
    rows, _ = read(data / "oasst_trees/en_100_tree.jsonl.gz")
    assert len(rows) == 147
    first = rows[0]
    tree = orjson.loads(first["extra"])["tree"]
    ranks = {reply["rank"]: reply["text"] for reply in tree["replies"]}
    assert first["messages"][-1]["content"] == ranks[0]
    assert first["rejected"]
    assert first["rejected"][0]["content"] == ranks[max(ranks)]
