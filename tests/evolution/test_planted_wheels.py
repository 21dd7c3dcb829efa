"""Feedback must find what was planted: the skill that the pool lacks, over five seeds by an interval without zero, and
the one source of three that is of use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import REGISTRY
from dataflywheel.recipe.comparing.scoreboard import mean_interval
from tests.evolution.planted_wheels import (
    ABSENT,
    FACTS,
    SameSkill,
    absent_skill,
    planted_method,
    student,
    turn,
    two_bad_sources,
)

SEEDS = range(5)
PROPORTIONAL: dict[str, Any] = {"proportional": {}}


def test_no_word_of_the_facts_stands_for_two_things() -> None:
    words = [word for facts in FACTS.values() for pair in facts.items() for word in pair]
    assert len(words) == len(set(words)) == 2 * 12 * 6


def test_the_planted_method_is_in_no_catalogue() -> None:
    assert SameSkill.name not in REGISTRY
    with planted_method():
        assert REGISTRY[SameSkill.name] is SameSkill
    assert SameSkill.name not in REGISTRY


@pytest.mark.slow
def test_feedback_beats_proportional_shares_where_a_skill_is_absent_from_the_pool(tmp_path: Path) -> None:
    base = student(tmp_path)
    overall, absent = [], []
    for seed in SEEDS:
        one = turn(absent_skill(tmp_path, "feedback", seed, base, {"weakest_slices": {}}), tmp_path)
        other = turn(absent_skill(tmp_path, "proportional", seed, base, PROPORTIONAL), tmp_path)
        overall.append(other.sealed - one.sealed)
        absent.append(other.slices[ABSENT] - one.slices[ABSENT])
    assert mean_interval(absent).low > 0, absent
    assert mean_interval(overall).low > 0, overall


@pytest.mark.slow
def test_the_one_source_of_use_is_found_and_taken(tmp_path: Path) -> None:
    """One seed, far from level: what feedback wins over equal shares is in `benchmarks/wheel.md`, by an interval."""
    wheel = two_bad_sources(tmp_path, "feedback", 6, student(tmp_path), {"thompson": {}}, rounds=6)
    turn(wheel, tmp_path)
    budgets = sorted((tmp_path / "runs" / wheel.name).glob("round-*/budget.json"))
    asked = [list(json.loads(path.read_text(encoding="utf-8"))["steps"].values()) for path in budgets]
    assert sorted(np.argmax(asked[1:4], axis=1)) == [0, 1, 2]  # each source by itself
    right, wrong, unrelated = np.sum(asked[4:], axis=0)
    assert right > 2 * (wrong + unrelated)
