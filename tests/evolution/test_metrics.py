"""Metrics by name, several answers to a row, and what is said of rows that could not be scored."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from dataflywheel.contracts import UsageError
from dataflywheel.evolution.feedback.answering import Answered
from dataflywheel.evolution.feedback.evaluate import Evaluate, RowScores, marked, summarise
from dataflywheel.evolution.feedback.score_files import read_scores, write_scores
from dataflywheel.evolution.feedback.slice_results import slice_results, success
from dataflywheel.evolution.iteration.trial import EvalSet
from dataflywheel.evolution.metrics.named import better, is_share, metric_of, names
from dataflywheel.recipe.inputs.target_rows import check_target_rows
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import message, table
from dataflywheel.store.plan import SeenTarget


def test_metrics_by_name() -> None:
    assert {"final_answer", "unit_tests", "tool_call", "python", "bits_per_byte", "exact_match"} <= set(names())
    assert (better("bits_per_byte"), better("final_answer")) == ("lower", "higher")
    assert (is_share("final_answer"), is_share("answer_loss")) == (True, False)
    assert metric_of('unit_tests:{"limits":{"seconds":9}}').limits.seconds == 9  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="did you mean 'final_answer'"):
        metric_of("final_anwser")


def test_several_answers_give_pass_at_k_and_an_unscored_one_leaves_its_row_unscored() -> None:
    rows = [prompt_answer_row("Q", "#### 4"), prompt_answer_row("Q", "#### 5"), prompt_answer_row("Q", "a\nb")]
    made = [["#### 4", "#### 4", "I cannot say.\nNo.", "#### 5"], ["4"] * 4, ["4"] * 4]
    rows.append(rows[0])
    found = marked(metric_of("final_answer"), rows, [*map(Answered, made), Answered([], "too long")], k=2)
    assert [mark.value for mark in found] == [pytest.approx(5 / 6), 0.0, None, None]
    assert [mark.note for mark in found] == ["no final answer", "", "no reference with a final answer", "too long"]


def test_what_was_not_scored_is_said_with_its_reason(tmp_path: Path) -> None:
    note = np.array(["no reference", "", "no final answer", "no reference"], dtype=object)
    value = np.array([np.nan, 1.0, 0.0, np.nan])
    scores = RowScores(np.array(list("abcd"), dtype=object), np.array(["s"] * 4, dtype=object), value, np.ones(4), note)
    told = summarise(scores, "final_answer", Evaluate())
    assert told["overall"]["value"] == 0.5
    assert (told["not_scored"], told["not_scored_because"]) == (2, {"no reference": 2})
    assert told["nothing_because"] == {"no final answer": 1}
    write_scores(tmp_path / "s.parquet", scores)
    assert read_scores(tmp_path / "s.parquet").note.tolist() == note.tolist()


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValidationError, match="needs at least 3 samples"):
        Evaluate(samples=2, k=3, temperature=1)
    with pytest.raises(ValidationError, match="all samples are one"):
        Evaluate(samples=2)


def recipe(path: Path, metric: object) -> Recipe:
    pool = [{"builtin": "python_docs"}]
    steps = [{"select": {"by": "random", "keep": "1%"}}]
    return recipe_from({"name": "a", "pool": pool, "target": [{"path": str(path), "metric": metric}], "steps": steps})


def test_a_target_without_what_its_metric_needs_is_refused_with_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines = [{"prompt": f"Q{i}", "completion": "#### 4" if i < 3 else "so\nso"} for i in range(5)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (told,) = check_target_rows(recipe(path, "final_answer"))
    because = {"no reference with a final answer": 2}
    assert told == SeenTarget(metric="final_answer", rows=5, not_scored=2, because=because)
    with pytest.raises(UsageError, match=r"target\[0\]: unit_tests cannot score 5 of 5 rows: 5 have no tests"):
        check_target_rows(recipe(path, {"unit_tests": {"limits": {"seconds": 3}}}))
    with pytest.raises(UsageError, match="there is no metric 'final'"):
        recipe(path, "final")


def test_a_users_metric_is_named_checked_and_part_of_the_exam(tmp_path: Path) -> None:
    path = tmp_path / "metrics.py"
    path.write_text("def score(answer, row):\n    return 2.0\n")
    made = recipe(tmp_path / "t.jsonl", {"python": f"{path}:score"})
    assert made.target[0].metric == f"python:{path}:score"
    assert recipe(tmp_path / "t.jsonl", made.target[0].metric) == made
    with pytest.raises(UsageError, match="is not there"):
        recipe(tmp_path / "t.jsonl", {"python": "./nowhere.py:score"})
    with PartWriter(tmp_path / "rows") as writer:
        writer.write(table([make_row([message("user", "Q")])]))
    exam = EvalSet(tmp_path / "rows", made.target[0].metric, ("s",), Evaluate())
    before = exam.digest()
    path.write_text("def score(answer, row):\n    return 3.0\n")
    assert exam.digest() != before
    assert (success(3.0, made.target[0].metric), math.isnan(success(math.nan, made.target[0].metric))) == (1.0, True)
    scores = RowScores(np.array(["a"] * 3), np.array(["s"] * 3), np.array([0.2, 0.4, 0.9]), np.ones(3))
    (found,) = slice_results(scores, made.target[0].metric)
    assert found.low < 0.5 < found.high
