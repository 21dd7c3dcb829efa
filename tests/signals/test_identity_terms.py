"""Every word for a group is read as the same word."""

from __future__ import annotations

import pytest

from dataflywheel.signals.identity_terms import GROUPS, NEUTRAL, neutralised


@pytest.mark.parametrize("group", GROUPS)
def test_every_term(group: str) -> None:
    for term in GROUPS[group]:
        assert neutralised(f"I met {term} yesterday.") == f"I met {NEUTRAL} yesterday."
        assert neutralised(term.upper()) == neutralised(f"{term} people") == NEUTRAL


def test_other_words_stay() -> None:
    for text in ("The manual is in the whiteboard room", "blackbird", "people", "", "non-white noise"):
        assert neutralised(text) == text
    assert neutralised("gay black men") == NEUTRAL
    assert neutralised(neutralised("gay women and men")) == neutralised("gay women and men")
