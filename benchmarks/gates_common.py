"""What the measurements of gates share: rows, shares of rejected proposals with their intervals, tables."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from csv import DictReader
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any, Literal

import orjson

from dataflywheel.proposing.kinds import Gate, Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row

Pair = tuple[str, str]
Measure = Literal["recall", "false alarms"]
Source = Literal["published", "published, changed by rule", "our own"]
Seen = Literal["no", "yes", "half of it"]
Z = 1.959964


@dataclass(frozen=True)
class Line:
    """One measurement: of `n` cases so many were rejected, which is the recall where all should have been, and else the
    false alarms."""

    title: str
    measure: Measure
    n: int
    rejected: int
    source: Source = "published"
    seen: Seen = "no"
    """Whether somebody looked at the cases singly while the rules were written."""
    reasons: str = ""


@dataclass(frozen=True)
class Section:
    """The lines of one gate, what should be known of them, and any further table."""

    title: str
    note: str
    lines: list[Line]
    more: str = ""


Part = Callable[[Path], Section]
Known = dict[str, tuple[int, int]]
"""Of lines by `Section.title | Line.title` the number of cases and of rejected ones, as they were before."""


def interval(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's score.

    >>> [round(bound, 3) for bound in interval(0, 10)]
    [0.0, 0.278]
    """
    if not n:
        return 0.0, 1.0
    share, wide = hits / n, Z * Z / n
    middle, half = share + wide / 2, Z * sqrt(share * (1 - share) / n + wide / (4 * n))
    return max(0.0, (middle - half) / (1 + wide)), min(1.0, (middle + half) / (1 + wide))


def shown(section: Section, before: Known) -> str:
    """A section as Markdown."""
    rows = []
    for line in section.lines:
        low, high = interval(line.rejected, line.n)
        was = before.get(f"{section.title} | {line.title}")
        rows.append(
            (
                line.title,
                line.source,
                line.seen,
                line.measure,
                line.n,
                line.rejected / max(line.n, 1),
                f"{low:.3f} to {high:.3f}",
                f"{was[1] / max(was[0], 1):.3f}" if was else "",
                line.reasons,
            )
        )
    head = ("tried on", "made", "looked at", "measure", "cases", "share", "95 % interval", "before", "reasons")
    if not any(line.reasons for line in section.lines):
        head, rows = head[:-1], [row[:-1] for row in rows]
    pieces = (f"## {section.title}", section.note, markdown(head, rows, 4), section.more)
    return "\n\n".join(piece for piece in pieces if piece)


def records(path: Path) -> list[dict[str, Any]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [orjson.loads(line) for line in content.splitlines() if line.strip()]


def table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(DictReader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))


def gsm8k(data: Path) -> list[Pair]:
    return [(r["question"], r["answer"]) for r in records(data / "gsm8k" / "train.jsonl.gz")]


def dolly(data: Path) -> list[Pair]:
    rows = records(data / "dolly" / "dolly_pool.jsonl.gz")
    return [("\n\n".join(filter(None, (r["instruction"], r["input"]))), r["output"]) for r in rows]


def experts(data: Path) -> list[Proposal]:
    """Rows that experts revised, as rewrites."""
    return [
        rewrite(
            (f"{r['Raw Instruction']}\n{r['Raw Input']}", r["Raw Response"]),
            (f"{r['Revised Instruction']}\n{r['Revised Input']}", r["Revised Response"]),
        )
        for r in records(data / "coachlm_revisions" / "expert_revisions.jsonl.gz")
    ]


def rewrite(before: Pair, after: Pair) -> Proposal:
    return Proposal((), prompt_answer_row(*after), before=prompt_answer_row(*before))


def written(prompt: str, answer: str, **facts: Any) -> Proposal:
    return Proposal((), prompt_answer_row(prompt, answer), **facts)


def tried(
    title: str,
    measure: Measure,
    gate: Gate,
    proposals: Sequence[Proposal],
    source: Source = "published",
    seen: Seen = "no",
    most: int = 2,
) -> Line:
    """What a gate makes of some proposals, with its `most` frequent reasons."""
    checks = gate.check(proposals, Surroundings()) if proposals else []
    reasons = Counter(check.reason for check in checks if not check.passed)
    told = ", ".join(f"{reason} {n}" for reason, n in reasons.most_common(most))
    return Line(title, measure, len(proposals), reasons.total(), source, seen, told)


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]], plain: int = 1) -> str:
    """A table; the first `plain` columns are aligned to the left."""

    def cell(value: object) -> str:
        return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)

    rule = ["---"] * plain + ["---:"] * (len(head) - plain)
    return "\n".join(f"| {' | '.join(map(cell, row))} |" for row in (head, rule, *rows))
