"""Dawid-Skene, effective votes and panels on planted raters; CalibraEval's map on planted bias."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad

from dataflywheel.contracts import Case, UsageError, Verdict
from dataflywheel.evolution.judging.calibra_eval import CalibraEval, calibrated
from dataflywheel.evolution.judging.dawid_skene import dawid_skene
from dataflywheel.evolution.judging.monotone import _loss, _weights, fit_monotone
from dataflywheel.evolution.judging.panel_worth import VOTES, effective_votes, error_correlation, panel_worth
from dataflywheel.models.endpoint.chat_model import Capabilities
from dataflywheel.models.endpoint.request import Outcome, Reply, TokenLogprob
from tests.evolution.judging.asking import MODEL, Scripted


def planted_votes(
    rng: np.random.Generator, items: int, labels: int, missing: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth (items,), confusion (5, labels, labels) of raters between fair and good, and votes (items, 5)."""
    truth = rng.choice(labels, items, p=[0.4, 0.6] if labels == 2 else [0.4, 0.35, 0.25])
    confusion = np.stack([right * np.eye(labels) + (1 - right) / labels for right in (0.9, 0.8, 0.75, 0.7, 0.6)])
    # One who mistakes label 1 for label 0, and not the other way round.
    confusion[1, 1] = [0.3, *[0.7 / (labels - 1)] * (labels - 1)]
    draws = rng.random((items, 5, 1))
    votes = (draws > confusion[np.arange(5)[None, :], truth[:, None]].cumsum(axis=-1)).sum(axis=-1)
    votes[rng.random(votes.shape) < missing] = -1
    return truth, confusion, votes


@pytest.mark.parametrize(("labels", "items", "seed"), [(2, 2000, 0), (2, 2000, 1), (2, 2000, 2), (3, 20_000, 0)])
def test_planted_confusion_is_recovered(labels: int, items: int, seed: int) -> None:
    truth, confusion, votes = planted_votes(np.random.default_rng(seed), items, labels)
    found = dawid_skene(votes, labels)
    assert np.abs(found.confusion - confusion).max() < 0.05
    assert np.abs(found.prior - np.bincount(truth) / items).max() < 0.03
    majority = np.array([np.bincount(row, minlength=labels).argmax() for row in votes])
    assert (found.label == truth).mean() > (majority == truth).mean()
    assert np.allclose(found.posterior.sum(axis=1), 1)


@given(st.integers(0, 1000), st.floats(0, 0.6))
def test_the_likelihood_never_falls(seed: int, missing: float) -> None:
    _, _, votes = planted_votes(np.random.default_rng(seed), 60, 3, missing)
    found = dawid_skene(votes, 3)
    assert (np.diff(found.loglikelihood) > -1e-8).all()


def test_votes_out_of_range_are_refused() -> None:
    for votes in (np.array([[3]]), np.array([[-2]]), np.full((2, 2), -1), np.zeros((0, 3), int)):
        with pytest.raises(UsageError, match="votes must be"):
            dawid_skene(votes, 3)


def correlated_errors(rng: np.random.Generator, items: int, judges: int, rho: float) -> np.ndarray:
    """Errors (items, judges) at a rate of 0.3 whose correlation is rho: each copies a common draw at sqrt(rho)."""
    common = rng.random((items, 1)) < 0.3
    own = rng.random((items, judges)) < 0.3
    return np.where(rng.random((items, judges)) < math.sqrt(rho), common, own).astype(float)


def test_effective_votes_of_planted_correlation() -> None:
    wrong = correlated_errors(np.random.default_rng(0), 20_000, 9, 0.6)
    correlation = error_correlation(wrong)
    assert correlation == pytest.approx(0.6, abs=0.01)
    assert correlation == pytest.approx(np.corrcoef(wrong.T)[np.triu_indices(9, 1)].mean())
    assert effective_votes(9, correlation) == pytest.approx(1.55, abs=0.02)
    assert math.isnan(effective_votes(9, math.nan))
    assert math.isnan(error_correlation(np.zeros((5, 2))))
    assert effective_votes(3, -0.2) == 3


def as_verdicts(gold: np.ndarray, wrong: np.ndarray) -> list[list[Verdict]]:
    return [[VOTES[g if not w else 1 - g] for g, w in zip(gold, column, strict=True)] for column in wrong.T]


def test_a_panel_with_errors_of_its_own_beats_its_best_member_and_one_with_shared_errors_does_not() -> None:
    rng = np.random.default_rng(1)
    gold = rng.integers(0, 2, 1000)
    labels = [VOTES[g] for g in gold]
    apart = panel_worth(as_verdicts(gold, correlated_errors(rng, 1000, 7, 0.0)), labels, range(1000))
    assert apart.beats
    assert apart.panel > max(apart.members) + 0.1
    assert apart.effective_votes == pytest.approx(7, abs=0.8)
    together = panel_worth(as_verdicts(gold, correlated_errors(rng, 1000, 7, 1.0)), labels, range(1000))
    assert not together.beats
    assert together.gain["value"] == 0
    assert together.effective_votes == pytest.approx(1)


def test_a_panel_is_not_scored_where_there_is_no_gold() -> None:
    first, second, invalid = Verdict.FIRST, Verdict.SECOND, Verdict.INVALID
    members = [[first, second, invalid, invalid], [first, second, first, invalid]]
    found = panel_worth(members, [first, second, first, invalid], "abcd")
    assert found.members == pytest.approx((2 / 3, 1))
    with pytest.raises(UsageError, match="two members"):
        panel_worth(members[:1], [first] * 4, "abcd")


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


@given(st.integers(0, 1000))
def test_the_map_is_monotone_everywhere(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.random((int(rng.integers(1, 30)), 3))
    fitted = fit_monotone(*p.T)
    grid = fitted(np.linspace(0, 1, 500))
    assert (np.diff(grid) >= -1e-12).all()
    assert grid[0] == 0
    assert grid[-1] == pytest.approx(1)


def test_gradients_against_finite_differences() -> None:
    rng = np.random.default_rng(0)
    knots = np.concatenate([[0], np.sort(rng.random(9)), [1]])
    weights = [_weights(rng.random(40), knots) for _ in range(3)]
    for _ in range(5):
        at = rng.normal(size=10)
        error = check_grad(lambda x: _loss(x, weights, 0.1)[0], lambda x: _loss(x, weights, 0.1)[1], at)
        assert error < 1e-6


def test_probabilities_are_checked() -> None:
    good = np.array([0.5])
    for wrong in (np.array([1.5]), np.array([np.nan]), np.array([0.5, 0.5])):
        with pytest.raises(UsageError, match="calibra_eval"):
            fit_monotone(good, good, wrong)


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
