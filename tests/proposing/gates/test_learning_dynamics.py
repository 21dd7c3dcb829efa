"""Flipped labels among planted ones, and no text judged by what it was made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import UsageError, build
from dataflywheel.proposing.dynamics import dynamics_of
from dataflywheel.proposing.gates.learning_dynamics import Learned, LearningDynamics, Text
from dataflywheel.proposing.kinds import Check, Proposal, Surroundings
from dataflywheel.proposing.label_classifier import fold
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message
from tests.proposing.gates.proposals import pool_of
from tests.signals.toxic_words import label_file, sentences


def row(text: str, label: str | None, **more: Any) -> Row:
    return make_row([message("user", text)], label=label, **more)


def labelled(n: int, seed: int, flipped: float = 0.0) -> tuple[list[Row], list[bool]]:
    """Labelled rows, and whether the label of each was flipped."""
    draw = np.random.default_rng(seed + 1000)
    flips = [bool(one) for one in draw.random(n) < flipped]
    pairs = sentences(n, seed)
    rows = [row(t, "toxic" if bad != flip else "fine") for (t, bad), flip in zip(pairs, flips, strict=True)]
    return rows, flips


def checked(folder: Path, real: list[Row], made: list[Row], **given: Any) -> list[Check]:
    around = Surroundings(pool=pool_of(folder, real))
    return build(LearningDynamics, given).check([Proposal((), one) for one in made], around)


@pytest.mark.parametrize("seed", range(10))
def test_hard_ones_are_flipped_ones(seed: int, tmp_path: Path) -> None:
    real, _ = labelled(200, seed, flipped=0.1)
    made, flips = labelled(60, 50 + seed, flipped=0.3)
    found = checked(tmp_path / "pool", real, made)
    hard = [flip for flip, one in zip(flips, found, strict=True) if one.reason == "hard to learn"]
    assert hard, "there are some"
    assert np.mean(hard) > np.mean(flips), "richer in flips than all"
    assert np.mean([one.passed for flip, one in zip(flips, found, strict=True) if not flip]) > 0.9
    easy = checked(tmp_path / "pool2", real, made, keep="easy")
    assert sum(one.passed for one in easy) <= sum(one.passed for one in found)


def test_groups_are_those_by_hand() -> None:
    said = np.array([[0.9, 0.5, 0.1, 1.0], [0.9, 0.5, 0.1, 0.0]])
    assert [one.group for one in dynamics_of(said)] == ["easy", "ambiguous", "hard", "ambiguous"]
    assert [one.aleatoric for one in dynamics_of(said)] == pytest.approx([0.09, 0.25, 0.09, 0.0])


def test_no_text_is_judged_by_what_saw_it_or_its_kin() -> None:
    """A text whose own words say nothing else: its label is known to who saw it alone."""
    texts = [Text(f"r{i}", f"{'nice' if i % 2 else 'bad'} word{i}", "fine" if i % 2 else "toxic") for i in range(60)]
    secret = [Text("kin", "quibble quabble", "toxic")] * 30
    learned = Learned([*texts, *secret], 10, 0)
    same, other = next(f"x{i}" for i in range(99) if fold(f"x{i}") != fold("kin")), "kin"
    seen, kin = learned.dynamics([Text(same, "quibble quabble", "toxic"), Text(other, "quibble quabble", "toxic")])
    assert seen.confidence > kin.confidence + 0.15


def test_what_has_no_label_or_an_unknown_one_is_not_decided(tmp_path: Path) -> None:
    real, _ = labelled(100, 0)
    found = checked(tmp_path / "pool", real, [row("you grobblehead", None), row("you grobblehead", "purple")])
    assert [(one.passed, one.decided, one.reason) for one in found] == [
        (False, False, "no label to learn"),
        (False, False, "label not learned"),
    ]
    few = checked(tmp_path / "few", real[:10], [row("you grobblehead", "toxic")])
    assert "fewer than two labels" in few[0].detail


def test_labels_come_from_a_file_or_from_the_pool(tmp_path: Path) -> None:
    made = [row("the weather you grobblehead was late today", label) for label in ("toxic", "fine")]
    given = {"labels": str(label_file(tmp_path / "labels.jsonl"))}
    found = build(LearningDynamics, given).check([Proposal((), one) for one in made], Surroundings())
    assert [one.passed for one in found] == [True, False]
    with pytest.raises(UsageError, match="no pool to learn from"):
        build(LearningDynamics, {}).check([Proposal((), made[0])], Surroundings())
    with pytest.raises(UsageError, match="does not exist"):
        build(LearningDynamics, {"labels": "nowhere.jsonl"}).check([Proposal((), made[0])], Surroundings())


def test_checks_depend_on_the_proposal_alone(tmp_path: Path) -> None:
    real, _ = labelled(120, 3)
    made, _ = labelled(20, 4, flipped=0.5)
    whole = checked(tmp_path / "a", real, made)
    assert [checked(tmp_path / "a", real, [one])[0].passed for one in made[:5]] == [one.passed for one in whole[:5]]
