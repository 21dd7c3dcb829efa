"""Files of answers with planted truth, and a scripted endpoint that passes the self-test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson

from dataflywheel.contracts import Case, Verdict
from dataflywheel.evolution.judging.pairwise import Pairwise
from dataflywheel.evolution.judging.self_test import RIGHT, known_cases
from tests.evolution.judging.asking import MODEL
from tests.models.endpoint.fake import user_text
from tests.support.endpoint import Endpoint


def knows(cases: list[Case], right: list[Verdict], persona: str = "") -> list[dict[str, Any]]:
    """Rules of an endpoint that answers these cases rightly in both orders, whoever judges by pairs."""
    rules = []
    for case, verdict in zip(cases, right, strict=True):
        for order in (0, 1):
            asked = Pairwise(model=MODEL, persona=persona).ask(case, order)
            better = "1" if (verdict == Verdict.FIRST) == (order == 0) else "2"
            rules.append({"rule": "echo", "match": user_text(asked), "text": json.dumps({"better": better})})
    return rules


KNOWS = knows(known_cases(), list(RIGHT))


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def answers(path: Path, truths: list[float], length: int = 20) -> Path:
    """Answers whose true quality stands in them."""
    return write(
        path,
        [
            {"prompt": f"question number {i}", "completion": f"[[truth:{t}]]{'x' * length}[[end]]"}
            for i, t in enumerate(truths)
        ],
    )


def two_files(folder: Path) -> tuple[Path, Path]:
    """A is better on 30 prompts of 40, worse on 6, equal on 4; and has one answer more."""
    a = [4.0] * 30 + [1.0] * 6 + [2.0] * 4
    return answers(folder / "a.jsonl", [*a, 5.0]), answers(folder / "b.jsonl", [2.0] * 40, length=30)


def spec(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "endpoint": endpoint.url, "model": "m", "capabilities": {"json_schema": True},
        "usd_per_mtok": {"in": 1.0, "out": 2.0},
    }  # fmt: skip


def script(endpoint: Endpoint, **judge: Any) -> None:
    endpoint.configure(rules=[*KNOWS, {"rule": "judge", **judge}])


def labels(path: Path, said: list[Any]) -> Path:
    return write(path, [{"prompt": f"question number {i}", "label": label} for i, label in enumerate(said)])
