from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.models.files import folder_digest
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.training import tiny
from dataflywheel.models.training.tiny import SHAPES, init_tiny, schedule, train_tiny
from tests.models.copy_skill import copy_rows

ROWS = copy_rows(200, seed=5)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("FLYWHEEL_CACHE")
    return tmp_path


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_the_same_call_gives_the_same_bytes_and_trains_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = train_tiny(ROWS, "0.5m", tokens=20_000, cache_dir=cache / "a")
    again = train_tiny(ROWS, "0.5m", tokens=20_000, cache_dir=cache / "b")
    assert first.name == again.name
    assert weights(first) == weights(again)
    assert folder_digest(first) == folder_digest(again)
    monkeypatch.setattr(tiny, "_train", lambda *_: pytest.fail("trained twice"))
    assert train_tiny(ROWS, "0.5m", tokens=20_000, cache_dir=cache / "a") == first


@pytest.mark.parametrize(
    "change", [{"rows": ROWS[1:]}, {"rows": ROWS[::-1]}, {"size": "1m"}, {"seed": 1}, {"tokens": 4096}]
)
def test_whatever_matters_is_in_the_name(cache: Path, change: dict[str, object]) -> None:
    base = {"rows": ROWS, "size": "0.5m", "seed": 0, "tokens": 2048, "cache_dir": cache}
    assert train_tiny(**base) != train_tiny(**{**base, **change})  # type: ignore[arg-type]


def test_training_lowers_the_loss_below_that_of_guessing(cache: Path) -> None:
    losses: list[float] = []
    train_tiny(ROWS, "0.5m", tokens=40_000, cache_dir=cache, progress=lambda step, steps, loss: losses.append(loss))
    assert losses[-1] < losses[0] / 2


def test_the_folder_is_a_plain_transformers_folder_that_encodes_any_text(cache: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = train_tiny(["plain text without turns"] * 3, "0.5m", tokens=2048, cache_dir=cache)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert model.config.model_type == "llama"
    assert len(tokenizer) == model.config.vocab_size
    for text in ("naïve 冰川 🧊\x00\t\n  end", "ﷺ", "a" * 500):
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_sizes_are_what_their_names_say() -> None:
    named = {"0.5m": 0.5e6, "1m": 1e6, "2m": 2e6, "5m": 5e6, "20m": 20e6}
    for size, shape in SHAPES.items():
        layer = 4 * shape.hidden**2 + 3 * shape.hidden * shape.intermediate + 2 * shape.hidden
        assert 4096 * shape.hidden + shape.layers * layer + shape.hidden == pytest.approx(named[size], rel=0.05)


def test_an_untrained_student_has_the_tokenizer_and_shape_of_the_trained_one(cache: Path) -> None:
    from safetensors.torch import load_file

    trained = train_tiny(ROWS, "0.5m", tokens=2048, cache_dir=cache)
    student = init_tiny(pool_tokenizer(ROWS, cache_dir=cache), "0.5m", cache_dir=cache)
    assert (student / "tokenizer.json").read_bytes() == (trained / "tokenizer.json").read_bytes()
    a, b = load_file(trained / "model.safetensors"), load_file(student / "model.safetensors")
    assert {name: w.shape for name, w in a.items()} == {name: w.shape for name, w in b.items()}
    other = init_tiny(pool_tokenizer(ROWS, cache_dir=cache), "0.5m", seed=1, cache_dir=cache)
    assert weights(other) != weights(student)


def test_an_empty_pool_is_refused(cache: Path) -> None:
    with pytest.raises(UsageError, match="pool is empty"):
        train_tiny([], cache_dir=cache)


def test_the_rate_rises_to_its_peak_and_falls_to_a_tenth() -> None:
    rates = [schedule(step, 100) for step in range(101)]
    assert max(rates) == 1.0
    assert rates[0] == pytest.approx(0.2)
    assert rates[100] == pytest.approx(0.1)
    assert rates[5:] == sorted(rates[5:], reverse=True)
