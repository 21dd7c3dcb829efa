"""TRL and `datasets`, the real libraries, take the files that are written for them, and show all that they hold."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.rows.convert import convert
from tests.rows.test_trainers import CALLS, OTHER, RESULT, SEEN, THINKS, TOOLS, A, U, pair

datasets = pytest.importorskip("datasets")
trl = pytest.importorskip("trl.data_utils")

S = {"role": "system", "content": "Be short."}
TIME = [
    {"type": "function", "function": {"name": "time", "description": "The time.", "parameters": {"type": "object"}}}
]
CLOCK = {"role": "assistant", "content": "", "tool_calls": [OTHER]}
CHATS = [
    {"messages": [S, U, {**CALLS, "reasoning_content": "I must look."}, RESULT, THINKS], "tools": TOOLS},
    {"messages": [U, CLOCK, {"role": "tool", "content": "noon", "tool_call_id": "c2"}, A], "tools": TIME},
    {"messages": [U, A]},
]
PAIRS = [pair(S, U, CALLS, RESULT, chosen=THINKS, tools=TOOLS), pair(U)]
JUDGED = [{"messages": [S, U, THINKS], "label": True, "tools": TOOLS}, {"messages": [U, A], "label": False}]


def loaded(folder: Path, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows as `datasets` gives them from the file for TRL, once it is sure that it gives what was written."""
    source, target = folder / "in.jsonl", folder / "out.jsonl"
    source.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    assert convert(str(source), str(target), "trl")["records"] == len(records)
    rows = list(datasets.Dataset.from_json(str(target), cache_dir=str(folder / "cache")))
    assert rows == [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert all(trl.is_conversational(row) for row in rows)
    return rows


def shown(row: dict[str, Any], template: str = "qwen3_training") -> dict[str, Any]:
    """What TRL makes of a row with a template that keeps thoughts."""
    from transformers import PreTrainedTokenizerFast

    from tests.models.test_chat import tokenizer

    tokens = tokenizer(None)
    assert isinstance(tokens, PreTrainedTokenizerFast)
    tokens.chat_template = (files("trl") / "chat_templates" / f"{template}.jinja").read_text(encoding="utf-8")
    known = {key: value for key, value in row.items() if key not in ("tools", "images")}
    made: dict[str, Any] = trl.apply_chat_template(known, tokens, tools=row.get("tools"))
    return made


def test_chats_are_shown_whole(tmp_path: Path) -> None:
    first, second, third = (shown(row)["text"] for row in loaded(tmp_path, CHATS))
    for part in ("Be short.", "I must look.", "It is cold there.", '{"city": "Oslo", "unit": null}', '"weather"'):
        assert part in first, part
    assert first.index("<tool_call>") < first.index("<tool_response>") < first.index("5 degrees.")
    assert "The time." in second
    assert '"weather"' not in second + third
    assert "null" not in second  # no field of another row's tools


def test_pairs_are_shown_whole(tmp_path: Path) -> None:
    first, second = map(shown, loaded(tmp_path, PAIRS))
    assert all(part in first["prompt"] for part in ("Be short.", '"city": "Oslo"', "<tool_response>"))
    assert "It is cold there." in first["chosen"]
    assert "5 degrees." in first["chosen"]
    assert "Warm." in first["rejected"]
    assert "tool" not in second["prompt"]


def test_judged_answers_are_shown_whole(tmp_path: Path) -> None:
    first, second = map(shown, loaded(tmp_path, JUDGED))
    assert (first["label"], second["label"]) == (True, False)
    assert "It is cold there." in first["completion"]
    assert '"weather"' in first["prompt"]


@pytest.mark.parametrize("kind", ["chat", "pair"])
def test_images_find_their_places(tmp_path: Path, kind: str) -> None:
    seen, unmarked = SEEN, {"messages": [U, A], "images": ["c.png"]}
    if kind == "pair":
        seen, unmarked = pair(SEEN["messages"][0], images=["a.png", "b.png"]), pair(U, images=["c.png"])
    rows = loaded(tmp_path, [seen, unmarked, {"messages": [U, A]} if kind == "chat" else pair(U)])
    key = "messages" if kind == "chat" else "prompt"
    found = [trl.prepare_multimodal_messages(row[key], images=row["images"])[0]["content"] for row in rows]
    assert [[part.get("image", part.get("text")) for part in content] for content in found] == [
        ["a.png", "Red or", "b.png", "blue?"], ["c.png", "How warm is Oslo?"], ["How warm is Oslo?"],
    ]  # fmt: skip
