"""Personal data of a row: how much of each type, and where."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import AnyArray, Card, Signal, Status
from dataflywheel.rows.text import BESIDE, Part, beside, texts
from dataflywheel.signals.safety.personal_data_patterns import PRIVATE, TYPES, find


class PersonalData(Signal):
    """Counts by type of what has the form of personal data, with checksums where a type has one; never the values.

    - one column a type (`email`, `phone`, `card`, `iban`, `ssn`, `ip`, `date_of_birth`, `url_credentials`, `api_key`).
    - `total`: all types but dates of birth, which texts tell mostly of the famous.
    - `spans`: `type:start:end` for each, in characters of the row's text: contents, and behind them the worse
      answer of a pair, tool specifications and cells, joined by blank lines.

    Cards are checked by Luhn, accounts by the remainder of 97. Names and postal addresses have no form and are not
    found. Status EMPTY, and no value, for a row without text.
    """

    version: ClassVar[int] = 3
    reads: ClassVar[tuple[str, ...]] = ("messages", *BESIDE)
    card: ClassVar[Card] = Card(
        title="Presidio: Data Protection and De-identification SDK",
        authors="Microsoft",
        year=2018,
        paper="https://github.com/microsoft/presidio",
        category="signals",
        subcategory="safety",
        summary="Addresses, numbers, accounts and keys by form and checksum: counts and places, never values.",
        checked="precision and recall by type on labelled synthetic text; planted numbers with broken check digits",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {
        **{name: pa.int32() for name in TYPES},
        "total": pa.int32(),
        "spans": pa.list_(pa.string()),
    }

    part: Part = "all"
    """Text to read: the whole row, the prompt or the final answer."""

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        read = texts(batch["messages"], self.part)
        if self.part == "all":
            rest = map(beside, batch.select(BESIDE).to_pylist())
            read = [f"{text}\n\n{more}" if more else text for text, more in zip(read, rest, strict=True)]
        found = [find(text) for text in read]
        empty = np.array([not text.strip() for text in read], dtype=bool)
        counts = [Counter(span.type for span in spans) for spans in found]
        by_type: dict[str, list[int]] = {name: [count[name] for count in counts] for name in TYPES}
        by_type["total"] = [sum(count[name] for name in PRIVATE) for count in counts]
        spans = [[f"{s.type}:{s.start}:{s.end}" for s in one] for one in found]
        return {
            **{name: pa.array(np.asarray(n, dtype=np.int32), mask=empty) for name, n in by_type.items()},
            "spans": pa.array([None if e else s for e, s in zip(empty, spans, strict=True)], pa.list_(pa.string())),
            "status": np.where(empty, Status.EMPTY, Status.OK).astype(np.uint8),
        }
