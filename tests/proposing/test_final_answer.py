"""Final answers are found where they are marked, and nowhere else."""

from __future__ import annotations

import pytest

from dataflywheel.proposing.final_answer import NONE, SEVERAL, NoAnswerError, final_answer, same_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("48/2 = 24\n48+24 = 72\n#### 72", "72"),
        ("#### -5", "-5"),
        ("Adding up, the answer is 72.", "72"),
        ("The final answer is: **1,000** dollars", "1,000** dollars"),
        ("Answer: (B)", "(B)"),
        (r"Thus $x = \boxed{\frac{1}{2}}$.", "1/2"),
        (r"The answer is \boxed{3}.", "3"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        ("The answer is 3.5. That is all.", "3.5"),
        ("So the answer is 4.\n#### 4", "4"),
        (" 17 ", "17"),
        ("Paris", "Paris"),
    ],
)
def test_found(text: str, answer: str) -> None:
    assert final_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("First 3, then 4.\nIn all 7 apples.", NONE),
        ("", NONE),
        ("He has 3 apples and buys 4, so that he now has seven apples, as anyone can count by hand: 7", NONE),
        ("#### 72\n#### 73", SEVERAL),
        ("The answer is 72.\n#### 27", SEVERAL),
        (r"\boxed{1} or \boxed{2}", SEVERAL),
        ("####\n", NONE),
    ],
)
def test_not_found(text: str, reason: str) -> None:
    with pytest.raises(NoAnswerError, match=reason):
        final_answer(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("-5", "5", False), ("1/2", "12", False), ("10%", "0.1", True), ("10%", "10", False), ("1,000", "1000", True),
        ("3.50", "7/2", True), ("72 apples", "72", True), ("72", "seventy-two", False), ("Paris.", "paris", True),
        ("paris", "london", False), ("", "", False), (r"\frac{1}{2}", "0.5", True), ("0.333", "1/3", False),
    ],
)  # fmt: skip
def test_compared_as_numbers_or_as_text(one: str, other: str, same: bool) -> None:
    assert same_answer(one, other) is same
    assert same_answer(other, one) is same
