"""Labels of several raters into one, with each rater's own confusion matrix estimated on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataflywheel.contracts import AnyArray, FloatArray, UsageError


@dataclass
class Consensus:
    """The outcome for n items, J raters and K labels."""

    posterior: FloatArray
    """Probability of each true label (n, K); uniform nowhere: items without a vote have the labels' shares."""
    confusion: FloatArray
    """P(rater says l | truth is k): (J, K, K), rows k sum to one."""
    prior: FloatArray
    """Shares of the true labels (K,)."""
    loglikelihood: list[float]
    """After each round of EM; it never falls."""

    @property
    def label(self) -> AnyArray:
        """The likeliest label of each item (n,); a draw goes to the smaller label."""
        chosen: AnyArray = self.posterior.argmax(axis=1)
        return chosen


def dawid_skene(
    votes: AnyArray, labels: int, rounds: int = 200, tolerance: float = 1e-7, smoothing: float = 0.01
) -> Consensus:
    """Maximum a posteriori EM of Dawid and Skene (1979), started from the shares of the votes.

    Args:
        votes: int (n, J), what each rater said of each item from 0 to K - 1, -1 where nothing.
        labels: K.
        rounds: most rounds of EM.
        tolerance: ends when the log-likelihood of an item gains less.
        smoothing: votes added to each cell of every confusion matrix, so that none is zero; the log-likelihood
            includes this Dirichlet prior.

    Raises:
        UsageError: votes outside the labels, or none at all.
    """
    if votes.ndim != 2 or not len(votes) or votes.max() >= labels or votes.min() < -1 or (votes < 0).all():
        raise UsageError(f"dawid_skene: votes must be (items, raters) of labels 0 to {labels - 1}, -1 for none")
    said: FloatArray = (votes[:, :, None] == np.arange(labels)).astype(float)
    counts = said.sum(axis=1) + 1e-9
    posterior = counts / counts.sum(axis=1, keepdims=True)
    found: list[float] = []
    for _ in range(rounds):
        prior = posterior.sum(axis=0) + smoothing
        prior /= prior.sum()
        confusion = np.einsum("nk,njl->jkl", posterior, said) + smoothing
        confusion /= confusion.sum(axis=2, keepdims=True)
        joint = np.log(prior) + np.einsum("njl,jkl->nk", said, np.log(confusion))
        top = joint.max(axis=1, keepdims=True)
        evidence = top + np.log(np.exp(joint - top).sum(axis=1, keepdims=True))
        posterior = np.exp(joint - evidence)
        belief = smoothing * (np.log(prior).sum() + np.log(confusion).sum())
        found.append(float(evidence.sum() + belief))
        if len(found) > 1 and found[-1] - found[-2] < tolerance * len(votes):
            break
    return Consensus(posterior, confusion, prior, found)
