"""The final answer of a worked solution, found where it is marked and nowhere else, and compared exactly."""

from __future__ import annotations

import re

from dataflywheel.proposing.exact_numbers import parse_number, plain_math

NONE = "no final answer"
SEVERAL = "several final answers"
SHORT = 80
"""Characters of an answer of one line that is taken whole where nothing is marked."""
_HASHES = re.compile(r"^\s*####[ \t]*(\S.*?)\s*$", re.MULTILINE)
_SAID = re.compile(
    r"\b(?:the\s+)?(?:final\s+)?answer\s*(?:is|:|=)\s*:?\s*(?P<said>[^\n]+?)\s*(?=\n|$|\.(?:\s|$))", re.IGNORECASE
)
_BOXED = re.compile(r"\\boxed\s*\{")


class NoAnswerError(ValueError):
    """There is not exactly one final answer; the message is one of `NONE` and `SEVERAL`."""


def final_answer(text: str) -> str:
    r"""What a solution gives as its answer: behind `####`, within `\boxed{}`, behind "the answer is" or "answer:".

    Without such a mark, an answer of one short line is the answer itself. Marks that disagree are no answer.

    >>> final_answer("48 / 2 = 24\n#### 24"), final_answer(r"So \boxed{\frac{1}{2}}."), final_answer("7")
    ('24', '1/2', '7')

    Raises:
        NoAnswerError: nothing is marked, or marks disagree.
    """
    said = [match["said"] for match in _SAID.finditer(text)]
    found = [*_HASHES.findall(text), *_boxes(text), *(piece for piece in said if not _BOXED.search(piece))]
    if not found:
        whole = text.strip()
        if not whole or "\n" in whole or len(whole) > SHORT or "####" in whole or _BOXED.search(whole):
            raise NoAnswerError(NONE)
        found = [whole]
    answers = [plain_math(piece.strip().strip("*").rstrip(".").strip()) for piece in found]
    if not all(answers):
        raise NoAnswerError(NONE)
    if any(not same_answer(answers[-1], other) for other in answers[:-1]):
        raise NoAnswerError(SEVERAL)
    return answers[-1]


def same_answer(given: str, gold: str) -> bool:
    """Whether two answers are equal: as exact numbers where both are numbers, else as text.

    Texts are compared without case, outer punctuation and runs of white space.

    >>> same_answer("1,000", "1000.0"), same_answer("10%", "0.1"), same_answer("-5", "5"), same_answer("1/2", "12")
    (True, True, False, False)
    """
    numbers = parse_number(plain_math(given)), parse_number(plain_math(gold))
    if None not in numbers:
        return numbers[0] == numbers[1]
    return numbers == (None, None) and _folded(given) == _folded(gold) != ""


def _folded(text: str) -> str:
    return " ".join(plain_math(text).casefold().split()).strip(" .!\"'`*")


def _boxes(text: str) -> list[str]:
    r"""Contents of `\boxed{}` with braces matched; an open box has none."""
    found = []
    for match in _BOXED.finditer(text):
        depth = 1
        for i in range(match.end(), len(text)):
            depth += {"{": 1, "}": -1}.get(text[i], 0)
            if not depth:
                found.append(text[match.end() : i])
                break
    return found
