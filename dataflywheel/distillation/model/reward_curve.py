"""How a reward went while a model learned by it, as plain numbers, from the trainer's log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dataflywheel.distillation.model.rollouts import JUDGED, NONE, WHY

POINTS = 300
"""Steps that are kept, at most."""
ENDS = 10
"""The first and the last of so many parts of the steps are called its beginning and end."""


def reward_curve(log: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of the steps of a training: `rewards` as (step, mean); `first` and `last`, means over the first and last tenth.

    Also how many `answers` were written, how many `unjudged` and for what `reasons`; the share of groups in which all
    answers got the same (`level_groups`: nothing is learned of them) and of answers that met the limit of tokens
    (`cut_answers`).

    Means are over answers that have a reward; None where none has.
    """
    steps = [entry for entry in log if JUDGED in entry]
    why: Counter[str] = Counter()
    for entry in steps:
        why.update({name.removeprefix(WHY): round(n) for name, n in entry.items() if name.startswith(WHY) and n})
    known = [(int(entry["step"]), entry["reward"], entry[JUDGED]) for entry in steps if entry[JUDGED]]
    part = max(1, len(known) // ENDS)
    every = max(1, len(known) // POINTS)
    unjudged, judged = (round(sum(entry[name] for entry in steps)) for name in (NONE, JUDGED))
    return {
        "rewards": [[step, round(float(reward), 4)] for step, reward, _ in known[::every]],
        "first": _mean(known[:part]),
        "last": _mean(known[-part:]),
        "answers": unjudged + judged,
        "unjudged": unjudged,
        "reasons": dict(why.most_common()),
        "level_groups": _share(steps, "frac_reward_zero_std"),
        "cut_answers": _share(steps, "completions/clipped_ratio"),
    }


def _mean(known: Sequence[tuple[int, float, float]]) -> float | None:
    n = sum(judged for _, _, judged in known)
    return round(sum(reward * judged for _, reward, judged in known) / n, 4) if n else None


def _share(steps: Sequence[Mapping[str, Any]], name: str) -> float | None:
    found = [float(entry[name]) for entry in steps if entry.get(name) is not None]
    return round(sum(found) / len(found), 4) if found else None
