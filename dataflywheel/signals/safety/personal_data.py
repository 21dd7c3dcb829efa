"""Personal data of a row: how much of each type, and where."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field

from dataflywheel.contracts import AnyArray, Card, PoolStatistics, Signal, Status
from dataflywheel.rows.text import BESIDE, Part, beside, part_of, speakers
from dataflywheel.signals.safety.name_recogniser import CHARS_A_SECOND, check_names, names_identity
from dataflywheel.signals.safety.name_types import NAME_TYPES
from dataflywheel.signals.safety.names_found import names_in
from dataflywheel.signals.safety.personal_data_patterns import PRIVATE, TYPES, Span, find
from dataflywheel.signals.safety.texts_with_names import placed


class PersonalData(Signal):
    """Counts by type of what has the form of personal data, with checksums where a type has one; never the values.

    - one column a type (`email`, `phone`, `card`, `iban`, `ssn`, `ip`, `date_of_birth`, `url_credentials`, `api_key`).
    - `person`, `place`, `organisation`: names that the model `names` finds outside of code and of the specifications of
      tools; null where none is given, for nobody looked.
    - `total`: all types that were looked for but dates of birth, which texts tell mostly of the famous: 0 behind a
      redaction with the same `names`. Whoever wants no places in it bounds the columns of the other types.
    - `spans`: `type:start:end` for each, in characters of the row's text: contents, and behind them the worse
      answer of a pair, tool specifications, cells and names of speakers, joined by blank lines.

    Cards are checked by Luhn, accounts by the remainder of 97. Postal addresses have no form and are not found, nor are
    names without `names`. Status EMPTY, and no value, for a row without text.
    """

    version: ClassVar[int] = 5
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
        pays="Letters, tickets and logs of people, before a model or a third party reads them; with `names` for "
        "persons, places and organisations too.",
        fails="Postal addresses have no form, telephone numbers without their area may be missed, and `names` knows "
        "its own language alone: read a sample before you publish.",
        evidence="Here (`benchmarks/gates.md`): recall 0.993 to 1.000 by type on labelled text, 0.9 % of finds wrong; "
        "in other surroundings telephones 0.784, the rest 0.993 to 1.000.",
    )
    columns: ClassVar[dict[str, pa.DataType]] = {
        **{name: pa.int32() for name in (*TYPES, *NAME_TYPES)},
        "total": pa.int32(),
        "spans": pa.list_(pa.string()),
    }

    part: Part = "all"
    """Text to read: the whole row, the prompt or the final answer."""
    names: str | None = Field(default=None, min_length=1)
    """What finds names of persons, places and organisations: an installed spaCy pipeline (`en_core_web_sm`) in the
    rows' language, the folder of one, or `presidio`; null: they are not looked for."""

    def ready(self) -> None:
        if self.names is not None:
            check_names(self.names)

    def model_digest(self) -> str:
        return "" if self.names is None else names_identity(self.names)

    def reading_seconds(self, pool: PoolStatistics) -> float:
        return 0.0 if self.names is None else pool.chars / CHARS_A_SECOND

    def measure(self, batch: pa.RecordBatch) -> dict[str, pa.Array | AnyArray]:
        rows = batch.select(self.reads).to_pylist()
        read = [part_of(row["messages"] or [], self.part) for row in rows]
        if self.part == "all":
            read = ["\n\n".join(filter(None, (t, beside(r), speakers(r)))) for t, r in zip(read, rows, strict=True)]
        found = [find(text) for text in read]
        if self.names is not None:
            places = [placed(row, self.part) for row in rows]
            named = iter(names_in([one.text for of_row in places for one in of_row], self.names))
            for spans, of_row in zip(found, places, strict=True):
                spans += [Span(s.type, *one.span(s.start, s.end)) for one in of_row for s in next(named)]
                spans.sort(key=lambda span: (span.start, span.end))
        return self._columns(read, found)

    def _columns(self, read: list[str], found: list[list[Span]]) -> dict[str, pa.Array | AnyArray]:
        empty = np.array([not text.strip() for text in read], dtype=bool)
        counts = [Counter(span.type for span in spans) for spans in found]
        by_type: dict[str, list[int]] = {name: [count[name] for count in counts] for name in (*TYPES, *NAME_TYPES)}
        by_type["total"] = [sum(count[name] for name in (*PRIVATE, *NAME_TYPES)) for count in counts]
        unseen = np.ones(len(read), dtype=bool) if self.names is None else empty
        spans = [[f"{s.type}:{s.start}:{s.end}" for s in one] for one in found]
        return {
            **{
                name: pa.array(np.asarray(n, dtype=np.int32), mask=unseen if name in NAME_TYPES else empty)
                for name, n in by_type.items()
            },
            "spans": pa.array([None if e else s for e, s in zip(empty, spans, strict=True)], pa.list_(pa.string())),
            "status": np.where(empty, Status.EMPTY, Status.OK).astype(np.uint8),
        }
