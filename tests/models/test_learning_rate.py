from __future__ import annotations

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.models.learning_rate import usual_rate
from dataflywheel.models.training import Lora, TrainSettings


@pytest.mark.parametrize(
    ("job", "parameters", "lora", "rate"),
    [
        ("answers", 1e6, False, 1e-3),
        ("answers", 7e9, False, 2e-5),
        ("answers", 7e9, True, 2e-4),
        ("pairs", 7e9, False, 5e-7),
        ("pairs", 7e9, True, 5e-6),
        ("on_policy", 7e9, False, 1e-6),
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
    with pytest.raises(UsageError, match="is 100 times the usual"):
        TrainSettings(learning_rate=0.1).fitted(1e6)
