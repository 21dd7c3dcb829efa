"""The table of `benchmarks/fidelity.md`: what becomes of each field of a row between a user's file and a trainer's.

`python -m tests.rows.fidelity` writes it anew.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.contracts import FlywheelError
from dataflywheel.rows.convert import convert
from dataflywheel.rows.reading import Input, iter_parsed
from dataflywheel.rows.schema import Message, Row
from dataflywheel.rows.set_aside import reason_of
from dataflywheel.rows.thoughts import split_thoughts
from dataflywheel.rows.trainers import TRAINERS

Record = dict[str, Any]
PLACE: Final = Path(__file__).parents[2] / "benchmarks" / "fidelity.md"
CONTAINERS: Final = ("jsonl", "json", "csv", "parquet")
NONE: Final = "—"
SPEC: Final = {"name": "f", "parameters": {"type": "object", "properties": {"x": {"type": "integer"}}}}
TOOLS: Final = [{"type": "function", "function": SPEC}]
CALL: Final = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
THOUGHTS: Final = "One and one."
HEAD: Final = f"""# What becomes of a row on its way to a trainer

A record of each shape that holds one field: read from four kinds of file, written for each trainer, and read again.
`kept` says that the field, and what is said, came back; `{NONE}` that records of the shape have no word for the field.
`tests/rows/test_fidelity.py` makes the table again and fails where anything is lost; `python -m tests.rows.fidelity`
writes it anew.

