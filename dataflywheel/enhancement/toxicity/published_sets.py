"""Published sets by which detectors of toxicity are tried, where they are in a folder; all may be missing."""

from __future__ import annotations

import ast
import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from dataflywheel.contracts import UsageError
from dataflywheel.enhancement.toxicity.detectors import Span
from dataflywheel.signals.safety.toxicity_labels import Labelled

TWEETS, PAIRS = "hate_offensive_tweets/labeled_data.csv.gz", "paradetox/paradetox.tsv.gz"
SAFE, LINES = "xstest/xstest_prompts.csv", "toxigen_prompts/toxigen_prompts.jsonl.gz"
SPANS = "toxic_spans/tsd_train.csv.gz"


@dataclass(frozen=True)
class Sets:
    """What detectors are tried on beside labelled texts of their own kind."""

    cross: dict[str, Labelled] = field(default_factory=dict)
    safe: tuple[str, ...] = ()
    """Prompts that sound dangerous and are not."""
    groups: dict[str, list[str]] = field(default_factory=dict)
    """Neutral lines about groups of people, by group."""
    spans: tuple[tuple[str, tuple[Span, ...]], ...] = ()
    """Texts with the places that people found toxic in them."""
    missing: tuple[str, ...] = ()
    """Files that are not in the folder."""


def published_sets(folder: Path) -> Sets:
    """What of these sets lies in the folder, each under its usual name.

    Raises:
        UsageError: the folder holds none of them.
    """
    names = (TWEETS, PAIRS, SAFE, LINES, SPANS)
    missing = tuple(name for name in names if not (folder / name).is_file())
    if len(missing) == len(names):
        raise UsageError(f"{folder} holds none of {', '.join(names)}; leave the folder out, or give the one that does")
    cross: dict[str, Labelled] = {}
    if TWEETS not in missing:
        rows = list(_table(folder / TWEETS))
        cross["hate_offensive_tweets"] = [row["tweet"] for row in rows], [row["class"] != "2" for row in rows]
    if PAIRS not in missing:
        rows = list(_table(folder / PAIRS, "\t"))
        texts = [row["toxic"] for row in rows] + [row["neutral1"] for row in rows]
        cross["paradetox"] = texts, [True] * len(rows) + [False] * len(rows)
    groups: dict[str, list[str]] = {}
    if LINES not in missing:
        lines = [orjson.loads(line) for line in _read(folder / LINES).splitlines() if line.strip()]
        for line in lines:
            if line["label"] == "neutral":
                groups.setdefault(line["group"], []).append(line["prompt"].lstrip("- "))
    safe = () if SAFE in missing else tuple(r["prompt"] for r in _table(folder / SAFE) if r["label"] == "safe")
    spans = () if SPANS in missing else tuple((r["text"], _runs(r["spans"])) for r in _table(folder / SPANS))
    return Sets(cross, safe, groups, spans, missing)


def _read(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")


def _table(path: Path, delimiter: str = ",") -> Iterator[dict[str, Any]]:
    yield from csv.DictReader(io.StringIO(_read(path), newline=""), delimiter=delimiter)


def _runs(places: str) -> tuple[Span, ...]:
    """Runs of neighbours among the places of single characters.

    >>> _runs("[3, 4, 5, 9]")
    ((3, 6), (9, 10))
    """
    return runs(ast.literal_eval(places))


def runs(places: Sequence[int]) -> tuple[Span, ...]:
    """The same of numbers."""
    found: list[Span] = []
    for place in sorted(set(places)):
        if found and found[-1][1] == place:
            found[-1] = found[-1][0], place + 1
        else:
            found.append((place, place + 1))
    return tuple(found)
