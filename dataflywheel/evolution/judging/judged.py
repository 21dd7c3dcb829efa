"""The outcome of judging one model's answers against another's, as numbers and as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from dataflywheel.contracts import Judgement, Verdict
from dataflywheel.evolution.judging.agreement import agreement
from dataflywheel.evolution.judging.baselines import longer_wins
from dataflywheel.evolution.judging.length_control import LengthControlled
from dataflywheel.evolution.judging.pairing import Pairs
from dataflywheel.evolution.judging.self_test import SelfTest
from dataflywheel.evolution.judging.win_rate import preferences, steadiness, win_rate


@dataclass
class Judged:
    """The outcome of A against B. Rates are A's; NaN or None where something could not be measured."""

    a: str
    b: str
    judge: str
    model: str
    pairs: int
    only_in_a: int
    only_in_b: int
    left_out: int
    self_test: SelfTest
    verdicts: dict[str, int]
    """How often each of first (A), second (B), tie and invalid."""
    win_rate: dict[str, float]
    consistency: float
    """Share of the pairs with the same verdict in both orders."""
    first_position: float
    invalid: float
    reasons: dict[str, int]
    """Why verdicts are missing, with counts of pairs."""
    longer: dict[str, float]
    """How often the winner was the longer answer, of the pairs with a winner."""
    length_controlled: LengthControlled | None
    length_note: str
    """Why there is no length-controlled rate, or what to make of it."""
    gold: dict[str, Any] | None
    cost: dict[str, float | None]
    """Calls, tokens and dollars, over all runs of this question; dollars are None where the price is not known."""
    baseline: str
    """Digest of B's answers."""
    judgements: list[dict[str, Any]] = field(default_factory=list)
    stopped: str = ""
    """That a cap left pairs unjudged, which are no part of the rates; "" where all were."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values; NaN becomes None."""
        plain: dict[str, Any] = orjson.loads(orjson.dumps(self))
        return plain


def measured(
    judgements: Sequence[Judgement], voices: Sequence[Judgement], pairs: Pairs, resamples: int, seed: int
) -> dict[str, Any]:
    """The fields of `Judged` that follow from the judgements of the pairs alone; `voices`: see `Session`."""
    said = [judgement.verdict for judgement in judgements]
    missing = [j.reason.split(":")[0] for j in judgements if j.verdict == Verdict.INVALID]
    by_length = agreement(said, longer_wins(pairs.cases), pairs.prompts, "dropped", resamples, seed)
    return {
        "pairs": len(pairs.cases),
        "only_in_a": pairs.only_in_a,
        "only_in_b": pairs.only_in_b,
        "left_out": pairs.left_out,
        "verdicts": {verdict.value: said.count(verdict) for verdict in Verdict},
        "win_rate": win_rate(said, pairs.prompts, resamples, seed),
        **steadiness(voices),
        "reasons": dict(Counter(missing)),
        "longer": by_length["without_ties"],
        "baseline": pairs.baseline,
        "judgements": lines(judgements, pairs),
    }


def lines(judgements: Sequence[Judgement], pairs: Pairs) -> list[dict[str, Any]]:
    """One line a pair: ids and numbers, no text of the answers."""
    won = preferences([judgement.verdict for judgement in judgements]).tolist()
    return [
        {
            "id": j.id,
            "prompt": prompt,
            "verdict": j.verdict.value,
            "orders": [verdict.value for verdict in j.orders],
            "scores": list(j.scores),
            "won": w,
            "longer": len(case.answers[0]) - len(case.answers[1]),
            "reason": j.reason,
        }
        for j, prompt, w, case in zip(judgements, pairs.prompts, won, pairs.cases, strict=True)
    ]
