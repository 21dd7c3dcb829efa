from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from safetensors.torch import load_file

from dataflywheel.contracts import UsageError
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.losses import IGNORED, linear_cross_entropy
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.examples import example
from dataflywheel.models.training.length_grouped import LengthGroupedOrder
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import Lora, TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import table
from tests.models.copy_skill import conversation, copy_rows

ROWS = copy_rows(60, seed=6)


@pytest.fixture(scope="module")
def start() -> Path:
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    return init_tiny(pool_tokenizer(ROWS, cache_dir=cache), "0.5m", cache_dir=cache)


def same(a: Path, b: Path) -> bool:
    return (a / "model.safetensors").read_bytes() == (b / "model.safetensors").read_bytes()


def test_labels_are_the_answer_and_its_end_of_turn(start: Path) -> None:
    model = LanguageModel.load(ModelSpec(hf=str(start)))
    rows = [*ROWS, [*ROWS[0], *conversation("and again", "amber 冰")]]
    mask = model.tokenizer.apply_chat_template(
        rows, return_assistant_tokens_mask=True, return_dict=True, add_special_tokens=False
    )
    for row, ids, expected in zip(model.encode(rows), mask["input_ids"], mask["assistant_masks"], strict=True):
        made = example(row)
        assert made["input_ids"] == ids
        last = len(expected) - expected[::-1].index(1)
        first = max((i for i in range(last) if expected[i] == 0), default=-1) + 1
        assert [label != IGNORED for label in made["labels"]] == [first <= i < last for i in range(len(ids))]


def test_same_rows_and_seed_give_the_same_weights(start: Path, tmp_path: Path) -> None:
    settings = TrainSettings(epochs=2)
    a = train_sft(ROWS, start, tmp_path / "a", settings)
    rows = table([make_row(row) for row in ROWS])
    b = train_sft(rows, ModelSpec(hf=str(start)), tmp_path / "b", settings)
    c = train_sft(ROWS, start, tmp_path / "c", settings.model_copy(update={"seed": 1}))
    assert isinstance(rows, pa.Table)
    assert same(a.folder, b.folder)
    assert not same(a.folder, c.folder)
    assert (a.losses, a.tokens, a.answer_tokens) == (b.losses, b.tokens, b.answer_tokens)
    model = LanguageModel.load(ModelSpec(hf=str(start)))
    encoded = model.encode(ROWS)
    assert a.tokens == 2 * sum(len(row.ids) for row in encoded)
    assert a.answer_tokens == 2 * sum(row.answer_tokens for row in encoded)
    assert a.steps == len(a.losses) == 8


def test_the_first_loss_is_the_mean_over_answer_tokens(start: Path, tmp_path: Path) -> None:
    made = train_sft(ROWS, start, tmp_path / "a", TrainSettings(max_steps=1, batch_size=60, dtype="float32"))
    model = LanguageModel.load(ModelSpec(hf=str(start)))
    scores = model.answer_scores(model.encode(ROWS))
    assert made.losses[0] == pytest.approx(scores.total.sum() / scores.tokens.sum(), abs=1e-4)


class KilledError(Exception):
    pass


def test_a_killed_run_goes_on_to_the_same_weights(start: Path, tmp_path: Path) -> None:
    settings = TrainSettings(epochs=3, batch_size=8, save_steps=3)
    whole = train_sft(ROWS, start, tmp_path / "whole", settings)

    def kill(step: int, steps: int, loss: float) -> None:
        if step == 14:
            raise KilledError

    seen: list[int] = []
    with pytest.raises(KilledError):
        train_sft(ROWS, start, tmp_path / "cut", settings, progress=kill)
    assert not (tmp_path / "cut").exists()
    cut = train_sft(ROWS, start, tmp_path / "cut", settings, progress=lambda step, steps, loss: seen.append(step))
    assert seen[0] == 13
    assert same(whole.folder, cut.folder)
    assert (whole.losses, whole.tokens) == (cut.losses, cut.tokens)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut", "whole"]


def test_adapters_are_merged_into_a_plain_folder(start: Path, tmp_path: Path) -> None:
    made = train_sft(ROWS, start, tmp_path / "a", TrainSettings(max_steps=4, lora=Lora(rank=4)))
    before, after = load_file(start / "model.safetensors"), load_file(made.folder / "model.safetensors")
    assert before.keys() == after.keys()
    name = "model.layers.0.self_attn.q_proj.weight"
    assert 0 < np.linalg.matrix_rank((after[name] - before[name]).numpy(), tol=1e-6) <= 4
    assert before["model.embed_tokens.weight"].equal(after["model.embed_tokens.weight"])
    LanguageModel.load(ModelSpec(hf=str(made.folder)))


def test_rows_without_answers_are_refused(start: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none of 1 rows can be learned"):
        train_sft([ROWS[0][:1]], start, tmp_path / "a")


def test_every_epoch_is_a_permutation_that_depends_on_seed_and_epoch_alone() -> None:
    order = LengthGroupedOrder([i % 17 for i in range(103)], batch=4, seed=3)
    first = list(order)
    order.set_epoch(1)
    second = list(order)
    order.set_epoch(0)
    assert sorted(first) == sorted(second) == list(range(103))
    assert first != second
    assert list(order) == first
    spread = [max(i % 17 for i in b) - min(i % 17 for i in b) for b in (first[k : k + 4] for k in range(0, 100, 4))]
    assert np.mean(spread) < 2


def test_fused_loss_and_gradients_are_those_of_plain_cross_entropy(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from dataflywheel.models.language import losses

    monkeypatch.setattr(losses, "CHUNK", 7 * 90)
    torch.manual_seed(0)
    hidden, weight = torch.randn(31, 12, requires_grad=True), torch.randn(90, 12, requires_grad=True)
    targets = torch.randint(0, 90, (31,))

    def gradients(loss: Any) -> Any:
        return torch.autograd.grad(loss * 0.5, (hidden, weight))

    ours = linear_cross_entropy(hidden, weight, targets)
    plain = torch.nn.functional.cross_entropy(hidden @ weight.T, targets, reduction="sum")
    assert float(ours.detach()) == pytest.approx(float(plain.detach()), rel=1e-5)
    for a, b in zip(gradients(ours), gradients(plain), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)
