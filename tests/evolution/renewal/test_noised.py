"""Evaluation questions with typing errors: what must stay stays to the letter, and noise is verified too."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from dataflywheel.evolution.renewal.noised import Noised, misspelt
from dataflywheel.rows.identity import prompt_answer_row
from tests.enhancement.rewriting.support import MODEL, demand
from tests.evolution.renewal.sums import SOLVER
from tests.models.endpoint.fake import FakeClient

KEPT = [
    "Answer in `python code` please",
    "Let \\(frac x\\) be \\[another formula\\] and $some math$",
    "see https://example.org/some/path/there",
    'He said "exactly these words" twice',
    "```python\nreturn something\n```",
    "A) first option\n(b) second option\n3. third option",
    "NASA and Berlin and 12kg or not un-done foo.bar path/to/thing user@example",
]


@pytest.mark.parametrize("text", KEPT)
def test_what_must_stay_to_the_letter_is_never_misspelt(text: str) -> None:
    must = ["python code", "frac x", "another formula", "some math", "/some/path/there", "exactly these words"]
    must += ["return something", "first option", "second option", "third option", "un-done", "foo.bar", "path/to/thing"]
    for seed in range(20):
        after = misspelt(text, 1.0, np.random.default_rng(seed))
        assert [one for one in must if one in text and one not in after] == []
        assert re.findall(r"\d+|[A-Z]\w*", after) == re.findall(r"\d+|[A-Z]\w*", text)


def test_real_questions_keep_their_numbers_names_and_most_of_their_words(data: Path) -> None:
    with gzip.open(data / "gsm8k" / "test.jsonl.gz", "rt", encoding="utf-8") as lines:
        asked = [json.loads(line)["question"] for line, _ in zip(lines, range(300), strict=False)]
    changed = 0
    for number, text in enumerate(asked):
        after = misspelt(text, 0.2, np.random.default_rng(number))
        assert Counter(re.findall(r"[\d.,$%/]+", after)) == Counter(re.findall(r"[\d.,$%/]+", text))
        assert re.findall(r"\b[A-Z]\w*", after) == re.findall(r"\b[A-Z]\w*", text)
        words, others = text.split(), after.split()
        assert len(words) == len(others)
        assert sum(a != b for a, b in zip(words, others, strict=True)) <= 0.2 * len(words) + 1
        changed += after != text
    assert changed == len(asked)


def test_noise_is_the_same_for_the_same_row_and_is_verified_too() -> None:
    rows = [prompt_answer_row(f"Please kindly compute what number {i} + 2 makes", f"#### {i + 2}") for i in range(6)]
    method = Noised(model=MODEL)
    one, two = (
        method.propose_between(FakeClient(lambda request: "?"), SOLVER, demand(order)) for order in (rows, rows[::-1])
    )
    texts = [proposal.row["messages"][0]["content"] for proposal in one if proposal.row]
    assert texts == [proposal.row["messages"][0]["content"] for proposal in two[::-1] if proposal.row]
    assert len(texts) == 6
    wrong = FakeClient(lambda request: "#### 1000")
    assert {p.failure for p in method.propose_between(wrong, wrong, demand(rows))} == {
        "not verified: the final answer to it is another one"
    }
    (short,) = method.propose_between(wrong, SOLVER, demand([prompt_answer_row("1 + 2 = ?", "#### 3")]))
    assert short.failure == "no word that may be misspelt"
