"""The gate names types and never values."""

from __future__ import annotations

import pytest

from dataflywheel.contracts import UsageError, build
from dataflywheel.proposing.gates.no_personal_data import NoPersonalData
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import message
from tests.proposing.gates.proposals import check, new
from tests.signals.planted_names import plant


def test_reasons_and_no_values() -> None:
    pair = make_row(
        [message("user", "Hi"), message("assistant", "Ho")], rejected=[message("assistant", "or 8.8.8.8, 9.9.9.9")]
    )
    rows = [
        prompt_answer_row("Who?", "jane@corp.org or +44 20 7946 0958"),
        prompt_answer_row("Who was born on 5 May 1950?", "I do not know."),
        pair,
    ]
    proposals = [Proposal((), row) for row in rows]
    found = NoPersonalData().check(proposals, Surroundings())
    assert [check.reason for check in found] == ["personal data: email", "", "personal data: ip"]
    assert [check.detail for check in found] == ["1 email, 1 phone", "", "2 ip"]
    assert "jane" not in repr(found)
    births = NoPersonalData(types=("date_of_birth",)).check(proposals, Surroundings())
    assert [check.passed for check in births] == [True, False, True]


@pytest.mark.parametrize(
    "text",
    [
        "Write to user@m\u00fcnchen.de today.",
        "\u90ae\u7bb1\uff1abob@\u4f8b\u5b50.\u4e2d\u56fd\u3002",
        "Write to bob (at) example.com",
        "bob [at] example [dot] com",
        "Tel.: 030/901820-0",
    ],
)
def test_addresses_in_any_script_and_spelling_are_found(text: str) -> None:
    assert not check(NoPersonalData(), new("Where?", text)).passed


@pytest.mark.parametrize(
    "text", ["About 1 800 000 000 people", "10 000 000 000 stars", "Meet (at) noon.", "x @ y", "On 05/12/2020."]
)
def test_sums_in_groups_are_nobodys_number(text: str) -> None:
    assert check(NoPersonalData(), new("How many?", text)).passed


@pytest.mark.parametrize("text", ["000-000-0000", "item 0000002-11", "00000-123-4567", "+0123 456 789", "+12 34 56"])
def test_no_country_has_such_a_code_or_number(text: str) -> None:
    assert check(NoPersonalData(), new("Which?", text)).passed


@pytest.mark.parametrize("text", ["0044 20 7946 0958", "00 (44) 20 7946 0958", "+683 4002 123", "(+44) 20 7946 0958"])
def test_numbers_dialled_from_abroad_are_found(text: str) -> None:
    assert check(NoPersonalData(), new("Which?", text)).reason == "personal data: phone"


def test_names_are_found_where_a_model_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, {"Jane Doe": "person", "Lima": "place"})
    row = new("Who?", "Jane Doe, `Lima`, jane@corp.org")
    named = check(NoPersonalData(names="any"), row)
    assert (named.reason, named.detail) == ("personal data: email", "1 email, 1 person")
    assert check(NoPersonalData(names="any", types=("place",)), row).passed
    assert check(NoPersonalData(), row).detail == "1 email"


def test_names_and_their_types_go_together() -> None:
    with pytest.raises(UsageError, match="only a model finds these; name one"):
        build(NoPersonalData, {"types": ["email", "person"]})
    with pytest.raises(UsageError, match="`types` has none of them"):
        build(NoPersonalData, {"types": ["email"], "names": "en_core_web_sm"})
