"""Final answers are found where they are marked, and nowhere else."""

# ruff: noqa: RUF001
from __future__ import annotations

import time
from contextlib import suppress

import pytest

from dataflywheel.proposing.final_answer import LONG, NONE, SEVERAL, NoAnswerError, final_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("48/2 = 24\n48+24 = 72\n#### 72", "72"),
        ("48/2 = <<48/2=24>>24\n####-5", "-5"),
        ("Adding up, the answer is 72.", "72"),
        ("The final answer is: **1,000** dollars", "1,000 dollars"),
        ("Answer: (B)", "(B)"),
        (r"Thus $x = \boxed{\frac{1}{2}}$.", r"\frac{1}{2}"),
        (r"The answer is \boxed{3}.", "3"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"so \fbox{7} it is", "7"),
        (r"so \boxed 7", "7"),
        (r"It takes \boxed{5} minutes.", "5 minutes"),
        (r"We get \boxed{3}, again \boxed{3.0}", "3.0"),
        ("The answer is 3.5. That is all.", "3.5"),
        ("So the answer is 4.\n#### 4", "4"),
        ("As for the answer: is it odd? No.\n#### 4", "4"),
        ("She has 3 + 4 = 7 eggs left. #### 7", "7"),
        ("So the answer would be 7.", "7"),
        ("Our answer is correct. So \\boxed{44}", "44"),
        (" 17 ", "17"),
        ("Paris", "Paris"),
        ("A: 18", "18"),
        ("Two and two.\nA: 18", "18"),
        ("We get\n**18**", "18"),
        ("We add all of them:\n\n$18$", "18"),
        ("**Answer:** 18", "18"),
        ("**Final Answer**: 18", "18"),
        ("### Final Answer\n18", "18"),
        ("Final Answer:\n\n$18$", "18"),
        ("Therefore, the answer is \\(18\\).", "18"),
        ("so <answer>18</answer>", "18"),
        ("The correct answer is (B) Paris.", "(B) Paris"),
        ("Option B is correct.", "B"),
        ("Hence\nthe correct option is B because it is.", "B"),
        ("A. Rome\nB. Paris\nAnswer: B", "B"),
        ("<think>\nThe answer is 5.\n</think>\nThe answer is 6.", "6"),
        ("The answer is 5 or 6.", "5 or 6"),
        ("Sum it.\nAns. 42", "42"),
        ("Schritt 1: 2+3.\nDie Antwort lautet 5.", "5"),
        ("D'abord 2+3.\nLa r\u00e9ponse est 5.", "5"),
        ("2+3.\nLa respuesta final es 5.", "5"),
        ("Шаг 1.\nОтвет: 5", "5"),
        ("2+3=5\u3002\n答案是 5\u3002", "5"),
        ("まず2+3。\n答えは5です。", "5"),
        ("2+3.\n정답은 5입니다.", "5"),
        ("12 + 15 eder.\n**Cevap:** 27", "27"),
        ("Sumujemy.\nOdpowiedź: 27.", "27"),
        ("Vi adderar.\nSvar: 27", "27"),
        ("Ta cộng lại.\nĐáp số: 27", "27"),
        ("Kita jumlahkan.\nJawaban: 27", "27"),
        ("نجمع العددين.\nالإجابة: 27", "27"),
        ("नमूना जोड़।\nउत्तर: 27", "27"),
        ("מחברים.\nתשובה: 27", "27"),
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
        ("The numbers are:\n1\n2\n3", NONE),
        ("#### 72\n#### 73", SEVERAL),
        ("The answer is 72.\n#### 27", SEVERAL),
        ("The answer is no.\n\\boxed{yes}", SEVERAL),
        (r"\boxed{1} or \boxed{2}", SEVERAL),
        (r"\boxed{5 minutes} or \boxed{5 hours}", SEVERAL),
        ("####\n", NONE),
        (r"\boxed{1", NONE),
        ("<think>\nThe answer is 5.\n</think>\n", NONE),
        ("x" * 300_000 + "\n#### 5", LONG),
    ],
)
def test_not_found(text: str, reason: str) -> None:
    with pytest.raises(NoAnswerError, match=reason):
        final_answer(text)


@pytest.mark.parametrize("piece", [
    "\\boxed{", "\n", "#### ", "answer is ", "the answer: ", "1", "1 ", "-", ",", "`", "A: 1\n", "hundred ",
    "<<1=", "<answer>", "**", "{", "\\boxed{1}", " ", "Answer\n", "</think>", ". ",
])  # fmt: skip
def test_any_text_is_read_in_a_time_that_grows_as_its_length(piece: str) -> None:
    began = time.process_time()
    for size in (10**4, 10**5, 10**6):
        with suppress(NoAnswerError):
            final_answer("x\n" + (piece * size)[:size])
    assert time.process_time() - began < 4
