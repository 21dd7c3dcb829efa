"""Divergences against float64 values by hand, finite differences, and the formulas with faults that are in use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataflywheel.distillation.model import divergences
from dataflywheel.distillation.model.divergences import cross_entropy, divergence, linear_loss
from dataflywheel.distillation.model.top_logprobs import top_logprobs

# Three tokens, four words.
STUDENT = np.array([[0.2, -1.0, 0.7, 0.1], [1.5, 0.0, -0.5, 0.3], [-0.2, 0.4, 2.0, -1.0]])
TEACHER = np.array([[1.0, 0.5, -0.3, 0.0], [0.1, 0.9, -1.2, 0.8], [0.3, 0.3, 1.1, 0.2]])
LABELS = np.array([0, 3, 2])


def softmax(logits: Any, temperature: float = 1.0) -> Any:
    raised = np.exp(logits / temperature - (logits / temperature).max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def kl(p: Any, q: Any) -> Any:
    return (p * np.log(p / q)).sum(axis=-1)


def tensor(values: Any) -> Any:
    import torch

    return torch.tensor(values, dtype=torch.float64)


def ours(kind: Any, beta: float = 0.5, student: Any = STUDENT, teacher: Any = TEACHER) -> Any:
    both = [tensor(one).log_softmax(dim=1) for one in (student, teacher)]
    return divergence(both[0], both[1], kind, beta).numpy()


def test_values_are_those_by_hand() -> None:
    s, t = softmax(STUDENT), softmax(TEACHER)
    np.testing.assert_allclose(ours("forward_kl"), kl(t, s), rtol=1e-12)
    np.testing.assert_allclose(ours("reverse_kl"), kl(s, t), rtol=1e-12)
    np.testing.assert_allclose(ours("total_variation"), np.abs(s - t).sum(axis=1) / 2, rtol=1e-12)
    for beta in (0.1, 0.5, 0.9):
        m = (1 - beta) * s + beta * t
        by_hand = (beta * kl(t, m) + (1 - beta) * kl(s, m)) / (beta * (1 - beta))
        np.testing.assert_allclose(ours("jensen_shannon", beta), by_hand, rtol=1e-12)


def test_the_generalised_form_ends_at_both_divergences() -> None:
    np.testing.assert_array_equal(ours("jensen_shannon", 0.0), ours("forward_kl"))
    np.testing.assert_array_equal(ours("jensen_shannon", 1.0), ours("reverse_kl"))
    np.testing.assert_allclose(ours("jensen_shannon", 0.01), ours("forward_kl"), rtol=0.02)
    np.testing.assert_allclose(ours("jensen_shannon", 0.99), ours("reverse_kl"), rtol=0.02)
    s, t = softmax(STUDENT), softmax(TEACHER)
    m = 0.99 * s + 0.01 * t
    undivided = 0.01 * kl(t, m) + 0.99 * kl(s, m)
    assert (undivided < 0.02 * kl(t, s)).all(), "without the division the loss vanishes near its end"


KINDS = [("forward_kl", 0.5), ("reverse_kl", 0.5), ("total_variation", 0.5)]
KINDS += [("jensen_shannon", beta) for beta in (0.0, 0.1, 0.5, 0.9, 1.0)]


@pytest.mark.parametrize(("kind", "beta"), KINDS)
def test_gradients_are_finite_differences(kind: Any, beta: float) -> None:
    import torch

    logits = tensor(STUDENT).requires_grad_()
    divergence(logits.log_softmax(dim=1), tensor(TEACHER).log_softmax(dim=1), kind, beta).sum().backward()
    step = 1e-6
    for i, j in np.ndindex(*STUDENT.shape):
        up, down = STUDENT.copy(), STUDENT.copy()
        up[i, j] += step
        down[i, j] -= step
        slope = (ours(kind, beta, up).sum() - ours(kind, beta, down).sum()) / (2 * step)
        assert float(logits.grad[i, j]) == pytest.approx(slope, abs=1e-7)
    assert torch.isfinite(logits.grad).all()


def vector(size: int) -> st.SearchStrategy[Any]:
    return st.lists(st.floats(-8, 8), min_size=size, max_size=size)


@settings(max_examples=60)
@given(vector(6), vector(6), st.sampled_from(KINDS))
def test_zero_for_equals_and_never_negative(student: Any, teacher: Any, kind: Any) -> None:
    assert ours(*kind, [student], [student])[0] == pytest.approx(0, abs=1e-12)
    assert ours(*kind, [student], [teacher])[0] >= -1e-12


@settings(max_examples=40)
@given(vector(7), vector(7), st.integers(1, 7))
def test_buckets_lose_divergence_and_never_make_any(student: Any, teacher: Any, k: int) -> None:
    logits = [tensor([one]) for one in (student, teacher)]
    top = logits[1].topk(k, dim=1).indices
    coarse = [top_logprobs(one, top, "bucket") for one in logits]
    assert coarse[0].shape[1] == (7 if k == 7 else k + 1)
    np.testing.assert_allclose(coarse[0].exp().sum(), 1, rtol=1e-12)
    dense = ours("forward_kl", 0.5, [student], [teacher])[0]
    found = float(divergence(coarse[0], coarse[1])[0])
    assert -1e-12 <= found <= dense + 1e-9
    if k >= 6:
        assert found == pytest.approx(dense, abs=1e-9)


def test_renormalised_tops_forget_the_rest() -> None:
    top = tensor(TEACHER).topk(2, dim=1).indices
    found = top_logprobs(tensor(STUDENT), top, "renormalise").exp().numpy()
    kept = np.take_along_axis(softmax(STUDENT), top.numpy(), axis=1)
    np.testing.assert_allclose(found, kept / kept.sum(axis=1, keepdims=True), rtol=1e-12)


@pytest.mark.parametrize("chunk", [1, 7, 1 << 19])
def test_chunks_change_neither_value_nor_gradient(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(divergences, "CHUNK", chunk * 50)
    torch.manual_seed(0)
    states, table = torch.randn(23, 8, requires_grad=True), torch.randn(50, 8, requires_grad=True)
    teacher, labels = torch.randn(23, 50).log_softmax(dim=1), torch.randint(0, 50, (23,))

    def loss(logits: Any, where: slice) -> Any:
        apart = divergence(logits.log_softmax(dim=1), teacher[where], "jensen_shannon", 0.3).sum()
        return apart + 0.5 * cross_entropy(logits, labels[where])

    found = linear_loss(states, table, loss)
    plain = loss(states @ table.T, slice(0, 23))
    assert float(found.detach()) == pytest.approx(float(plain.detach()), rel=1e-5)
    for a, b in zip(*(torch.autograd.grad(3 * one, (states, table)) for one in (found, plain)), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


# What follows re-creates faults of losses in wide use; each must differ from ours where ours is right by hand.


def test_fault_a_temperature_that_reaches_one_softmax_only() -> None:
    s, t = softmax(STUDENT, 2.0), softmax(TEACHER, 2.0)
    by_hand = 4 * kl(t, s)
    assert ours("forward_kl", 0.5, STUDENT / 2, TEACHER / 2) * 4 == pytest.approx(by_hand)
    for faulty in (kl(softmax(TEACHER, 2.0), softmax(STUDENT)), kl(softmax(TEACHER), softmax(STUDENT)), kl(t, s)):
        assert np.abs(faulty - by_hand).max() > 0.01, "T lost on one side, on both, or its square lost"


def test_fault_labels_that_are_not_shifted() -> None:
    """Position j predicts token j + 1: the states before the answer's tokens, not those at them."""
    from tests.distillation.model.support import ROWS, loaded, positions, untrained

    model = loaded(untrained())
    at = positions(model, ROWS, [0])
    encoded = model.encode(ROWS[:1])[0]
    head = model.model.get_output_embeddings()
    right = cross_entropy(head(at.states), at.labels)
    assert float(right.detach()) == pytest.approx(model.answer_scores([encoded]).total[0], rel=1e-5)
    import torch

    with torch.no_grad():
        whole = model.model(input_ids=torch.tensor([encoded.ids])).logits[0]
    unshifted = cross_entropy(whole[encoded.start : len(encoded.ids)], at.labels)
    assert abs(float(unshifted) - float(right.detach())) > 0.01


