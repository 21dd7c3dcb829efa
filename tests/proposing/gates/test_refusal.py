from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.damage import CHOICES, REFUSALS
from dataflywheel.proposing.gates.refusal import Refusal
from dataflywheel.proposing.kinds import Surroundings
from tests.proposing.gates.proposals import check, new
from tests.signals.rows import json_lines


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I am unable to provide medical advice.",
        "As an AI language model, I do not have feelings.",
        "Unfortunately, I cannot answer this question.",
        "Sorry, this is not something that I can do.",
        "I apologize, but I won't be able to share that.",
        "No input provided.",
        "*I cannot create that image.*",
    ],
)
def test_refusals_are_found(answer: str) -> None:
    found = check(Refusal(), new("Do it.", answer))
    assert (found.passed, found.reason) == (False, "refusal")


def test_refusals_of_every_wording_are_found() -> None:
    texts = [
        template.format(cannot=cannot, help=help, this=this)
        for template in REFUSALS
        for cannot in CHOICES["cannot"]
        for help in CHOICES["help"]
        for this in CHOICES["this"]
    ]
    checks = Refusal().check([new("Do it.", text) for text in [*texts, *map(str.lower, texts)]], Surroundings())
    assert not any(found.passed for found in checks)


@pytest.mark.parametrize(
    "answer",
    [
        "He said: I'm sorry, but I can't help you.",
        "Sorry is a word of apology.",
        "I can help with that.",
        "I cannot stand the rain, wrote the poet.",
        "As a teacher, you may begin with a story.",
        "I'm sorry, but I can't help with that. " + "Still, here is how it goes. " * 20,
    ],
)
def test_answers_pass(answer: str) -> None:
    assert check(Refusal(), new("Do it.", answer)).passed


def test_rows_that_people_wrote_pass(data: Path) -> None:
    rows = json_lines(data / "dolly" / "dolly_pool.jsonl.gz")
    checks = Refusal().check([new(r["instruction"], r["output"]) for r in rows], Surroundings())
    assert sum(not found.passed for found in checks) < 0.002 * len(rows)
