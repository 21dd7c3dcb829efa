"""What models put around a user's turn, and what stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.synthesis.instruction.sanitiser import Repair, sanitise


@pytest.mark.parametrize(
    ("turn", "text", "repair"),
    [
        ("Name three birds.", "Name three birds.", Repair.NONE),
        ("\n Name three birds.\n\n", "Name three birds.", Repair.NONE),
        ("Question: What is rain?", "What is rain?", Repair.PREFIX),
        ("**Task 3:** Sum 1 and 2.", "Sum 1 and 2.", Repair.PREFIX),
        ("## Problem: Sum 1 and 2.", "Sum 1 and 2.", Repair.PREFIX),
        ("Sum 1 and 2.\n\nAnswer: 3", "Sum 1 and 2.", Repair.MARKER),
        ("Sum 1 and 2.\nStep 1: take 1", "Sum 1 and 2.", Repair.MARKER),
        ("Sum 1 and 2.\n**Solution**\n3", "Sum 1 and 2.", Repair.MARKER),
        ("Task: Sum 1 and 2.\n### Response:\n3", "Sum 1 and 2.", Repair.MARKER),
        ("Write about birds.\n## Birds of the sea\nThe gull.", "Write about birds.", Repair.HEADING),
        ("What is rain? Rain is water. It falls. It is wet.", "What is rain?", Repair.FIRST_QUESTION),
        ("What is rain? Answer in one sentence.", "What is rain? Answer in one sentence.", Repair.NONE),
        ("Why is a solution to x = 2 unique?", "Why is a solution to x = 2 unique?", Repair.NONE),
        ("Question this text in public.", "Question this text in public.", Repair.NONE),
        ("Answer: 3", "", Repair.NOTHING_LEFT),
        ("...", "", Repair.NOTHING_LEFT),
        ("", "", Repair.NOTHING_LEFT),
    ],
)
def test_repairs(turn: str, text: str, repair: Repair) -> None:
    assert sanitise(turn) == (text, repair)


@given(st.text(max_size=60) | st.from_regex(r"(Task: )?[a-z .?\n#]{0,40}(Answer: [a-z]{0,5})?", fullmatch=True))
def test_only_a_piece_of_the_turn_stays_and_untouched_turns_are_called_so(turn: str) -> None:
    text, repair = sanitise(turn)
    assert text in turn
    assert (text == turn.strip()) == (repair is Repair.NONE) or not text
    assert bool(text) == (repair is not Repair.NOTHING_LEFT)
