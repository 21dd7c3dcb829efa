"""The signal against planted data: right counts and places, and never a value."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pytest

from dataflywheel.contracts import Status
from dataflywheel.enhancement.toxicity.redact_personal_data import RedactPersonalData
from dataflywheel.proposing.gates.no_personal_data import NoPersonalData
from dataflywheel.proposing.kinds import Demand, Proposal, Surroundings
from dataflywheel.report.profile.pool_facts import collect
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import message, table
from dataflywheel.rows.text import beside, text_of
from dataflywheel.signals.safety.personal_data import PersonalData
from dataflywheel.signals.safety.personal_data_patterns import TYPES
from tests.signals.planted_names import plant
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


def test_the_worse_answer_tools_and_cells_are_looked_through(tmp_path: Path) -> None:
    turns = [message("user", "Write to whom?"), message("assistant", "The desk.")]
    tools = json.dumps([{"type": "function", "function": {"name": "f", "description": "ask carl@corp.org"}}])
    rows = [
        make_row(turns, rejected=[message("assistant", "To bob@corp.org.")]),
        make_row(turns, tools=tools),
        make_row(turns, cells=json.dumps({"mail": "ann@corp.org"})),
        make_row([message("user", "Hi", name="eve@corp.org"), turns[1]]),
        make_row(turns),
    ]
    held = pa.RecordBatch.from_struct_array(table(rows).to_struct_array().combine_chunks())
    assert pa.array(PersonalData().measure(held)["email"]).to_pylist() == [1, 1, 1, 1, 0]
    assert pa.array(PersonalData(part="answer").measure(held)["email"]).to_pylist() == [0, 0, 0, 0, 0]
    passed = [one.passed for one in NoPersonalData().check([Proposal((), row=row) for row in rows], Surroundings())]
    assert passed == [False, False, False, False, True]
    for proposal in RedactPersonalData().propose(Demand(tuple(rows[:4]), (0, 0, 0, 0), (), np.random.default_rng(0))):
        assert NoPersonalData().check([proposal], Surroundings())[0].passed
    with PartWriter(tmp_path / "rows") as writer:
        writer.write(table(rows))
    facts = collect(tmp_path / "rows")
    assert (facts.personal, facts.hints["email"].rows) == (3, 3)


def test_a_part_and_any_order() -> None:
    answers = PersonalData(part="answer").measure(batch(PAIRS))
    assert pa.array(answers["email"]).to_pylist() == [1, 0, None]
    turned = PersonalData().measure(batch(PAIRS[::-1]))
    assert pa.array(turned["total"]).to_pylist() == [None, 0, 3]


def test_names_are_nobodys_count_where_nobody_looked() -> None:
    found = PersonalData().measure(batch(PAIRS))
    assert all(pa.array(found[name]).null_count == 3 for name in ("person", "place", "organisation"))


def test_names_are_counted_with_their_places_and_never_in_code(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, {"Jane Doe": "person", "Lima": "place", "Acme": "organisation", 'Bob "B" Ray': "person"})
    call = orjson.dumps([{"name": "Acme", "arguments": {"to": 'Bob "B" Ray', "town": "Lima"}, "id": "1"}]).decode()
    turns = [
        message("user", "Mail Jane Doe, jane.doe@corp.org"),
        message("assistant", "Yes: `Jane Doe`", reasoning="Jane Doe again", tool_calls=call),
        message("assistant", "Done in Lima."),
    ]
    tools = json.dumps([{"type": "function", "function": {"name": "Acme", "description": "Acme writes"}}])
    cells = json.dumps({"Lima": "Acme"})
    row = make_row(turns, rejected=[message("assistant", "Acme did.")], tools=tools, cells=cells)
    held = pa.RecordBatch.from_struct_array(table([row, make_row([])]).to_struct_array().combine_chunks())
    measured = {name: pa.array(values).to_pylist() for name, values in PersonalData(names="any").measure(held).items()}
    counts = [measured[name] for name in ("person", "place", "organisation", "email", "total")]
    assert counts == [[3, None], [2, None], [2, None], [1, None], [8, None]]
    text = f"{text_of(row['messages'])}\n\n{beside(row)}"
    spans = [span.split(":") for span in measured["spans"][0]]
    assert [text[int(start) : int(end)] for _, start, end in spans] == [
        "Jane Doe", "jane.doe@corp.org", "Jane Doe", 'Bob \\"B\\" Ray', "Lima", "Lima", "Acme", "Acme",
    ]  # fmt: skip
    answers = PersonalData(names="any", part="answer").measure(held)
    assert pa.array(answers["place"]).to_pylist() == [1, None]
    passed = NoPersonalData(names="any", types=("organisation",)).check([Proposal((), row=row)], Surroundings())[0]
    assert (passed.reason, passed.detail) == ("personal data: organisation", "2 organisation")


def test_the_store_knows_the_recogniser(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, {"a": "person"}, identity="one-1")
    first = PersonalData(names="any").key()
    plant(monkeypatch, {"a": "person"}, identity="one-2")
    assert len({first, PersonalData(names="any").key(), PersonalData().key()}) == 3
