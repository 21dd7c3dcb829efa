from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from dataflywheel.cli.main import app
from dataflywheel.contracts import UsageError
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.checkpoints import Adapters, Schedule, keep_checkpoints
from dataflywheel.models.training.learning_rate import usual_rate
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import Lora, TrainSettings
from dataflywheel.rows.identity import prompt_answer_row


@pytest.mark.parametrize(
    ("job", "parameters", "lora", "rate"),
    [
        ("answers", 1e6, False, 1e-3),
        ("answers", 7e9, False, 2e-5),
        ("answers", 7e9, True, 2e-4),
        ("pairs", 7e9, False, 5e-7),
        ("pairs", 7e9, True, 5e-6),
        ("on_policy", 7e9, False, 1e-6),
        ("labels", 7e9, False, 1e-6),
        ("labels", 7e9, True, 5e-6),
        ("pairs_alone", 7e9, False, 6e-7),
        ("pairs_alone", 1e6, False, 1e-4),
    ],
)
def test_the_rate_fits_model_and_method(job: str, parameters: float, lora: bool, rate: float) -> None:
    settings = TrainSettings(lora=Lora() if lora else None)
    assert settings.fitted(parameters, job).learning_rate == rate == usual_rate(job, parameters, lora)  # type: ignore[arg-type]


def test_a_rate_that_would_ruin_the_model_is_said_twice() -> None:
    for given in (2e-4, 1e-3):
        with pytest.raises(UsageError, match="times the usual 2e-05 for all weights of a model of 7,000,000,000"):
            TrainSettings(learning_rate=given).fitted(7e9)
    assert TrainSettings(learning_rate=1e-3, force=True).fitted(7e9).learning_rate == 1e-3
    assert TrainSettings(learning_rate=1.9e-4).fitted(7e9).learning_rate == 1.9e-4
    assert TrainSettings(learning_rate=4e-3).fitted(1e6).learning_rate == 4e-3
    for job, times in (("answers", 10), ("pairs", 100), ("on_policy", 100)):
        with pytest.raises(UsageError, match=f"is {times} times the usual"):
            TrainSettings(learning_rate=1e-2).fitted(1e6, job)  # type: ignore[arg-type]


def test_helpers_and_the_command_line_are_held_to_it_too(tmp_path: Path) -> None:
    rows = [prompt_answer_row("What is two and two?", "Four.")["messages"]] * 4
    tiny = ModelSpec(hf=str(init_tiny(pool_tokenizer(rows, cache_dir=tmp_path), "0.5m", cache_dir=tmp_path)))
    for adapters in (None, Adapters()):
        schedule = Schedule(epochs=1, checkpoints=1, learning_rate=0.5, batch_size=2, max_length=32, adapters=adapters)
        with pytest.raises(UsageError, match=r"leave it out$"):
            keep_checkpoints(rows, tiny, schedule, tmp_path)
    (tmp_path / "pool.jsonl").write_text('{"prompt": "What is two and two?", "completion": "Four."}', encoding="utf-8")
    words = [str(tmp_path / "pool.jsonl"), "--teacher", "tiny", "--learning-rate", "0.5", "--epochs", "1"]
    refused = CliRunner().invoke(app, ["distill", *words, "--runs", str(tmp_path / "runs")])
    assert refused.exit_code
    assert "--force" in f"{refused.output}{refused.exception}"
