"""The gate of learning dynamics on labelled texts of people, of which some get another label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gates_common import Line, Section
from gates_safety import labelled_sets

from dataflywheel.proposing.gates.learning_dynamics import Learned, LearningDynamics, Text

REAL, JUDGED, PASSES = 2_000, 1_000, LearningDynamics.model_fields["passes"].default


def learning_dynamics(data: Path) -> Section:
    lines: list[Line] = []
    sets = labelled_sets(data)
    for name in ("paradetox", "hate_offensive_tweets"):
        for noise in (0.0, 0.2):
            lines += _lines(name, sets[name], noise)
    note = (
        f"{REAL:,} texts to learn from, of which a share has the other label where `noisy` says so, and {JUDGED:,} "
        "others, once with the label that people gave and once with the other one. `easy alone`: the ambiguous ones "
        "are turned away as well."
    )
    return Section("Learning dynamics of labelled texts", note, lines)


def _lines(name: str, given: tuple[list[str], list[bool]], noise: float) -> list[Line]:
    rng = np.random.default_rng(0)
    pairs = list(dict(zip(*given, strict=True)).items())
    order = rng.permutation(len(pairs)).tolist()
    real, held = ([pairs[i] for i in part] for part in (order[:REAL], order[REAL : REAL + JUDGED]))
    flips = rng.random(REAL) < noise
    learned = Learned(
        [
            Text(f"real {i}", t, _said(bad != bool(flip)))
            for i, ((t, bad), flip) in enumerate(zip(real, flips, strict=True))
        ],
        PASSES,
        0,
    )
    title = f"{name}{', noisy 0.2' if noise else ''}"
    lines = []
    for wrong in (False, True):
        texts = [Text(f"held {i}", text, _said(bad != wrong)) for i, (text, bad) in enumerate(held)]
        groups = [one.group for one in learned.dynamics(texts)]
        what, measure = ("labels turned round", "recall") if wrong else ("labels of people", "false alarms")
        for keep, lost in (("", ("hard",)), (", easy alone", ("hard", "ambiguous"))):
            rejected = sum(group in lost for group in groups)
            lines.append(
                Line(f"{title}: {what}{keep}", measure, len(groups), rejected, *_made(wrong))  # type: ignore[arg-type]
            )
    return lines


def _made(wrong: bool) -> tuple[str]:
    return ("published, changed by rule" if wrong else "published",)


def _said(toxic: bool) -> str:
    return "toxic" if toxic else "fine"
