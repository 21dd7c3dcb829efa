"""The signal against planted data: right counts and places, and never a value."""

from __future__ import annotations

import pyarrow as pa

from dataflywheel.contracts import Status
from dataflywheel.signals.personal_data import PersonalData
from dataflywheel.signals.personal_data_patterns import TYPES
from tests.signals.rows import batch

PAIRS = [
    ("Mail jane.doe@corp.org", "Done: jane.doe@corp.org, and card 5500 0000 0000 0004."),
    ("Who was born on 5 May 1950?", "Nobody."),
    ("", ""),
]


def test_counts_places_and_no_values() -> None:
    found = PersonalData().measure(batch(PAIRS))
    columns = {name: pa.array(values).to_pylist() for name, values in found.items()}
    assert columns["email"] == [2, 0, None]
    assert columns["card"] == [1, 0, None]
    assert columns["date_of_birth"] == [0, 1, None]
    assert columns["total"] == [3, 0, None]
    assert columns["status"] == [Status.OK, Status.OK, Status.EMPTY]
    text = "\n\n".join(PAIRS[0])
    for span in columns["spans"][0]:
        kind, start, end = span.split(":")
        assert text[int(start) : int(end)] in ("jane.doe@corp.org", "5500 0000 0000 0004")
        assert kind in TYPES
    assert "jane" not in repr(columns)
    assert "5500" not in repr(columns)


def test_a_part_and_any_order() -> None:
    answers = PersonalData(part="answer").measure(batch(PAIRS))
    assert pa.array(answers["email"]).to_pylist() == [1, 0, None]
    turned = PersonalData().measure(batch(PAIRS[::-1]))
    assert pa.array(turned["total"]).to_pylist() == [None, 0, 3]
