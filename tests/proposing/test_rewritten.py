"""Rows with another answer: what stays, and what was said of the old answer alone."""

from __future__ import annotations

import pytest

from dataflywheel.proposing.rewritten import rewritten
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import message


@pytest.mark.parametrize(("label", "kept"), [("false", None), ("true", None), ("greeting", "greeting"), (None, None)])
def test_whether_the_old_answer_was_wanted_says_nothing_of_the_new_one(label: str | None, kept: str | None) -> None:
    row = make_row([message("user", "Say bye."), message("assistant", "Get lost.")], label=label)
    made = rewritten(row, "x", "Goodbye.")
    assert (made["label"], made["messages"][-1]["content"]) == (kept, "Goodbye.")
    assert rewritten(row, "x", "Goodbye.", label="true")["label"] == "true"
