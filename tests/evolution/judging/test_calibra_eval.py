"""CalibraEval against a planted bias of letter and place."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dataflywheel.contracts import Case, UsageError, Verdict
from dataflywheel.evolution.judging.calibra_eval import CalibraEval, calibrated
from dataflywheel.evolution.judging.monotone import fit_monotone
from dataflywheel.models.endpoint.chat_model import Capabilities
from dataflywheel.models.endpoint.request import Outcome, Reply, TokenLogprob
from tests.evolution.judging.asking import MODEL, Scripted


def planted_bias(rng: np.random.Generator, pairs: int, bias: float) -> tuple[np.ndarray, np.ndarray]:
    """True log-odds (pairs,) and P(A) in the three askings (pairs, 3), by a judge that likes the letter A."""
    truth = rng.normal(0, 1.5, pairs)
    noise = rng.normal(0, 0.2, (pairs, 3))
    sides = np.column_stack([truth, truth, -truth])
    return truth, 1 / (1 + np.exp(-(sides + bias + noise)))


@pytest.mark.parametrize("bias", [1.0, -1.5])
def test_planted_position_bias_falls_by_at_least_half(bias: float) -> None:
    truth, p = planted_bias(np.random.default_rng(0), 800, bias)
    fitted = fit_monotone(*p.T)
    before, after = np.column_stack([p[:, 0], p[:, 1], 1 - p[:, 2]]), calibrated(fitted, p)

    def position_bias(first: np.ndarray) -> float:
        return abs(float((first[:, 0] - first[:, 2]).mean()))

    def consistency(first: np.ndarray) -> float:
        return float(((first[:, 0] > 0.5) == (first[:, 2] > 0.5)).mean())

    def accuracy(first: np.ndarray) -> float:
        return float(((first[:, 0] > 0.5) == (truth > 0)).mean())

    assert position_bias(after) < 0.5 * position_bias(before)
    assert consistency(after) > consistency(before) + 0.1
    assert accuracy(after) > accuracy(before) + 0.05
    # On pairs that the map has not seen.
    fresh_truth, fresh = planted_bias(np.random.default_rng(1), 800, bias)
    unseen = ((calibrated(fitted, fresh)[:, 0] > 0.5) == (fresh_truth > 0)).mean()
    assert unseen > ((fresh[:, 0] > 0.5) == (fresh_truth > 0)).mean() + 0.05


def letters(p: float) -> Reply:
    token = TokenLogprob("A", math.log(p), {"A": math.log(p), "B": math.log(1 - p)})
    return Reply(Outcome.ANSWERED, "A", logprobs=(token,))


def test_a_judge_in_love_with_a_letter_is_set_right() -> None:
    def rule(parts: dict[str, str], instructions: str) -> Reply:
        if "broken" in parts["prompt"]:
            return Reply(Outcome.ANSWERED, "A")
        logit = float(parts["answer_A"]) - float(parts["answer_B"]) + 1.2
        return letters(1 / (1 + math.exp(-logit)))

    gaps = [*np.linspace(-2, 2, 40)]
    cases = [Case(str(i), "p", (str(gap), "0")) for i, gap in enumerate(gaps)]
    judge = CalibraEval(model=MODEL)
    client = Scripted(rule, capabilities=Capabilities(logprobs=True))
    found = judge.judge_with(client, [*cases, Case("x", "broken", ("1", "0"))])
    assert len(client.asked) == 3 * 41
    right = [Verdict.FIRST if gap > 0 else Verdict.SECOND for gap in gaps]
    clear = [i for i, gap in enumerate(gaps) if abs(gap) > 0.2]
    assert [found[i].verdict for i in clear] == [right[i] for i in clear]
    # As it came, the first answer wins down to a gap of -1.2.
    assert sum(gap + 1.2 > 0 for gap in gaps) > 30
    assert found[-1].verdict == Verdict.INVALID
    assert "log-probability" in found[-1].reason


def test_log_probabilities_are_needed() -> None:
    with pytest.raises(UsageError, match="calibra_eval needs logprobs, which scripted does not offer"):
        CalibraEval(model=MODEL).judge_with(Scripted(lambda parts, _: letters(0.5)), [Case("a", "p", ("1", "2"))])