def test_fault_a_mean_of_sums_over_sequences_grows_with_length() -> None:
    each = ours("forward_kl")
    short, long = each[:1], np.repeat(each[:1], 9)
    assert long.sum() / 9 == pytest.approx(short.sum() / 1), "sum over valid tokens is blind to length"
    assert np.mean([short.sum(), long.sum()]) > 4 * short.sum(), "the mean of per-sequence sums is not"


def test_fault_a_top_k_target_that_is_never_normalised() -> None:
    """Cut probabilities that sum to less than 1 are no distribution: a student that overshoots them scores below 0."""
    top = tensor(TEACHER).topk(2, dim=1).indices
    cut = tensor(TEACHER).log_softmax(dim=1).gather(1, top)
    overshooting = cut.log_softmax(dim=1)
    assert ((cut.exp() * (cut - overshooting)).sum(dim=1) < -0.01).all()
    for tail in ("bucket", "renormalise"):
        both = [top_logprobs(tensor(one), top, tail) for one in (STUDENT, TEACHER)]
        assert (divergence(both[0], both[1]) > 0).all()
        assert float(divergence(both[1], both[1]).abs().max()) == 0


@pytest.mark.parametrize("peak", [0.0, 30.0, 500.0])
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_tops_and_their_gradients_are_those_of_the_plain_formula(peak: float, kind: str) -> None:
    """With `peak` all other tokens are out of reach of float32, and their bucket is still no infinity."""
    import torch

    torch.manual_seed(0)
    logits = torch.randn(9, 40, dtype=getattr(torch, kind))
    logits[:3, 7] += peak
    logits.requires_grad_()
    ids = logits.topk(6, dim=1).indices
    wanted = torch.cat([logits.gather(1, ids), logits.scatter(1, ids, float("-inf")).logsumexp(1, keepdim=True)], 1)
    wanted = wanted.log_softmax(dim=1)
    found = top_logprobs(logits, ids, "bucket")
    weights = torch.randn_like(found)
    both = [torch.autograd.grad((one * weights).sum(), logits)[0] for one in (found, wanted)]
    close = 1e-5 if kind == "float32" else 1e-12
    torch.testing.assert_close(found, wanted, rtol=close, atol=close)
    torch.testing.assert_close(*both, rtol=close, atol=close)
    assert found.isfinite().all()
