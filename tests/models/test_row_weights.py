"""Rows that count differently in a training: the loss and its gradient are those of the formula."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from dataflywheel.contracts import AnswerPositions, Card, Objective
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.losses import IGNORED, linear_cross_entropy
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.batch_loss import objective_loss, weighted_loss
from dataflywheel.models.training.row_weights import weights_of
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import table
from tests.models.copy_skill import copy_rows

ROWS = copy_rows(24, seed=6)


@pytest.fixture(scope="module")
def start() -> Path:
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    return init_tiny(pool_tokenizer(copy_rows(60, seed=6), cache_dir=cache), "0.5m", cache_dir=cache)


def weighted(weights: Any) -> Any:
    return table([make_row(row, weight=weight) for row, weight in zip(ROWS, weights, strict=True)])


def test_the_loss_is_each_rows_own_times_its_weight_over_the_mean(start: Path, tmp_path: Path) -> None:
    weights = np.linspace(0, 3, len(ROWS))
    settings = TrainSettings(max_steps=1, batch_size=len(ROWS), dtype="float32")
    made = train_sft(weighted(weights), start, tmp_path / "a", settings)
    model = LanguageModel.load(ModelSpec(hf=str(start)))
    scores = model.answer_scores(model.encode(ROWS))
    share = weights / weights.mean()
    assert made.losses[0] == pytest.approx((share * scores.total).sum() / scores.tokens.sum(), abs=1e-4)
    assert made.weights == {"least": 0.0, "greatest": 2.0, "effective_rows": pytest.approx(17.6, abs=0.1)}


def test_only_the_ratios_between_weights_matter_and_equal_ones_change_nothing(start: Path, tmp_path: Path) -> None:
    settings = TrainSettings(max_steps=3, batch_size=4, dtype="float32")
    weights = [1.0 + i % 3 for i in range(len(ROWS))]
    runs = {
        "one": weights,
        "tenfold": [10 * w for w in weights],
        "none": [None] * len(ROWS),
        "equal": [7.0] * len(ROWS),
    }
    losses = {name: train_sft(weighted(w), start, tmp_path / name, settings).losses for name, w in runs.items()}
    assert losses["one"] == pytest.approx(losses["tenfold"], abs=1e-6)
    assert losses["none"] == losses["equal"] != losses["one"]
    model = (tmp_path / "none" / "model.safetensors").read_bytes()
    assert model == (tmp_path / "equal" / "model.safetensors").read_bytes()


def test_gradients_are_those_of_the_weighted_sum_by_every_way() -> None:
    rng = torch.Generator().manual_seed(0)
    lengths, weights = [3, 1, 0, 4], torch.tensor([0.5, 2.0, 9.0, 0.0])
    hidden, head = torch.randn(8, 6, generator=rng), torch.randn(11, 6, generator=rng)
    labels = torch.randint(11, (8,), generator=rng)
    counts = torch.repeat_interleave(weights, torch.tensor(lengths))

    def plain(states: Any, table: Any) -> Any:
        each = torch.nn.functional.cross_entropy(states @ table.T, labels, reduction="none")
        return (each * counts).sum()

    def fused(states: Any, table: Any) -> Any:
        return linear_cross_entropy(states, table, labels, counts=counts)

    def by_objective(states: Any, table: Any) -> Any:
        rows = torch.repeat_interleave(torch.arange(4), torch.tensor(lengths))
        return objective_loss(Plain(), AnswerPositions(states, labels, rows, rows, lengths), table, weights)

    found = []
    for way in (plain, fused, by_objective):
        states, table = hidden.clone().requires_grad_(), head.clone().requires_grad_()
        loss = way(states, table)
        loss.backward()
        found.append((loss.detach(), states.grad, table.grad))
    for other in found[1:]:
        for mine, expected in zip(other, found[0], strict=True):
            torch.testing.assert_close(mine, expected, atol=1e-5, rtol=1e-5)


class Plain(Objective):
    """Cross-entropy, as an objective says it."""

    name: ClassVar[str] = "plain"
    card: ClassVar[Card]

    def loss(self, at: AnswerPositions, table: Any) -> Any:
        return linear_cross_entropy(at.states, table, at.labels)


def test_a_model_of_odd_head_learns_the_same_sum() -> None:
    logits = torch.randn(2, 5, 7, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([[IGNORED, 1, 2, IGNORED, IGNORED], [IGNORED, IGNORED, 3, 4, 5]])
    loss = weighted_loss(logits, labels, torch.tensor([3.0, 0.5]))
    logs = -logits.log_softmax(dim=2)
    sums = [logs[0, 0, 1] + logs[0, 1, 2], logs[1, 1, 3] + logs[1, 2, 4] + logs[1, 3, 5]]
    assert float(loss) == pytest.approx(float(3 * sums[0] + 0.5 * sums[1]) / 5, abs=1e-5)


def test_rows_without_a_weight_count_once() -> None:
    found = weights_of(weighted([None, 3.0, *[None] * (len(ROWS) - 2)]))
    assert found is not None
    assert found[:3].tolist() == [1.0, 3.0, 1.0]
    assert weights_of(weighted([None] * len(ROWS))) is None
