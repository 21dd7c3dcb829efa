"""What the measurements of gates share: rows, shares of rejected proposals, tables."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from dataflywheel.proposing.kinds import Gate, Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row

Pair = tuple[str, str]


def records(path: Path) -> list[dict[str, Any]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [orjson.loads(line) for line in content.splitlines() if line.strip()]


def gsm8k(data: Path) -> list[Pair]:
    return [(r["question"], r["answer"]) for r in records(data / "gsm8k" / "train.jsonl.gz")]


def dolly(data: Path) -> list[Pair]:
    rows = records(data / "dolly" / "dolly_pool.jsonl.gz")
    return [("\n\n".join(filter(None, (r["instruction"], r["input"]))), r["output"]) for r in rows]


def rewrite(before: Pair, after: Pair) -> Proposal:
    return Proposal((), prompt_answer_row(*after), before=prompt_answer_row(*before))


def rejected(gate: Gate, proposals: Sequence[Proposal]) -> tuple[float, Counter[str]]:
    """Share of rejected proposals, and how often each reason was given."""
    checks = gate.check(proposals, Surroundings())
    reasons = Counter(check.reason for check in checks if not check.passed)
    return reasons.total() / max(len(proposals), 1), reasons


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    def cell(value: object) -> str:
        return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)

    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(cell, row))} |" for row in rows)])


def named(reasons: Counter[str], most: int = 3) -> str:
    return ", ".join(f"{reason} {n}" for reason, n in reasons.most_common(most)) or "none"
