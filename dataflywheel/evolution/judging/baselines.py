"""What any judge of pairs must beat: the longer answer wins, a coin, the commonest label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from dataflywheel.contracts import Case, Verdict
from dataflywheel.evolution.judging.agreement import Interval, agreement


def longer_wins(cases: Sequence[Case]) -> list[Verdict]:
    """The answer with more characters; a tie where they are equally long."""
    sizes = [tuple(len(answer) for answer in case.answers) for case in cases]
    return [Verdict.TIE if a == b else Verdict.FIRST if a > b else Verdict.SECOND for a, b in sizes]


def majority(gold: Sequence[Verdict]) -> list[Verdict]:
    """The commonest label of the set itself, for every pair: more than such a judge could know."""
    counts: Counter[Verdict] = Counter(label for label in gold if label != Verdict.INVALID)
    commonest = max(counts, key=lambda label: (counts[label], label)) if counts else Verdict.INVALID
    return [commonest] * len(gold)


def coin(gold: Sequence[Verdict]) -> dict[str, float]:
    """The agreement that a fair coin between the two answers has on average, with ties and without; its kappa is 0."""
    labelled = [label for label in gold if label != Verdict.INVALID]
    decided = sum(label != Verdict.TIE for label in labelled)
    return {
        "agreement": 0.5 * decided / len(labelled) if labelled else float("nan"),
        "without_ties": 0.5 if decided else float("nan"),
        "kappa": 0.0 if labelled else float("nan"),
    }


def baselines(
    cases: Sequence[Case], gold: Sequence[Verdict], prompts: Sequence[Hashable], resamples: int = 2000
) -> dict[str, dict[str, Interval]]:
    """`agreement` of the longer answer, of a coin and of the commonest label with the gold labels."""
    n = float(len(gold))
    tossed = {name: {"value": v, "low": v, "high": v, "n": n} for name, v in coin(gold).items()}
    return {
        "longer": agreement(longer_wins(cases), gold, prompts, resamples=resamples),
        "coin": tossed,
        "majority": agreement(majority(gold), gold, prompts, resamples=resamples),
    }
