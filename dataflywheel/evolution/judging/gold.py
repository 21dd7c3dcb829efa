"""Pairs of answers that people have judged, read from their published files: PandaLM's test set and LLMBar."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from dataflywheel.contracts import Case, UsageError, Verdict

PANDALM = Path("pandalm", "testset-v1.json.gz")
LLMBAR = Path("llmbar", "llmbar.jsonl.gz")
MT_BENCH = Path("llmbar", "mt_bench_human_pairs.jsonl.gz")
PEOPLE = ("annotator1", "annotator2", "annotator3")
LABELS = {0: Verdict.TIE, 1: Verdict.FIRST, 2: Verdict.SECOND}


@dataclass(frozen=True)
class GoldSet:
    """Pairs with labels, side by side; `gold` is INVALID where people did not settle on one."""

    name: str
    cases: list[Case]
    gold: list[Verdict]
    people: list[tuple[Verdict, ...]]
    """Every person's label for each pair, where they are published."""

    @property
    def prompts(self) -> list[str]:
        """Which prompt each pair belongs to."""
        return [case.prompt for case in self.cases]


def gold_sets(folder: Path) -> list[GoldSet]:
    """All sets of pairs with human labels that lie in the folder; LLMBar by its parts.

    Raises:
        UsageError: there is none.
    """
    found = [pandalm(folder)] if (folder / PANDALM).is_file() else []
    for path, name in ((LLMBAR, "llmbar"), (MT_BENCH, "mt_bench")):
        if (folder / path).is_file():
            found += pairs_of(records(folder / path), name)
    if not found:
        raise UsageError(
            f"{folder}: no pairs with human labels; expected {PANDALM}, {LLMBAR} or {MT_BENCH} in it "
            "(as published by WeOpenML/PandaLM and princeton-nlp/LLMBar, gzipped)"
        )
    return found


def pandalm(folder: Path) -> GoldSet:
    """PandaLM's test set: the label is that of at least two of three people, INVALID where all three differ."""
    rows = records(folder / PANDALM)
    people = [tuple(LABELS[row[name]] for name in PEOPLE) for row in rows]
    cases = [
        # Some answers were published as true and false, which is what the text said.
        Case(f"pandalm-{row['idx']}", _prompt(row), (str(row["response1"]), str(row["response2"])))
        for row in rows
    ]
    return GoldSet("pandalm", cases, [most(labels) for labels in people], people)


def pairs_of(rows: Sequence[dict[str, Any]], name: str) -> list[GoldSet]:
    """One set a `subset` of rows with `input`, `output_1`, `output_2` and `label` (1 or 2)."""
    by_set: dict[str, GoldSet] = {}
    for i, row in enumerate(rows):
        part = f"{name} {row['subset']}" if "subset" in row else name
        found = by_set.setdefault(part, GoldSet(part, [], [], []))
        found.cases.append(Case(f"{name}-{i}", row["input"], (row["output_1"], row["output_2"])))
        found.gold.append(LABELS[row["label"]])
        found.people.append((LABELS[row["label"]],))
    return list(by_set.values())


def most(labels: Sequence[Verdict]) -> Verdict:
    """The label of more than half; INVALID where there is none."""
    label, count = Counter(labels).most_common(1)[0]
    return label if 2 * count > len(labels) else Verdict.INVALID


def records(path: Path) -> list[dict[str, Any]]:
    """The objects of a gzipped JSON array or of gzipped JSON lines.

    Raises:
        UsageError: the file holds neither.
    """
    content = gzip.decompress(path.read_bytes())
    try:
        found = orjson.loads(content) if content[:1] == b"[" else [orjson.loads(row) for row in content.splitlines()]
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path}: expected a JSON array or JSON lines: {error}") from None
    return list(found)


def _prompt(row: dict[str, Any]) -> str:
    return f"{row['instruction']}\n\n{row['input']}" if row["input"] else str(row["instruction"])
