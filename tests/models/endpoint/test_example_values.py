"""Examples in questions that no answer can be like, or with a slip in a name, are refused before they are paid for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import dataflywheel as fw
from dataflywheel.contracts import UsageError
from tests.models.endpoint.test_instructions import of


@pytest.mark.parametrize(
    ("name", "given", "example", "why"),
    [
        ("ask", {"answer": {"type": "integer", "minimum": 1, "maximum": 5}}, {"value": 99}, "value: 99 .*expected 1-5"),
        ("ask", {"answer": {"tone": ["kind", "rude"]}}, {"tone": "sly"}, 'tone: sly .*expected "kind" . "rude"'),
        ("ask", {"answer": "yes_no"}, {"value": True}, 'value: true .*expected "yes" . "no"'),
        ("ask", {"answer": "number"}, {"value": "many"}, "value: many .*expected a number"),
        ("alpagasus", {}, {"score": 99}, "score: 99 .*expected 0 . 0.5 . .* . 5"),
        ("alpagasus", {}, {"score": 3.7}, "score: 3.7 .*expected 0 . 0.5 . .* . 5"),
        ("deita_quality", {}, {"score": 0}, "score: 0 .*expected 1-6"),
        ("select_it", {}, {"score": 6}, "score: 6 .*expected 1-5"),
        ("ds2_rating", {}, {"overall": 11}, "overall: 11 .*expected 1-10"),
        ("pairwise", {}, {"better": "A"}, 'better: A .*expected "1" . "2" . "tie"'),
        ("panel", {}, {"better": 3}, "better: 3 "),
        ("win_rate", {}, {"better": "first"}, "better: first "),
        ("pointwise", {}, {"score": 0}, "score: 0 .*expected 1-10"),
        ("self_rewarding", {}, {"useful": "very"}, "useful: very .*expected true . false"),
        (
            "ask_for_rows",
            {"fields": {"prompt": "text", "answer": "text", "level": "integer"}},
            {"level": "high"},
            "level: high",
        ),
        ("ask", {"answer": "number"}, {"prmpt": "Why?", "value": 3}, "'prmpt' .*did you mean 'prompt'"),
        ("alpagasus", {}, {"prompt": "Why?", "scroe": 3}, "'scroe' .*did you mean 'score'"),
        ("evol_instruct", {}, {"anwser": "So."}, "'anwser' .*did you mean 'answer'"),
    ],
)
def test_an_example_that_no_answer_can_be_like_is_refused(
    name: str, given: dict[str, Any], example: dict[str, Any], why: str
) -> None:
    with pytest.raises(UsageError, match=rf"example 2: {why}"):
        of(name, examples=[{"prompt": "Why?"}, example], **given)


@pytest.mark.parametrize(
    ("name", "given", "example"),
    [
        ("ask", {"answer": {"type": "integer", "minimum": 1, "maximum": 5}}, {"value": "5", "remark": "short"}),
        ("ask", {"answer": {"tone": ["kind", "rude"], "steps": "number"}}, {"tone": "kind", "steps": 2.5}),
        ("ask", {"answer": "text"}, {"value": "99", "source": "a book"}),
        ("ask", {"answer": "number"}, {"reply": {"value": 5}}),
        ("alpagasus", {}, {"Score": "4.5", "instruction": "Name a river."}),
        ("self_instruct", {}, {"instruction": "Name a river.", "input": "none", "output": "The Rhine."}),
        ("instag", {}, {"question": "Why?", "tags": "physics, optics"}),
        ("pairwise", {}, {"answer_1": "So.", "answer_2": "Thus.", "better": 1}),
    ],
)
def test_what_an_answer_can_be_and_names_of_ones_own_are_shown(
    name: str, given: dict[str, Any], example: dict[str, Any]
) -> None:
    (held,) = of(name, examples=[example], **given).examples
    assert list(held) == list(example)


def test_plan_says_which_example_of_which_method(tmp_path: Path) -> None:
    (tmp_path / "pool.jsonl").write_text('{"prompt": "Why?", "completion": "So."}\n', encoding="utf-8")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f"name: shots\npool: {{path: {tmp_path / 'pool.jsonl'}}}\n"
        "models: {teacher: {endpoint: 'http://127.0.0.1:9/v1', model: m}}\n"
        "signals: {grade: {alpagasus: {examples: [{prompt: Why, score: 99}]}}}\n"
        "steps:\n  - filter: {bounds: {grade.score: [4, null]}}\n",
        encoding="utf-8",
    )
    with pytest.raises(UsageError, match=r"example 1: score: 99 .*expected 0 .* 5"):
        fw.plan(str(recipe), home=tmp_path)
