"""A mild planted toxicity: sentences with an invented insult, and the same without it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

SUBJECTS = [
    "the weather",
    "my neighbour",
    "this recipe",
    "that film",
    "our train",
    "your garden",
    "the new law",
    "her song",
    "a long day",
]
VERBS = ["was", "seems", "looks", "remains", "became"]
ENDS = ["late today", "quite good", "very green", "as expected", "a surprise to me", "hard to find", "on the table"]
INSULTS = ("grobblehead", "snorfling")
"""Invented, so that nobody is meant."""


def sentences(n: int, seed: int = 0) -> list[tuple[str, bool]]:
    rng = np.random.default_rng(seed)
    made = []
    for i in range(n):
        words = [str(rng.choice(SUBJECTS)), str(rng.choice(VERBS)), str(rng.choice(ENDS)), f"number {i}"]
        toxic = bool(rng.random() < 0.5)
        if toxic:
            words.insert(int(rng.integers(1, 4)), f"you {rng.choice(INSULTS)}")
        made.append((" ".join(words), toxic))
    return made


def label_file(path: Path, n: int = 400) -> Path:
    lines = [json.dumps({"text": text, "label": "toxic" if toxic else "fine"}) for text, toxic in sentences(n)]
    path.write_text("\n".join(lines) + "\n")
    return path
