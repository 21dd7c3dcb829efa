"""Comparisons like those that the recipe writes, for each verdict."""

from __future__ import annotations

from typing import Any

import numpy as np

from dataflywheel.contracts import Cost


def _arm(name: str, label: str, difference: dict[str, float], verdict: str, rng: np.random.Generator) -> dict[str, Any]:
    """One arm; random holds 2.4 and the others that plus their difference."""
    mean = 2.4 + difference["mean"]
    chosen = name in ("selection", "perplexity")
    slices = {slice: mean + shift for slice, shift in (("writing", 0.1), ("facts", -0.1))}
    return {
        "name": name,
        "label": label,
        "role": "selection" if chosen else "baseline",
        "rows": 100,
        "answer_tokens": 6120,
        "train_tokens": 12455,
        "scores": [round(float(mean + error), 4) for error in rng.normal(0, 0.012, 5)],
        "mean": mean,
        "low": mean - 0.014,
        "high": mean + 0.014,
        "difference": None if name == "random" else difference,
        "verdict": verdict,
        "select_cost": Cost(12.4 if chosen else 0.01, 800 if chosen else 0).as_dict(),
        "train_seconds": 31.2,
        "length_shift": 1.31 if name == "longest" else 1.02,
        "overlap": {other: 0.113 for other in ("selection", "perplexity", "random", "longest") if other != name},
        "slices": {slice: {"mean": m, "low": m - 0.03, "high": m + 0.03} for slice, m in slices.items()},
    }


def comparison(verdict: str = "better than random", better: str = "lower") -> dict[str, Any]:
    """A compare.json whose numbers agree with the verdict."""
    shifts = {"better than random": -0.09, "no better than random": -0.004, "worse than random": 0.07}
    rng = np.random.default_rng(3)
    plan = [
        ("selection", "ifd then facility_location", shifts[verdict], 0.02, verdict),
        ("perplexity", "perplexity", 0.012, 0.03, "no better than random"),
        ("random", "random", 0.0, 0.0, "baseline"),
        ("longest", "longest", -0.031, 0.024, "better than random"),
    ]
    arms = []
    for name, label, shift, half, words in plan:
        middle = shift if better == "lower" else -shift
        difference = {"mean": middle, "low": middle - half, "high": middle + half}
        arms.append(_arm(name, label, difference, words, rng))
    facts = {"metric": "bits_per_byte", "better": better, "budget": "100 rows", "seeds": [0, 1, 2, 3, 4]}
    return {**facts, "rows_offered": 360, "arms": arms}
