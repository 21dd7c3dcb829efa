"""Each row's gradient from one pass over a padded batch, against a backward pass of its own; projections."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dataflywheel.models.language.batching import batches
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.checkpoints import Adapters, trainable
from dataflywheel.models.training.row_gradients import RowGradients, SignProjection
from tests.models.copy_skill import conversation, copy_model

ROWS = [
    conversation("repeat amber basil", "amber basil"),
    conversation("repeat " + "amber basil " * 20, "basil " * 9),
    conversation("one", "a"),
    conversation("repeat cedil delar now", "cedil delar, cedil delar"),
]


@pytest.fixture(scope="module")
def base() -> LanguageModel:
    return LanguageModel.load(ModelSpec(hf=str(copy_model())))


@pytest.fixture(scope="module")
def weights(base: LanguageModel) -> dict[str, Any]:
    """Adapters with no zero among them, so that every gradient is there."""
    import torch

    found = trainable(base.model, Adapters(rank=4), seed=3)
    base.model.eval()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        for weight in found.values():
            weight.normal_(0, 0.1)
    return found


def alone(base: LanguageModel, weights: dict[str, Any], row: Any) -> dict[str, Any]:
    """The plain gradient of transformers' own loss over one row's answer, without padding."""
    import torch

    for weight in weights.values():
        weight.requires_grad_(True)
    ids = torch.tensor([row.ids])
    labels = torch.where(torch.arange(len(row.ids)) >= row.start, ids, -100)
    found = torch.autograd.grad(base.model(input_ids=ids, labels=labels).loss, list(weights.values()))
    base.model.requires_grad_(False)
    return dict(zip(weights, found, strict=True))


def together(base: LanguageModel, weights: dict[str, Any], rows: Any, max_tokens: int) -> list[dict[str, Any]]:
    gradients = RowGradients(base, weights)
    found: list[dict[str, Any]] = [{} for _ in rows]
    for width, part in batches([len(row.ids) for row in rows], max_tokens, multiple=256):

        def use(name: str, values: Any, part: Any = part) -> None:
            for i, value in zip(part, values, strict=True):
                found[i][name] = value

        gradients.each([rows[i] for i in part], width, use)
    return found


def product(a: dict[str, Any], b: dict[str, Any]) -> float:
    return float(sum((a[name].double() * b[name].double()).sum() for name in a))


def test_inner_products_are_those_of_rows_alone(base: LanguageModel, weights: dict[str, Any]) -> None:
    rows = base.encode(ROWS)
    explicit = [alone(base, weights, row) for row in rows]
    assert all(float(one[name].abs().max()) > 0 for one in explicit for name in weights)
    scale = [product(one, one) ** 0.5 for one in explicit]
    for max_tokens in (1 << 14, 1):
        found = together(base, weights, rows, max_tokens)
        for i in range(len(rows)):
            for j in range(len(rows)):
                expected = product(explicit[i], explicit[j])
                assert abs(product(found[i], found[j]) - expected) <= 1e-4 * scale[i] * scale[j]


def test_no_gradient_reaches_a_weight_and_hooks_are_gone(base: LanguageModel, weights: dict[str, Any]) -> None:
    together(base, weights, base.encode(ROWS), 1 << 14)
    assert all(weight.grad is None for weight in base.model.parameters())
    assert not any(module._forward_hooks for module in base.model.modules())


def test_adapters_are_put_on_the_attention(weights: dict[str, Any]) -> None:
    kinds = {name.split(".")[-4] for name in weights}
    assert kinds == {"q_proj", "k_proj", "v_proj", "o_proj"}
    assert len(weights) == 2 * 4 * 3  # two matrices, four projections, three layers


@pytest.mark.parametrize("spiky", [False, True])
def test_projected_products_stay_within_the_bound(spiky: bool) -> None:
    import torch

    rng = np.random.default_rng(5)
    n, shapes, dimension = 40, {"a": (16, 64), "b": (8, 8), "c": (128, 4)}, 2048
    values = {name: rng.standard_normal((n, *shape)) ** (5 if spiky else 1) for name, shape in shapes.items()}
    flat = np.concatenate([value.reshape(n, -1) for value in values.values()], axis=1)
    flat[20:] = flat[:20] + 0.5 * flat[20:]  # pairs with large products too
    length = np.linalg.norm(flat, axis=1)
    errors: list[Any] = []
    for seed in range(20):
        projection = SignProjection(dimension, seed)
        total: Any = 0.0
        start = 0
        for name, shape in shapes.items():
            size = int(np.prod(shape))
            part = flat[:, start : start + size].reshape(n, *shape)
            total = total + projection(name, torch.from_numpy(part.astype(np.float32))).double().numpy()
            start += size
        error = (total @ np.transpose(total) - flat @ flat.T) / np.outer(length, length)
        errors.append(error[np.triu_indices(n)])
    every = np.array(errors)
    # Johnson and Lindenstrauss: a product of unit vectors is off by more than e with a chance of at most
    # 2 exp(-k (e^2 / 4 - e^3 / 6)); over all products looked at, by more than `bound` with a chance of 1 %.
    e = np.linspace(0, 1, 100_001)
    bound = e[np.argmax(2 * every.size * np.exp(-dimension * (e**2 / 4 - e**3 / 6)) < 0.01)]
    assert bound < 0.19
    assert np.abs(every).max() < bound
    assert (every**2).mean() <= 2 / dimension * 1.05
    assert abs(every.mean()) < 0.1 / np.sqrt(dimension)


def test_a_projection_depends_on_seed_and_layer_alone() -> None:
    import torch

    values = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(0))
    first = SignProjection(64, 1)("layer", values)
    assert first.shape == (3, 64)
    again = SignProjection(64, 1)
    again("other", values)
    assert torch.equal(again("layer", values), first)
    assert torch.equal(again("layer", values), first)
    assert not torch.equal(again("other", values), first)
    assert not torch.equal(SignProjection(64, 2)("layer", values), first)
