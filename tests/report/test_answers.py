"""Target rows before and after training: the ends that are shown are those of scores that were planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataflywheel.evolution.feedback.evaluate import RowScores
from dataflywheel.evolution.feedback.score_files import read_scores, write_scores
from dataflywheel.report.rundir import Run, load_run
from dataflywheel.report.sections.answers import answers, last_evaluation
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import table
from dataflywheel.store.record import StepRecord
from dataflywheel.store.round_record import RoundRecord
from tests.report.fixture import HOSTILE
from tests.report.page_check import PageCheck

ROWS = [prompt_answer_row(f"question {i}", f"reference {i}") for i in range(12)]


def scores(value: list[float], weight: list[float] | None = None, texts: list[str | None] | None = None) -> RowScores:
    ids, slices = (np.array(v, dtype=object) for v in ([row["id"] for row in ROWS], ["s"] * len(ROWS)))
    own = {} if texts is None else {"answer": np.array(texts, dtype=object)}
    return RowScores(ids, slices, np.array(value, float), np.array(weight or [1.0] * 12, float), **own)


def run_of(folder: Path, trained: RowScores, base: RowScores | None, better: str, name: str = "scores") -> Run:
    step = folder / "round-1" / "02-evaluate"
    step.mkdir(parents=True)
    write_scores(step / f"{name}.parquet", trained)
    if base is not None:
        write_scores(step / "untrained.parquet", base)
    StepRecord(step="evaluate", details={"metric": "m", "better": better}).write(step)
    with PartWriter(folder / "target" / "rows") as writer:
        writer.write(table(ROWS))
    (folder / "recipe.yaml").write_text("name: a\n", encoding="utf-8")
    return load_run(folder)


@pytest.mark.parametrize("name", ["scores", "scores-select"])
def test_of_likelihoods_the_rows_that_gained_most_and_least_are_shown(tmp_path: Path, name: str) -> None:
    """Row i gains i bits over its weight; the last row is not scored, and row 0 got worse."""
    weight = [2.0] * 12
    before = [2 * 9.0] * 12
    after = [2 * (9.0 - i) for i in range(12)]
    after[0], after[11] = 2 * 10.0, float("nan")
    html = answers(run_of(tmp_path, scores(after, weight), scores(before, weight), "lower", name))
    seen = PageCheck(html)
    assert seen.faults == []
    assert "better than the untrained one on 10 of 11 rows, worse on 1, and the same on 0" in seen.text
    first, last = html.split("Improved least, or got worse")
    assert [f"question {i}<" in first for i in range(12)] == [i in (10, 9, 8, 7) for i in range(12)]
    assert [f"question {i}<" in last for i in range(12)] == [i in (0, 1, 2, 3) for i in range(12)]
    assert last.index("question 0<") < last.index("question 1<") < last.index("question 3<")
    assert "9.000 \u2192 10.000" in PageCheck(last).text.replace("10.00", "10.000").replace("9.00 ", "9.000 ")
    assert "reference 10" in first


def test_of_written_answers_the_best_and_the_worst_are_shown_side_by_side(tmp_path: Path) -> None:
    right = [1.0, 0.0] * 6
    told: list[str | None] = [f"after {i} {HOSTILE}" for i in range(12)]
    base = scores([0.0] * 12, texts=[*(f"before {i}" for i in range(11)), None])
    html = answers(run_of(tmp_path, scores(right, texts=told), base, "higher"))
    seen = PageCheck(html)
    assert seen.faults == []
    assert "script" not in seen.tags
    best, worst = html.split("<h3>Worst</h3>")
    assert all((f"after {i} " in best) <= (right[i] == 1.0) for i in range(12))
    assert all((f"after {i} " in worst) <= (right[i] == 0.0) for i in range(12))
    for i in range(12):
        assert (f"after {i} " in html) == (f"before {i}<" in html or (i == 11 and "(nothing)" in html))


def test_without_the_untrained_model_the_scores_stand_alone(tmp_path: Path) -> None:
    html = answers(run_of(tmp_path, scores([float(i) for i in range(12)]), None, "lower"))
    assert "The untrained model was not scored" in html
    best, worst = html.split("<h3>Worst</h3>")
    assert "question 0<" in best
    assert "question 11<" in worst


def test_answers_survive_the_disk(tmp_path: Path) -> None:
    write_scores(tmp_path / "a.parquet", scores([1.0] * 12, texts=["x", None] * 6))
    assert read_scores(tmp_path / "a.parquet").answer.tolist() == ["x", None] * 6
    write_scores(tmp_path / "b.parquet", scores([1.0] * 12))
    assert len(read_scores(tmp_path / "b.parquet").answer) == 0


def test_of_a_wheel_the_last_kept_round_counts(tmp_path: Path) -> None:
    for round, kept in ((1, True), (2, True), (3, False)):
        StepRecord(step="evaluate").write(tmp_path / f"round-{round}" / "03-evaluate")
        RoundRecord(round=round, kept=kept).write(tmp_path / f"round-{round}")
    (tmp_path / "recipe.yaml").write_text("name: a\n", encoding="utf-8")
    found = last_evaluation(load_run(tmp_path))
    assert found is not None
    assert found.round == 2
