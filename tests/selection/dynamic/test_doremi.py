from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflywheel.contracts import UsageError
from dataflywheel.models.training.reference import reference_losses
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import table
from dataflywheel.selection.dynamic.doremi import DoReMi, updated
from tests.models.copy_skill import WORDS, conversation, copy_model, copy_rows
from tests.selection.dynamic.draws import training_rows

SOURCES = ["easy", "hard", "middling"]
EXCESS = np.array([0.1, 0.9, 0.4])


def toy(rows: int = 30, tokens: int = 4):  # type: ignore[no-untyped-def]
    """Sources in turn, all with a reference of 1 nat a token."""
    return training_rows(rows, [SOURCES[i % 3] for i in range(rows)], [np.ones(tokens)] * rows)


def test_known_excess_gives_the_weights_in_closed_form() -> None:
    draw = DoReMi(step_size=0.5, smoothing=1e-9).start(toy(), 9, 0)
    steps = 12
    for _ in range(steps):
        draw.candidates(9)
        draw.observe(np.arange(9), [np.full(4, 1 + EXCESS[i % 3]) for i in range(9)])
    powers = np.exp(0.5 * np.outer(np.arange(1, steps + 1), EXCESS))
    expected = powers / powers.sum(axis=1, keepdims=True)
    found = draw.summary()
    assert list(found["last_weights"].values()) == pytest.approx(expected[-1].tolist(), abs=1e-7)
    assert list(found["weights"].values()) == pytest.approx(expected.mean(axis=0).tolist(), abs=1e-7)
    assert sorted(SOURCES, key=found["weights"].get) == ["easy", "middling", "hard"]


def test_the_excess_is_clipped_token_by_token_before_the_mean() -> None:
    rows = training_rows(3, ["a", "a", "b"], [[1.0, 1.0], [2.0, 2.0, 2.0], [1.0]])
    draw = DoReMi().start(rows, 3, 0)
    draw.candidates(3)
    draw.observe(np.array([1, 0, 2]), [np.array([5.0, 0.0, 2.5]), np.array([0.0, 1.25]), np.array([0.5])])
    found = draw.summary()
    assert found["excess"] == pytest.approx({"a": (3.0 + 0.5 + 0.25) / 5, "b": 0.0})
    grown = 0.5 * np.exp([0.75, 0.0])
    mixed = (1 - 1e-3) * grown / grown.sum() + 1e-3 / 2
    assert list(found["weights"].values()) == pytest.approx(mixed.tolist(), abs=1e-12)


def test_an_absent_source_keeps_the_excess_that_it_had() -> None:
    draw = DoReMi(smoothing=1e-12).start(toy(), 3, 0)
    draw.observe(np.array([0, 1]), [np.full(4, 1.3), np.full(4, 1.7)])
    first = draw.summary()["last_weights"]
    assert first["middling"] / first["easy"] == pytest.approx(np.exp(-0.3))  # never seen: moved by the norm alone
    draw.observe(np.array([1, 2]), [np.full(4, 1.2), np.full(4, 1.5)])
    found = draw.summary()
    assert found["excess"] == pytest.approx({"easy": 0.3, "hard": 0.2, "middling": 0.5})
    last = found["last_weights"]
    assert last["easy"] / first["easy"] / (last["hard"] / first["hard"]) == pytest.approx(np.exp(0.3 - 0.2))


@given(
    st.lists(st.floats(0, 50), min_size=1, max_size=6),
    st.floats(0.01, 5),
    st.floats(1e-6, 1),
    st.integers(1, 40),
)
def test_weights_stay_on_the_simplex(excess: list[float], step_size: float, smoothing: float, steps: int) -> None:
    weights = np.full(len(excess), 1 / len(excess))
    for _ in range(steps):
        weights = updated(weights, np.array(excess), step_size, smoothing)
        assert weights.sum() == pytest.approx(1, abs=1e-12)
        assert weights.min() >= smoothing / len(excess) * (1 - 1e-9)


def test_rows_are_drawn_by_the_weights_and_the_state_is_json() -> None:
    draw, other = (DoReMi().start(toy(300), 20, 4) for _ in range(2))
    for _ in range(60):
        positions = draw.candidates(20)
        draw.observe(positions, [np.full(4, 1 + EXCESS[i % 3]) for i in positions])
    late = np.concatenate([draw.candidates(20) for _ in range(20)]) % 3
    assert (late == 1).mean() > 0.97
    other.load_state_dict(json.loads(json.dumps(draw.state_dict())))
    assert other.candidates(20).tolist() == draw.candidates(20).tolist()
    assert other.state_dict() == draw.state_dict()


def test_rows_without_a_reference_are_not_counted() -> None:
    rows = training_rows(4, ["a", "a", "b", "b"], [[1.0], [], [1.0], [2.0]])
    draw = DoReMi().start(rows, 4, 0)
    draw.observe(np.arange(4), [np.array([1.5]), np.array([9.0]), np.array([1.0]), np.array([2.0])])
    assert draw.summary()["excess"] == pytest.approx({"a": 0.5, "b": 0.0})
    assert draw.summary()["without_reference"] == 1
    with pytest.raises(UsageError, match="no row of source 'b' has a reference"):
        DoReMi().start(training_rows(2, ["a", "b"], [[1.0], []]), 2, 0)


@pytest.mark.slow
def test_the_source_that_can_still_be_learned_gets_the_most(tmp_path: Path) -> None:
    """A reference that knows one source's skill; another source is noise, which it cannot predict either, and the
    third says the same each time, which the proxy soon knows as well."""
    reference = copy_model()
    draw = random.Random(0)
    rows = [make_row(row, source="skill") for row in copy_rows(300, seed=5)]
    for i in range(300):
        made = {"noise": " ".join(draw.sample(WORDS, 2)), "fixed": "amber basil"}
        rows += [make_row(conversation(f"say {name} {i}", answer), source=name) for name, answer in made.items()]
    pool, settings = table(rows), TrainSettings(max_steps=60, batch_size=16, learning_rate=4e-3)
    losses = reference_losses(pool, reference, settings.max_length)
    start = init_tiny(reference, "0.5m", cache_dir=tmp_path)
    found = train_sft(pool, start, tmp_path / "proxy", settings, sampler=DoReMi(step_size=0.1), reference=losses)
    weights = found.sampler["weights"]
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["skill"] > 2 * max(weights["noise"], weights["fixed"])
