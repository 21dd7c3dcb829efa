"""A function of the user's as a reward: called as TRL calls its own, or with one answer and its row."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import FlywheelError, Mark
from dataflywheel.evolution.bridges.reward_of import reward_of
from dataflywheel.rows.identity import prompt_answer_row


def test_a_users_function_as_trl_calls_it_or_as_a_metric_is(tmp_path: Path) -> None:
    file = tmp_path / "r.py"
    file.write_text(
        "def trl(completions, prompts, gold, **kwargs):\n"
        "    said = [one[0]['content'] for one in completions]\n"
        "    asked = [one[-1]['content'] for one in prompts]\n"
        "    return [None if g is None else len(q) + float(s == g) for q, s, g in zip(asked, said, gold)]\n"
        "def few(completions, **kwargs):\n    return [1.0]\n"
        "def own(answer, row):\n    return {'4': 1, '5': 'x'}[answer]\n"
    )
    rows = [
        prompt_answer_row("2+2", "", extra={"gold": "4"}),
        prompt_answer_row("2", "", extra={"gold": "5"}),
        prompt_answer_row("Tell me.", "Once."),
    ]
    trl = reward_of({"python": {"function": f"{file}:trl"}})
    assert trl.marks(["4", "4", "4"], rows) == [Mark(4.0), Mark(1.0), Mark(None, "the function gave no number")]
    with pytest.raises(FlywheelError, match="few gave 1 rewards for 2 answers"):
        reward_of({"python": {"function": f"{file}:few"}}).score(["a", "b"], rows[:2])
    own = reward_of({"python": {"function": f"{file}:own"}})
    assert [(one.value, one.note.split(":")[0]) for one in own.marks(["4", "5", "6"], rows)] == [
        (1.0, ""), (None, "the function gave no number"), (None, "the function failed"),
    ]  # fmt: skip
    before = own.contents()
    file.write_text("def own(answer, row):\n    return 1\n")
    assert own.contents() != before


def test_an_error_of_a_function_written_for_trl_is_told_of_every_answer(tmp_path: Path) -> None:
    (tmp_path / "trl.py").write_text("def f(completions, **kw):\n    return [kw['gold'] for _ in completions]\n")
    found = reward_of({"python": {"function": f"{tmp_path / 'trl.py'}:f"}}).marks(
        ["a", "b"], [prompt_answer_row("q", "")] * 2
    )
    assert [mark.value for mark in found] == [None, None]
    assert all("KeyError" in mark.note and "line 2" in mark.note for mark in found)
