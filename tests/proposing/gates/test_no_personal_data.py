"""The gate names types and never values."""

from __future__ import annotations

from dataflywheel.proposing.gates.no_personal_data import NoPersonalData
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import message


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
