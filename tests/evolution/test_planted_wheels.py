"""Feedback must find what was planted: the skill that the pool lacks, over five seeds by an interval without zero, and
the one source of three that is of use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import REGISTRY
from dataflywheel.recipe.scoreboard import mean_interval
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
    assert mean_interval(absent)["low"] > 0, absent
    assert mean_interval(overall)["low"] > 0, overall


@pytest.mark.slow
def test_feedback_leaves_sources_that_teach_nothing_or_wrong(tmp_path: Path) -> None:
    """One seed, far from level: `benchmarks/wheel.md` has five, by an interval."""
    base = student(tmp_path)
    one = turn(two_bad_sources(tmp_path, "feedback", 5, base, {"thompson": {}}), tmp_path)
    other = turn(two_bad_sources(tmp_path, "proportional", 5, base, PROPORTIONAL), tmp_path)
    assert other.sealed - one.sealed > 0.1
