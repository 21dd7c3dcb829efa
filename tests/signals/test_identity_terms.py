"""Every word for a group is left out, and nothing else."""

from __future__ import annotations

import pytest

from dataflywheel.signals.safety.identity_terms import GROUPS, neutralised


@pytest.mark.parametrize("group", GROUPS)
def test_every_term(group: str) -> None:
    for term in GROUPS[group]:
        assert neutralised(f"I met {term} yesterday.") == "I met  yesterday."
        assert neutralised(term.upper()) == neutralised(f"{term} people") == ""


def test_other_words_stay() -> None:
    for text in ("The manual is in the whiteboard room", "blackbird", "people", "", "non-white noise"):
        assert neutralised(text) == text
    assert neutralised("gay black men") == ""
    assert neutralised("gay women and men") == " and "
