"""Dawid and Skene's EM on raters with planted confusions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import UsageError
from dataflywheel.evolution.judging.dawid_skene import dawid_skene


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
