"""Preference training: the loss by hand from plain log-likelihoods, margins that grow, pairs that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.distillation.model.dpo import DPO
from dataflywheel.models.training.train_settings import Lora, TrainSettings
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.rows.text import split_answer
from tests.distillation.model.support import loaded, untrained
from tests.models.copy_skill import copy_model, copy_rows

ONE = TrainSettings(max_steps=1, batch_size=32, dtype="float32")


def pairs(count: int, seed: int) -> list[Row]:
    """The good answer repeats the words; the bad one turns them round."""
    made = []
    for row in copy_rows(count, seed):
        first, second = row[-1]["content"].split()
        made.append(make_row(row, rejected=[message("assistant", f"{second} {first}")]))
    return made


def loglikelihoods(folder: Path, rows: list[Row]) -> Any:
    """(rows, 2): of the good and the bad answer, end of turn included."""
    model = loaded(folder)
    good = model.answer_scores(model.encode([row["messages"] for row in rows])).total
    bad = [[*split_answer(row["messages"])[0], *(row["rejected"] or [])] for row in rows]
    return -np.stack([good, model.answer_scores(model.encode(bad)).total], axis=1)


def margins(folder: Path, reference: Path, rows: list[Row]) -> Any:
    apart = loglikelihoods(folder, rows) - loglikelihoods(reference, rows)
    return apart[:, 0] - apart[:, 1]


def test_the_first_loss_is_the_one_by_hand(tmp_path: Path) -> None:
    rows = pairs(32, seed=4)
    same = DPO().train(rows, untrained(0), tmp_path / "a", ONE)
    assert same.losses[0] == pytest.approx(np.log(2), abs=1e-5)
    beta = 0.3
    other = DPO(beta=beta).train(rows, untrained(0), tmp_path / "b", ONE, reference=untrained(1))
    apart = margins(untrained(0), untrained(1), rows)
    assert other.losses[0] == pytest.approx(float(np.log1p(np.exp(-beta * apart)).mean()), abs=1e-4)
    assert other.margins[0] == pytest.approx(float(beta * apart.mean()), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("lora", [None, Lora(rank=8)], ids=["weights", "adapters"])
def test_margins_grow_over_seeds_on_pairs_that_were_not_seen(lora: Lora | None, tmp_path: Path) -> None:
    for seed in range(3):
        settings = TrainSettings(max_steps=12, batch_size=32, learning_rate=1e-3, seed=seed, lora=lora, dtype="float32")
        made = DPO().train(pairs(96, seed), copy_model(), tmp_path / f"{seed}", settings)
        assert made.margins[-1] > made.margins[0]
        assert made.left_out == {}
        unseen = margins(made.folder, copy_model(), pairs(32, 100 + seed))
        assert unseen.mean() > 0.5


def test_margins_grow_with_adapters_too(tmp_path: Path) -> None:
    settings = TrainSettings(max_steps=4, batch_size=16, learning_rate=1e-3, lora=Lora(rank=4), dtype="float32")
    made = DPO().train(pairs(32, 0), copy_model(), tmp_path / "a", settings)
    assert made.losses[0] == pytest.approx(np.log(2), abs=1e-5)
    assert margins(made.folder, copy_model(), pairs(32, 0)).mean() > 0


class KilledError(Exception):
    pass


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    settings = TrainSettings(max_steps=6, batch_size=8, save_steps=2, learning_rate=1e-3, dtype="float32")

    def kill(step: int, steps: int, loss: float) -> None:
        if step == 5:
            raise KilledError

    whole = DPO().train(pairs(24, 0), untrained(0), tmp_path / "whole", settings)
    with pytest.raises(KilledError):
        DPO().train(pairs(24, 0), untrained(0), tmp_path / "cut", settings, progress=kill)
    cut = DPO().train(pairs(24, 0), untrained(0), tmp_path / "cut", settings)
    assert cut.losses == whole.losses
    assert cut.margins == whole.margins
    both = [(made.folder / "model.safetensors").read_bytes() for made in (whole, cut)]
    assert both[0] == both[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut", "whole"]


def test_rows_that_are_no_pair_are_named_and_long_prompts_are_cut(tmp_path: Path) -> None:
    rows = pairs(4, seed=4)
    alone = make_row(copy_rows(1, 7)[0])
    equal = make_row(copy_rows(1, 8)[0], rejected=[copy_rows(1, 8)[0][-1]])
    long = make_row(
        [message("user", "repeat " + "amber " * 200), message("assistant", "amber")],
        rejected=[message("assistant", "basil")],
    )
    endless = make_row(
        [message("user", "repeat"), message("assistant", "amber " * 200)], rejected=[message("assistant", "basil")]
    )
    settings = ONE.model_copy(update={"max_length": 64})
    made = DPO().train([*rows, alone, equal, long, endless], untrained(0), tmp_path / "a", settings)
    assert made.left_out == {
        4: "it has no worse answer",
        5: "its answers are the same",
        7: "its answers leave no room for the prompt in 64 tokens",
    }
    with pytest.raises(UsageError, match="none of 1 rows gives a pair to learn from: 1 rows: it has no worse answer"):
        DPO().train([alone], untrained(0), tmp_path / "b", ONE)
