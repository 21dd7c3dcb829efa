"""Drift between rounds: planted drift is found and said, and equal rounds are told apart from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dataflywheel.recipe.rounds.round_outcome import drifted
from dataflywheel.report.sections.round_drift import drift
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import table
from dataflywheel.store.round_record import DriftRecord, RoundRecord


def rows(folder: Path, words: int, tag: float, seed: int, n: int = 200) -> Path:
    rng = np.random.default_rng(seed)
    made = [
        prompt_answer_row(
            f"Question {seed} {i}?", "word " * int(rng.integers(1, words)), tags=["ab"[rng.random() < tag]]
        )
        for i in range(n)
    ]
    with PartWriter(folder) as writer:
        writer.write(table(made))
    return folder


def test_longer_answers_and_other_tags_are_found(tmp_path: Path) -> None:
    first = rows(tmp_path / "a", 40, 0.5, 0)
    same, other = (
        drifted(first, rows(tmp_path / name, *how), 0) for name, how in (("b", (40, 0.5, 1)), ("c", (80, 0.9, 2)))
    )
    assert {test.column for test in other if test.adjusted <= 0.05} == {"text.tokens_answer", "row.tags"}
    assert [test.column for test in same if test.adjusted <= 0.05] == []
    assert drifted(first, rows(tmp_path / "d", 80, 0.9, 3, n=5), 0) == []


def test_the_report_says_it_in_one_line() -> None:
    moved = DriftRecord(column="row.tags", test="chi-square", statistic=9, p=0.001, adjusted=0.003, before=9, after=8)
    still = DriftRecord(column="text.tokens_answer", test="KS", statistic=0.1, p=0.4, adjusted=0.4, before=9, after=8)
    page = drift([RoundRecord(round=1), RoundRecord(round=2, drift=[still, moved])])
    assert "Drift of new rows from those of the first round: round 2: first tag" in page
    assert "none that chance does not explain" in drift([RoundRecord(round=2, drift=[still])])
    assert drift([RoundRecord(round=1)]) == ""
