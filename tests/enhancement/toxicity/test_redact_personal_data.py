"""Redaction: nothing that is found stays, the same value has one stand-in in a row and another elsewhere."""

from __future__ import annotations

import gzip
import json
import logging
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.enhancement.toxicity.redact_personal_data import NOTHING, RedactPersonalData
from dataflywheel.enhancement.toxicity.stand_ins import redactor, surrogate
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.signals.safety.personal_data_patterns import TYPES, find


def redacted(*rows: Row) -> list[Proposal]:
    return RedactPersonalData().propose(Demand(rows, (0,) * len(rows), (), np.random.default_rng(0)))


def emails(row: Row) -> list[str]:
    return [word.strip(".,") for turn in row["messages"] for word in turn["content"].split() if "@" in word]


def test_consistent_within_a_row_and_not_across() -> None:
    rows = [prompt_answer_row(f"{i}: ask jane@corp.org, JOE@corp.org", "I asked Jane@corp.org.") for i in range(2)]
    first, second = (proposal.row for proposal in redacted(*rows))
    assert first is not None
    assert second is not None
    jane, joe, again = emails(first)
    assert jane == again != joe
    assert not set(emails(second)) & {jane, joe}
    assert first["parents"] == [rows[0]["id"]]
    assert first["made_by"] == "redact_personal_data"


def test_all_of_a_row_is_redacted_and_the_rest_stays() -> None:
    call = orjson.dumps([{"name": "mail", "arguments": {"to": "jane@corp.org", "n": 4}}]).decode()
    row = make_row(
        [message("user", "Mail jane@corp.org"), message("assistant", "Sure", tool_calls=call)],
        rejected=[message("assistant", "No, jane@corp.org")],
        extra={"author": {"email": ["jane@corp.org"]}, "year": 1999},
        tags=["mail"],
        source="box",
    )
    made = redacted(row)[0].row
    assert made is not None
    assert b"jane" not in orjson.dumps(made)
    stand_in = emails(made)[0]
    assert orjson.loads(made["messages"][1]["tool_calls"] or "") == [
        {"name": "mail", "arguments": {"to": stand_in, "n": 4}}
    ]
    assert orjson.loads(made["extra"]) == {"author": {"email": [stand_in]}, "year": 1999}
    assert (made["tags"], made["source"], made["copies"]) == (["mail"], "box", 1)


def test_a_clean_row_stays() -> None:
    row = prompt_answer_row("Two plus two?", "4")
    assert [(p.row, p.failure) for p in redacted(row)] == [(None, NOTHING)]


@pytest.mark.parametrize("kind", TYPES)
def test_stand_ins_are_not_found(kind: str) -> None:
    for i in range(300):
        stand_in = surrogate(kind, str(i))
        for text in (stand_in, f"call {stand_in}, born {stand_in}", f"https://{stand_in}@host.org", f"({stand_in})."):
            assert find(text) == []


@given(st.text(alphabet="0123456789 -+().@:/abcAB", max_size=80), st.text(alphabet="ab", max_size=2))
def test_redacting_twice_changes_nothing_more(text: str, key: str) -> None:
    once = redactor(key, TYPES)(text)
    assert find(once) == []
    assert redactor(key + "other", TYPES)(once) == once


def test_labelled_values_are_gone_and_nothing_is_logged(
    data: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    kinds = {"EMAIL_ADDRESS", "US_SSN", "IBAN_CODE", "CREDIT_CARD", "IP_ADDRESS", "PHONE_NUMBER"}
    with gzip.open(data / "pii_synthetic" / "synth_dataset_v2.json.gz") as file:
        rows = [r for r in json.load(file) if any(s["entity_type"] in kinds for s in r["spans"])]
    proposals = redacted(*(prompt_answer_row("Note", row["full_text"]) for row in rows))
    left = total = 0
    for row, proposal in zip(rows, proposals, strict=True):
        text = row["full_text"] if proposal.row is None else proposal.row["messages"][1]["content"]
        values = [s["entity_value"] for s in row["spans"] if s["entity_type"] in kinds]
        total += len(values)
        left += sum(value in text for value in values)
        assert all(v not in repr((proposal.failure, dict(proposal.facts))) for v in values)
    assert left / total < 0.02
    assert caplog.text == capsys.readouterr().out == ""
