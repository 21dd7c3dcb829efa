"""What a data set card counts in the final rows, and what the recipe says of their sources."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from dataflywheel.models.training.row_weights import weights_of
from dataflywheel.report import personal_data
from dataflywheel.report.languages import language_shares
from dataflywheel.report.rundir import Run
from dataflywheel.rows.parts import count_rows, has_weights, iter_batches, read_rows
from dataflywheel.rows.text import BESIDE, beside, part_of

LANGUAGE_ROWS = 300
PERSONAL_ROWS = 5_000
"""Rows in which personal data is looked for, at most."""


class CardFacts:
    """Counts over the final rows, and what the recipe says of the sources."""

    def __init__(self, run: Run) -> None:
        self.recipe = run.recipe_values
        self.sources: Counter[str] = Counter()
        self.licenses: dict[str, set[str]] = {}
        self.preferences = self.tools = self.conversations = 0
        last = run.final.directory / "rows" if run.final else run.directory
        total = count_rows(last)
        texts: list[str] = []
        self.personal: Counter[str] = Counter()
        self.personal_rows = 0
        for batch in iter_batches(last, ["source", "made_by", "extra", "messages", *BESIDE]):
            self.sources.update(batch.column("source").to_pylist())
            self._read_licenses(batch)
            self.preferences += len(batch) - batch.column("rejected").null_count
            self.tools += len(batch) - batch.column("tools").null_count
            messages = batch.column("messages")
            asked = pc.equal(messages.flatten().field("role"), "user")
            self.conversations += int((np.bincount(pc.list_parent_indices(messages).filter(asked)) > 1).sum())
            apart = max(1, -(-total // PERSONAL_ROWS))
            self._look_for_personal_data(every(messages, apart), batch.select(BESIDE)[::apart].to_pylist())
            texts += [part_of(row or [], "all") for row in every(messages, max(1, total // LANGUAGE_ROWS))]
        self.rows = sum(self.sources.values())
        self.weights = weights_of(read_rows(last, ["weight"])) if has_weights(last) else None
        self.languages, self.language_rows = language_shares(texts[:LANGUAGE_ROWS])

    def _read_licenses(self, batch: pa.RecordBatch) -> None:
        """What rows say of their own licence, "" for nothing; made rows have that of what they were made of."""
        read = batch.filter(pc.equal(batch.column("made_by"), ""))
        stated = pc.match_substring(read.column("extra"), '"license":')
        said = [orjson.loads(text).get("license") for text in read.column("extra").filter(stated).to_pylist()]
        silent = read.column("source").filter(pc.invert(stated)).to_pylist()
        stating = read.column("source").filter(stated).to_pylist()
        for source, license in zip([*stating, *silent], [*said, *[""] * len(silent)], strict=True):
            self.licenses.setdefault(source, set()).add(license if isinstance(license, str) else "")

    def _look_for_personal_data(self, rows: list[Any], rest: list[dict[str, Any]]) -> None:
        self.personal_rows += len(rows)
        for row, more in zip(rows, rest, strict=True):
            text = f"{part_of(row or [], 'all')}\n\n{beside(more)}"
            self.personal.update({kind for kind, _ in personal_data.find(text)})

    def entries(self, section: str) -> list[dict[str, Any]]:
        """The recipe's `pool` or `target`, always as a list."""
        found = self.recipe.get(section) or []
        return [entry for entry in ([found] if isinstance(found, dict) else found) if isinstance(entry, dict)]

    def license(self, source: str) -> str | None:
        """The licence of a source: what the recipe says of it; what its rows say, where they agree; that of the only
        entry where sources carry a name of their own."""
        entries = self.entries("pool")
        for entry in entries:
            path = str(entry.get("path") or "")
            if source in (entry.get("source"), entry.get("builtin"), path, Path(path).name, Path(path).stem):
                return entry.get("license")
        if len(own := self.licenses.get(source, set())) == 1 and any(own):
            return next(iter(own))
        return entries[0].get("license") if len(entries) == 1 else None


def every(column: pa.Array, step: int) -> list[Any]:
    """Every `step`th value of a column, from the first on."""
    found: list[Any] = column.take(pa.array(np.arange(0, len(column), step))).to_pylist()
    return found
