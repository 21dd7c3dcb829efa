"""SimPO: the loss by hand and as TRL has it, no second model, margins that grow."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dataflywheel.distillation.model import preferring
from dataflywheel.distillation.model.pairs import pairs_of
from dataflywheel.distillation.model.simpo import SimPO
from dataflywheel.models.training.train_settings import Lora, TrainSettings
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.rows.text import split_answer
from tests.distillation.model.support import loaded, untrained
from tests.models.copy_skill import copy_model, copy_rows

ONE = TrainSettings(max_steps=1, batch_size=32, dtype="float32")


def pairs(count: int, seed: int) -> list[Row]:
    """The good answer repeats the words; the bad one turns them round, and every other one says more than that."""
    made = []
    for place, row in enumerate(copy_rows(count, seed)):
        first, second = row[-1]["content"].split()
        turned = f"{second} {first}" + f" {first} {second} {first}" * (place % 2)
        made.append(make_row(row, rejected=[message("assistant", turned)]))
    return made


def means(folder: Path, rows: list[Row]) -> Any:
    """(rows, 2): mean log-probability of a token of the good and of the bad answer."""
    model = loaded(folder)
    good = model.answer_scores(model.encode([row["messages"] for row in rows])).loss
    bad = [[*split_answer(row["messages"])[0], *(row["rejected"] or [])] for row in rows]
    return -np.stack([good, model.answer_scores(model.encode(bad)).loss], axis=1)


def as_trl_has_it(folder: Path, rows: list[Row], beta: float, gamma: float) -> float:
    """The loss of `CPOTrainer` on the same tokens, its further loss on the good answer left out."""
    import torch

    experimental = pytest.importorskip("trl.experimental.cpo")
    base = loaded(folder)
    batch = {}
    found: Any = pairs_of(base.chat, rows, 1024)
    for kind in ("chosen", "rejected"):
        texts = [(one["prompt_ids"], one[f"{kind}_ids"]) for one in found]
        width = max(len(prompt) + len(answer) for prompt, answer in texts)
        for name, pad in (("input_ids", base.pad_id), ("attention_mask", 0), ("labels", -100)):
            batch[f"{kind}_{name}"] = torch.full((len(rows), width), pad)
        for row, (prompt, answer) in enumerate(texts):
            ids = torch.tensor([*prompt, *answer])
            batch[f"{kind}_input_ids"][row, : len(ids)] = ids
            batch[f"{kind}_attention_mask"][row, : len(ids)] = 1
            batch[f"{kind}_labels"][row, len(prompt) : len(ids)] = ids[len(prompt) :]
    trainer = object.__new__(experimental.CPOTrainer)
    settings = {"loss_type": "simpo", "beta": beta, "simpo_gamma": gamma, "cpo_alpha": 0, "alpha": 0.0}
    settings |= {"label_smoothing": 0.0, "is_encoder_decoder": False, "aux_loss_enabled": False}
    settings |= {"pad_token_id": base.pad_id}
    settings["accelerator"] = SimpleNamespace(device=base.model.device, gather_for_metrics=lambda value: value)
    for name, value in settings.items():
        setattr(trainer, name, value)
    with torch.no_grad():
        return float(trainer.get_batch_loss_metrics(base.model, batch)[0])


def test_the_first_loss_is_the_one_by_hand_and_that_of_trl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, seen = pairs(32, seed=4), []

    def once(model: Any) -> Any:
        seen.append(model)
        return loaded(Path(model))

    monkeypatch.setattr(preferring, "loaded", once)
    made = SimPO(beta=3.0, gamma=0.6).train(rows, copy_model(), tmp_path / "a", ONE)
    assert len(seen) == 1  # no reference
    apart = 3.0 * np.subtract(*means(copy_model(), rows).T)
    assert apart.std() > 0.1
    assert made.losses[0] == pytest.approx(float(np.log1p(np.exp(0.6 - apart)).mean()), abs=1e-4)
    assert made.losses[0] == pytest.approx(as_trl_has_it(copy_model(), rows, 3.0, 0.6), abs=1e-4)
    assert made.margins[0] == pytest.approx(float(apart.mean()), abs=1e-3)
    assert made.told == {"pairs": 32}
    assert made.tokens > 0


@pytest.mark.parametrize("lora", [None, Lora(rank=4)], ids=["weights", "adapters"])
def test_the_better_answers_come_out_ahead_on_pairs_that_were_not_seen(lora: Lora | None, tmp_path: Path) -> None:
    settings = TrainSettings(max_steps=6, batch_size=16, learning_rate=1e-3, lora=lora, dtype="float32")
    made = SimPO().train(pairs(32, 0), untrained(0), tmp_path / "a", settings)
    unseen = pairs(32, 100)
    before, after = (np.subtract(*means(folder, unseen).T).mean() for folder in (untrained(0), made.folder))
    assert after > before + 0.01
    assert untrained(0) != made.folder
