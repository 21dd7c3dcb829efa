"""The gate names types and never values."""

from __future__ import annotations

import pytest

from dataflywheel.proposing.gates.no_personal_data import NoPersonalData
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import message
from tests.proposing.gates.proposals import check, new


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
