from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.report.personal_data import find, masked


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("mail a.b+c@mail.example.co.uk now", ["email"]),
        ("user@localhost, @handle, 5@6, a @ b.com", []),
        ("call (415) 555-0132 or 020 7946 0958", ["phone-like number", "phone-like number"]),
        ("+4915112345678", ["phone-like number"]),
        ("from 2019-01-02 to 2020-03-04, 3.1415926535, 1,000,000,000", []),
        ("the server 8.8.8.8, not 127.0.0.1, 10.1.2.3, 999.1.1.1 or version 1.2.3.4.5", ["IP address"]),
        ("5500 0000 0000 0004 and 378282246310005", ["card number", "card number"]),
        ("5500 0000 0000 0005 and 0000 0000 0000 0000", []),
        ("pay to DE89 3704 0044 0532 0130 00", ["account number"]),
        ("password = hunter2hunter2hunter2x", ["access key"]),
        ("https://joe:secret99@db.example.org/x", ["credentials in an address"]),
        ("my SSN is 536-90-4399", ["social security number"]),
    ],
)
def test_forms(text: str, kinds: list[str]) -> None:
    assert [kind for kind, _ in find(text)] == kinds


@given(st.text(max_size=300))
def test_any_text_is_searched_without_an_error_and_masked(text: str) -> None:
    for kind, piece in find(text):
        assert masked(kind, piece) != piece


def test_labelled_synthetic_data(data: Path) -> None:
    """Every hint is a labelled span; how many of the labelled spans have a form that is looked for."""
    kinds = {"EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone-like number", "IP_ADDRESS": "IP address"}
    kinds |= {"CREDIT_CARD": "card number", "IBAN_CODE": "account number", "US_SSN": "social security number"}
    found, labelled, false = Counter[str](), Counter[str](), Counter[str]()
    with gzip.open(data / "pii_synthetic" / "synth_dataset_v2.json.gz") as file:
        rows = json.load(file)
    for row in rows:
        hints = list(find(row["full_text"]))
        spans = [(kinds[s["entity_type"]], s["entity_value"]) for s in row["spans"] if s["entity_type"] in kinds]
        for kind, value in spans:
            labelled[kind] += 1
            found[kind] += any(k == kind and (value.strip() in text or text in value) for k, text in hints)
        false.update(k for k, text in hints if not any(kind == k and (text in v or v in text) for kind, v in spans))
    recall = {kind: found[kind] / labelled[kind] for kind in labelled}
    assert sum(false.values()) <= 4
    assert recall["email"] == 1
    assert recall["card number"] > 0.9
    assert recall["IP address"] > 0.9
    assert recall["phone-like number"] > 0.6