"""


def user(text: str = "What is 1 + 1?") -> Record:
    return {"role": "user", "content": text}


def said(text: str = "2", **more: Any) -> Record:
    return {"role": "assistant", "content": text, **more}


def called() -> list[Record]:
    return [user(), said("", tool_calls=[CALL]), {"role": "tool", "content": "2", "tool_call_id": "c1"}]


def shared_gpt(turn: Record) -> Record:
    names = {"user": "human", "assistant": "gpt", "tool": "observation", "system": "system"}
    rest = {key: value for key, value in turn.items() if key not in ("role", "content", "tool_calls")}
    if "tool_calls" in turn:
        calls = [{"name": "f", "arguments": {"x": 1}, "id": call["id"]} for call in turn["tool_calls"]]
        return {"from": "function_call", "value": json.dumps(calls), **rest}
    return {"from": names[turn["role"]], "value": turn["content"], **rest}


def chat(field: str) -> tuple[list[Record], Record]:
    """Turns that hold a field, and what stands beside them."""
    turns, beside = [user(), said()], dict[str, Any]()
    if field == "system":
        turns = [{"role": "system", "content": "Be short."}, *turns]
    elif field == "thoughts":
        turns = [user(), said(reasoning_content=THOUGHTS)]
    elif field == "tools":
        turns, beside = [user(), said("", tool_calls=[{**CALL, "id": "c1"}])], {"tools": TOOLS}
    elif field == "tool ids":
        turns = [*called(), said()]
    elif field == "images":
        turns, beside = [user("<image>What is this?"), said()], {"images": ["a.png"]}
    elif field == "weights":
        turns = [user(), said("3", weight=0), user("Really?"), said()]
    return turns, beside


def flat(field: str, prompt: str = "prompt", answer: Record | None = None) -> Record | None:
    """A record of texts that holds a field; None where such records have no word for it."""
    record = {prompt: "What is 1 + 1?", **({"completion": "2"} if answer is None else answer)}
    if field == "system":
        return {**record, "system": "Be short."}
    if field == "thoughts":
        key = next(iter(set(record) - {prompt, "rejected", "input"}))
        return {**record, key: f"<think>\n{THOUGHTS}\n</think>\n\n2"}
    if field == "tools":
        return {**record, "tools": TOOLS}
    if field == "images":
        return {**record, prompt: "<image>What is this?", "images": ["a.png"]}
    return record if field in ("labels", "copies") else None


def pairs(field: str) -> Record:
    turns, beside = chat(field)
    *prompt, chosen = turns
    return {"prompt": prompt, "chosen": [chosen], "rejected": [said("3")], **beside}


def sharegpt(field: str) -> Record:
    turns, beside = chat(field)
    tools = {"tools": json.dumps(TOOLS)} if "tools" in beside else {}
    return {"conversations": list(map(shared_gpt, turns)), **beside, **tools}


def messages(field: str) -> Record:
    turns, beside = chat(field)
    return {"messages": turns, **beside}


def kto(field: str) -> Record | None:
    record = messages(field) if field not in ("weights", "labels") else messages("")
    return None if field == "weights" else {**record, "label": True}


def canonical(field: str) -> Record:
    turns, beside = chat(field)
    for turn in turns:
        if "weight" in turn:
            turn["learn"] = bool(turn.pop("weight"))
    media = [{"type": "image", "ref": ref} for ref in beside.pop("images", ())]
    tools = {"tools": json.dumps(TOOLS)} if "tools" in beside else {}
    return {
        "messages": turns,
        "copies": 1,
        "extra": "{}",
        "made_by": "",
        **({"media": media} if media else {}),
        **tools,
    }


def text(field: str) -> Record | None:
    return {"text": "A document."} if field in ("labels", "copies") else None


SHAPES: Final[dict[str, Callable[[str], Record | None]]] = {
    "messages": messages,
    "sharegpt": sharegpt,
    "alpaca": lambda field: flat(field, "instruction", {"output": "2", "input": ""}),
    "prompt_completion": flat,
    "preference": lambda field: flat(field, answer={"chosen": "2", "rejected": "3"}),
    "turns_preference": pairs,
    "kto": kto,
    "text": text,
    "canonical": canonical,
}
FIELDS: Final = ("system", "thoughts", "tools", "tool ids", "images", "weights", "labels", "copies")


def planted(shape: str, field: str) -> Record | None:
    """A record of the shape that holds the field."""
    record = SHAPES[shape](field)
    if record is not None and field == "labels" and shape != "kto":
        record["label"] = "sport"
    if record is not None and field == "copies":
        record |= {"copies": 3} if shape == "canonical" else {"flywheel": {"copies": 3}}
    return record


def thoughts(turn: Message) -> tuple[str, str]:
    """Thoughts and answer of a turn, whether the thoughts have a field or stand in a block."""
    return (turn["reasoning"], turn["content"]) if turn["reasoning"] else split_thoughts(turn["content"])


def held(field: str, row: Row) -> Any:
    """What a row holds of a field; falsy where it holds nothing."""
    turns = [*row["messages"], *(row["rejected"] or ())]
    extra = orjson.loads(row["extra"])
    if field == "system":
        return [turn["content"] for turn in turns if turn["role"] == "system"]
    if field == "thoughts":
        return [thoughts(turn) for turn in turns if turn["role"] == "assistant" and thoughts(turn)[0]]
    if field == "tools":
        return row["tools"] and orjson.loads(row["tools"])
    if field == "tool ids":
        ids = [call.get("id") for turn in turns for call in orjson.loads(turn["tool_calls"] or "[]")]
        return [*ids, *(turn["tool_call_id"] for turn in turns if turn["role"] == "tool")]
    if field == "images":
        return row["media"] and [row["media"], sum(turn["content"].count("<image>") for turn in turns)]
    if field == "weights":
        return [turn["learn"] for turn in turns] if any(turn["learn"] is False for turn in turns) else None
    if field == "labels":
        return row["label"]
    return max(row["copies"], extra.get("copies") or 1) > 1 and 3


def spoken(row: Row) -> list[tuple[str, str, str | None]]:
    """What is said in a row."""
    return [
        (turn["role"], thoughts(turn)[1], turn["tool_calls"]) for turn in [*row["messages"], *(row["rejected"] or ())]
    ]


def write(path: Path, record: Record) -> str:
    """The record as a file that other tools would write."""
    if path.suffix == ".csv":
        cells = {k: v if isinstance(v, str) else json.dumps(v) for k, v in record.items()}
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(cells))
            writer.writeheader()
            writer.writerow(cells)
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([record]), path)
    else:
        path.write_text(json.dumps([record] if path.suffix == ".json" else record), encoding="utf-8")
    return str(path)


def read(path: str) -> tuple[list[Row], str]:
    """The rows of a file, and why there is none."""
    parsed = list(iter_parsed(Input(path)))
    reasons = [entry.reason for one in parsed for entry in one.quarantined]
    return [row for one in parsed for row in one.rows], next(iter(reasons), "")


def fate(field: str, before: Row, path: str, trainer: str, folder: Path) -> str:
    """What becomes of the field in a trainer's file, read again."""
    try:
        result = convert(path, str(folder / "out.jsonl"), trainer)
    except FlywheelError as error:
        return f"refused: {reason_of(str(error).split('cannot hold ', 1)[-1])}"
    rows, why = read(next(iter(result["files"].values()))["path"])
    if not rows:
        return f"lost: cannot be read again: {why}"
    same = held(field, rows[0]) == held(field, before) and spoken(rows[0]) == spoken(before)
    return "kept" if same else f"lost: {held(field, rows[0])} of {held(field, before)}"


def line(shape: str, field: str, folder: Path) -> list[str]:
    """One line of the table."""
    record = planted(shape, field)
    if record is None:
        return [shape, field, *[NONE] * (1 + len(TRAINERS))]
    rows: dict[str, Row] = {}
    for container in CONTAINERS:
        found, why = read(write(folder / f"in.{container}", record))
        if len(found) != 1 or not held(field, found[0]):
            reading = f"refused: {why}" if why else f"lost: in {container}"
            return [shape, field, reading, *[NONE] * len(TRAINERS)]
        rows[container] = found[0]
    unlike = [c for c, row in rows.items() if held(field, row) != held(field, rows["jsonl"])]
    fates = [fate(field, rows["jsonl"], str(folder / "in.jsonl"), trainer, folder) for trainer in TRAINERS]
    return [shape, field, f"lost: other in {', '.join(unlike)}" if unlike else "kept", *fates]


def table() -> list[list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        return [line(shape, field, Path(folder)) for shape in SHAPES for field in FIELDS]


def page(lines: list[list[str]]) -> str:
    """The page of the table."""
    head = ["shape", "field", "read from " + ", ".join(CONTAINERS), *TRAINERS]
    rows = ["| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in lines]
    return HEAD + "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *rows]) + "\n"


if __name__ == "__main__":
    PLACE.write_text(page(table()), encoding="utf-8")
    print(PLACE)
