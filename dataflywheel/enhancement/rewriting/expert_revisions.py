"""Texts before and after an expert's revision, read from a file, and those of them that were changed most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dataflywheel.contracts import AnyArray, UsageError
from dataflywheel.rows.containers import read_blocks
from dataflywheel.rows.parse import records

FIELDS = tuple(f"{side} {part}" for side in ("raw", "revised") for part in ("instruction", "input", "response"))
OPTIONAL = ("raw input", "revised input")


@dataclass(frozen=True)
class ExpertRevision:
    """An instruction, its input below it, and its answer: raw and revised."""

    raw_instruction: str
    raw_answer: str
    instruction: str
    answer: str

    @cached_property
    def distance(self) -> int:
        """Characters inserted, deleted and substituted in instruction and answer (Levenshtein)."""
        from dataflywheel.signals.words.edit_kernels import edit_distance

        pairs = (self.raw_instruction, self.instruction), (self.raw_answer, self.answer)
        return sum(int(edit_distance(_points(before), _points(after))) for before, after in pairs)


def read_revisions(path: Path) -> list[ExpertRevision]:
    """Revisions of a file (jsonl, json, csv, tsv, parquet; gzip or zstd too).

    A record has the fields of CoachLM's release, in any case and with blanks or underscores: raw instruction, raw
    input, raw response, revised instruction, revised input, revised response. The inputs may be missing.

    Raises:
        UsageError: no such file, or a record that is none, with its line.
    """
    if not path.is_file():
        raise UsageError(f"no file {path}: name the file of expert revisions")
    _, blocks = read_blocks(path)
    return [_revision(path, line, record) for block in blocks for line, _, record in records(block)]


def most_changed(revisions: Sequence[ExpertRevision], share: float) -> list[ExpertRevision]:
    """The `share` of revisions, rounded up, with the greatest edit distance, greatest first; ties in given order.

    One to an empty instruction or answer teaches nothing and is left out.
    """
    ranked = sorted((one for one in revisions if one.instruction and one.answer), key=lambda one: -one.distance)
    return ranked[: -int(-share * len(ranked) // 1)]


def _revision(path: Path, line: int, record: Any) -> ExpertRevision:
    held = {str(k).lower().replace("_", " "): v for k, v in record.items()} if isinstance(record, dict) else {}
    found = dict.fromkeys(OPTIONAL, "") | {name: held[name] or "" for name in FIELDS if name in held}
    missing = [name for name in FIELDS if not isinstance(found.get(name), str)]
    if missing:
        raise UsageError(f"{path}:{line}: an expert revision needs the text {' and '.join(missing)}")
    sides = ("\n".join(filter(None, (found[f"{s} instruction"], found[f"{s} input"]))) for s in ("raw", "revised"))
    before, after = sides
    return ExpertRevision(before, found["raw response"], after, found["revised response"])


def _points(text: str) -> AnyArray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
