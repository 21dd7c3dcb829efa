"""Rows with flipped labels are hard to learn for a model of the real rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dataflywheel.enhancement.tables.columns import columns_of, text_of
from dataflywheel.enhancement.tables.learning_dynamics import Dynamics, Learned
from tests.enhancement.tables.support import read


@pytest.mark.parametrize("name", ["pima-indians-diabetes.csv", "breast-cancer.csv", "german.csv"])
def test_the_hard_group_is_richer_in_flips_in_ten_of_ten_seeds(name: str, data: Path) -> None:
    """Of other rows than it learned from: 80 real ones, and 150 beside them, 30 % with a flipped label."""
    lines = read(data / "tabular" / name)
    classes = sorted({line["class"] for line in lines})
    for seed in range(10):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(lines))
        others = [lines[i] for i in order[80:230]]
        flipped = rng.random(len(others)) < 0.3
        pairs = zip(others, flipped, strict=True)
        labels = [classes[1 - classes.index(one["class"])] if flip else one["class"] for one, flip in pairs]
        learned = Learned(columns_of([lines[i] for i in order[:80]]), "class")
        group = np.array([one.group for one in learned.dynamics(others, labels)])
        assert flipped[group == "hard"].mean() > flipped.mean() > flipped[group == "easy"].mean()
        assert (group == "hard").sum() > 10


def test_groups_are_as_defined() -> None:
    pairs = ((0.8, 0.2), (0.79, 0.1), (0.9, 0.21), (0.2, 0.2), (0.1, 0.25), (0.21, 0.0))
    wanted = ["easy", "ambiguous", "ambiguous", "hard", "ambiguous", "ambiguous"]
    assert [Dynamics(*pair).group for pair in pairs] == wanted


def test_confidence_is_the_mean_over_the_rounds() -> None:
    rng = np.random.default_rng(1)
    lines = [{"x": float(x), "kind": "ab"[i % 2], "y": str(int(x > 0))} for i, x in enumerate(rng.normal(size=60))]
    learned = Learned(columns_of(lines), "y")
    asked = [{"x": 2.0, "kind": "a"}, {"x": -2.0, "kind": None}, {"x": None, "kind": "never seen"}]
    for label in ("0", "1"):
        got = learned.dynamics(asked, [label] * 3)
        at = list(learned._trees.classes_).index(label)
        p = np.array([stage[:, at] for stage in learned._trees.staged_predict_proba(learned.vectors(asked))])
        assert p.shape == (100, 3)
        assert [one.confidence for one in got] == pytest.approx(p.mean(0))
        assert [one.aleatoric for one in got] == pytest.approx((p * (1 - p)).mean(0))
    assert learned.dynamics([], []) == []
    assert [text_of(line["y"]) for line in lines[:2]] == [lines[0]["y"], lines[1]["y"]]
