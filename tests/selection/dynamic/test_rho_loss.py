"""RHO-loss: the choice by hand, and a pool with swapped answers."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import FloatArray, Sampler, UsageError, build
from dataflywheel.models.training.reference import reference_losses
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import table
from dataflywheel.selection.dynamic.mixture import Mixture
from dataflywheel.selection.dynamic.rho_loss import RhoLoss
from tests.models.copy_skill import conversation, copy_model, copy_rows
from tests.selection.dynamic.draws import step, training_rows


@given(st.integers(4, 40), st.integers(0, 50), st.sampled_from([0.1, 0.25, 0.5, 1.0]))
def test_the_rows_furthest_above_the_reference_are_chosen(n: int, seed: int, ratio: float) -> None:
    rng = np.random.default_rng(seed)
    reference, loss = rng.integers(0, 4, n) / 2, rng.integers(0, 4, n) / 2
    draw = RhoLoss(ratio=ratio).start(training_rows(n, reference=[[r, r] for r in reference]), 4, seed)
    for _ in range(5):
        offered = draw.candidates(4)
        assert len(set(offered.tolist())) == len(offered) == min(n, int(np.ceil(4 / ratio)))
        if ratio == 1.0:
            continue
        chosen = draw.next_batch(offered, loss[offered], 4)
        best = sorted(offered.tolist(), key=lambda i: (reference[i] - loss[i], f"r{i:04d}"))[:4]
        assert chosen.tolist() == best


def test_the_reference_goes_with_the_row_and_not_with_its_place() -> None:
    reference = np.array([3.0, 0.0, 1.0, 2.0, 0.5])
    loss = np.array([3.1, 0.05, 1.9, 2.5, 0.4])
    ids = ["c", "a", "e", "b", "d"]
    for order in (np.arange(5), np.array([4, 2, 0, 3, 1])):
        rows = training_rows(5, reference=[[r] for r in reference[order]], ids=[ids[i] for i in order])
        chosen = step(RhoLoss(ratio=0.4).start(rows, 2, 0), 2, loss[order])
        assert [ids[order[i]] for i in chosen] == ["e", "b"]


def test_rows_without_a_reference_are_never_drawn_and_counted() -> None:
    reference = [[1.0], [], [1.0], [], [1.0], [1.0]]
    draw = RhoLoss(ratio=0.5).start(training_rows(6, reference=reference), 2, 0)
    seen = {int(i) for _ in range(20) for i in step(draw, 2, np.full(6, 2.0) + np.arange(6) % 4)}
    assert seen <= {0, 2, 4, 5}
    assert draw.summary() == {"without_reference": 2}
    with pytest.raises(UsageError, match="4 of 6 rows have a reference loss, fewer than a batch of 5"):
        RhoLoss().start(training_rows(6, reference=reference), 5, 0)


def test_state_is_json_and_all_there_is() -> None:
    rows = training_rows(50, reference=[[1.0]] * 50)
    loss = np.random.default_rng(1).random(50)
    draw, other = (RhoLoss(ratio=0.2).start(rows, 4, 9) for _ in range(2))
    for _ in range(7):
        step(draw, 4, loss)
    other.load_state_dict(json.loads(json.dumps(draw.state_dict())))
    assert [step(draw, 4, loss).tolist() for _ in range(9)] == [step(other, 4, loss).tolist() for _ in range(9)]


def test_a_ratio_is_a_share() -> None:
    for wrong in (0.0, 1.5):
        with pytest.raises(UsageError, match="ratio"):
            build(RhoLoss, {"ratio": wrong})


class Classifier:
    """Logistic regression by plain gradient steps: the smallest model with a loss of its own for every row."""

    def __init__(self, width: int) -> None:
        self.weights = np.zeros(width)

    def losses(self, x: FloatArray, y: FloatArray) -> FloatArray:
        return np.logaddexp(0, -y * (x @ self.weights))

    def learn(self, x: FloatArray, y: FloatArray, rate: float = 0.3) -> None:
        slope = -y / (1 + np.exp(y * (x @ self.weights)))
        self.weights -= rate * (slope @ x) / len(x)


def steps_and_noise(sampler: Sampler, seed: int) -> tuple[int, float]:
    """Steps to a validation loss of 0.5 nats, and the share of flipped labels among the rows trained on until then;
    three labels in ten are flipped, the reference has learned 300 clean rows."""
    rng = np.random.default_rng(seed)
    truth = 2 * rng.standard_normal(20)
    x = rng.standard_normal((2600, 20))
    y = np.where(x @ truth > 0, 1.0, -1.0)
    reference = Classifier(20)
    for _ in range(300):
        reference.learn(x[:300], y[:300])
    pool, valid = slice(600, None), slice(300, 600)
    flipped = rng.random(2000) < 0.3
    labels = np.where(flipped, -y[pool], y[pool])
    known = [[loss] for loss in reference.losses(x[pool], labels)]
    draw, model = sampler.start(training_rows(2000, reference=known), 16, seed), Classifier(20)
    seen: list[float] = []
    while model.losses(x[valid], y[valid]).mean() > 0.5 and len(seen) < 2000:
        chosen = step(draw, 16, model.losses(x[pool], labels))
        model.learn(x[pool][chosen], labels[chosen])
        seen.append(flipped[chosen].mean())
    return len(seen), float(np.mean(seen))


@pytest.mark.parametrize("seed", range(5))
def test_flipped_labels_are_seen_less_and_the_target_is_reached_sooner(seed: int) -> None:
    steps, noise = steps_and_noise(RhoLoss(), seed)
    plain_steps, plain_noise = steps_and_noise(Mixture(), seed)
    assert plain_noise == pytest.approx(0.3, abs=0.05)
    assert noise <= plain_noise / 3
    assert steps < plain_steps


@pytest.mark.slow
def test_swapped_answers_are_seen_at_most_a_third_as_often(tmp_path: Path) -> None:
    """A language model, a pool where three answers in ten belong to other prompts, a reference that knows the skill."""
    reference = copy_model()
    for seed in range(5):
        rows = copy_rows(600, seed + 10)
        bad = random.Random(seed).sample(range(600), 180)
        answers = [rows[i][1]["content"] for i in bad]
        for i, answer in zip(bad, answers[1:] + answers[:1], strict=True):
            rows[i] = conversation(rows[i][0]["content"], answer)
        pool = table([make_row(row) for row in rows])
        settings = TrainSettings(max_steps=25, batch_size=16, learning_rate=4e-3, seed=seed)
        losses = reference_losses(pool, reference, settings.max_length)
        start = init_tiny(reference, "0.5m", seed=seed, cache_dir=tmp_path)
        shares = []
        for name, sampler in (("uniform", Mixture()), ("rho", RhoLoss(ratio=0.25))):
            output = tmp_path / f"{name}-{seed}"
            seen = train_sft(pool, start, output, settings, sampler=sampler, reference=losses).seen
            assert seen is not None
            shares.append(seen[bad].sum() / seen.sum())
        assert shares[0] == pytest.approx(0.3, abs=0.07)
        assert shares[1] <= shares[0] / 3
