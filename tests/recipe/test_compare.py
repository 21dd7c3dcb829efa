"""A comparison: equal budgets, a fresh draw of random for each seed, no leaks, and each trial paid for once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from tests.recipe.jobs import CLEAN, TRAIN, job

ARMS = {"arms": ["random", "random_raw", "length_matched_random", "full"], "seeds": 2}


def test_random_must_be_among_the_arms() -> None:
    value = {"name": "x", "pool": {"path": "p"}, "steps": ["deduplicate"], "compare": ["longest"]}
    with pytest.raises(UsageError, match="a gain counts only against random choice"):
        recipe_from(value)


@pytest.mark.slow
def test_the_scoreboard(tmp_path: Path) -> None:
    recipe = job(tmp_path, [*CLEAN[:3], {"select": {"by": "longest", "keep": 24}}, *TRAIN], compare=ARMS)
    options = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    board = run(recipe, **options).comparison
    assert board is not None
    arms = {arm.name: arm for arm in board.arms}
    assert list(arms) == ["selection", *ARMS["arms"]]
    for arm in arms.values():
        assert arm.train_tokens == pytest.approx(arms["selection"].train_tokens, rel=0.02), arm.name
    assert arms["random"].rows > 1.2 * arms["selection"].rows == 1.2 * 24
    assert arms["random"].verdict == "baseline"
    assert len(set(arms["random"].scores)) == 2
    assert arms["selection"].length_shift > 2 > arms["random"].length_shift
    assert arms["length_matched_random"].length_shift == pytest.approx(arms["selection"].length_shift, rel=0.2)
    held = sorted((tmp_path / "store" / "trials").iterdir())
    trials = [path for path in held if path.is_dir()]
    assert len(trials) == 10
    written = {path: path.stat().st_mtime_ns for path in held}
    (tmp_path / "runs" / "job" / "compare.json").unlink()
    again = run(recipe, **options).comparison
    assert again is not None
    assert [arm.scores for arm in again.arms] == [arm.scores for arm in board.arms]
    assert {t: t.stat().st_mtime_ns for t in (tmp_path / "store" / "trials").iterdir()} == written
    facts = [json.loads((folder / "facts.json").read_text()) for folder in trials]
    bill = json.loads((tmp_path / "runs" / "job" / "ledger.json").read_text())["steps"]
    learned = sum(one["passes"] for one in facts)
    assert learned == sum(one["rows"] for one in facts)  # one pass, of rows that all can be learned
    assert {one["examined"]["passes"] for one in facts} == {bill["round-1/06-evaluate"]["forward"]}
    spent = bill["compare"]
    assert (spent["backward"], spent["forward"]) == (learned, learned + 10 * bill["round-1/06-evaluate"]["forward"])
    assert spent["tokens"] == sum(one["tokens"] + one["examined"]["tokens"] for one in facts)
    in_turn = sum(one["trial_seconds"] for one in facts)
    assert spent["seconds"] >= in_turn / (os.cpu_count() or 1) - 0.01  # side by side
    train = bill["round-1/05-train"]
    assert (train["forward"], train["backward"], train["tokens"]) == (24, 24, arms["selection"].train_tokens)
