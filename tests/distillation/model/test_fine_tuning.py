"""Fine-tuning against plain transformers, one row at a time: its loss, what of a row that is of, and that it falls."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.distillation.model.fine_tuning import FineTuning
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message, table
from tests.distillation.model.support import ROWS, loaded, untrained

ROWS_OF_ALL_KINDS = [make_row(turns) for turns in ROWS] + [make_row([message("user", "and then?")])]


def plain_loss(folder: Path, rows: list[Row]) -> float:
    """Nats a token of what the chat template marks as the assistant's."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    total, count = 0.0, 0
    for row in rows:
        shown = tokenizer.apply_chat_template(
            row["messages"], return_assistant_tokens_mask=True, return_dict=True, add_special_tokens=False
        )
        ids, learned = torch.tensor(shown["input_ids"]), torch.tensor(shown["assistant_masks"]).bool()
        with torch.no_grad():
            said = model(input_ids=ids[None]).logits[0].log_softmax(-1)
        total -= float(said[:-1].gather(1, ids[1:, None])[:, 0][learned[1:]].sum())
        count += int(learned[1:].sum())
    return total / count


def test_the_loss_is_that_of_plain_transformers_and_falls(tmp_path: Path) -> None:
    start, whole = untrained(), ROWS_OF_ALL_KINDS[:-1]
    settings = TrainSettings(max_steps=10, batch_size=len(whole), learning_rate=0.005, dtype="float32")
    made = FineTuning().train(ROWS_OF_ALL_KINDS, start, tmp_path / "a", settings)
    assert made.losses[0] == pytest.approx(plain_loss(start, whole), abs=1e-4)
    assert plain_loss(made.folder, whole) < 0.8 * made.losses[0]
    encoded = loaded(start).encode([row["messages"] for row in whole])
    assert made.answer_tokens == 10 * sum(one.answer_tokens for one in encoded)


def test_what_is_shown_beforehand_is_what_is_learned_and_left_out(tmp_path: Path) -> None:
    start, settings = untrained(), TrainSettings(max_steps=1, batch_size=len(ROWS_OF_ALL_KINDS))
    *shown, last = FineTuning().shown(loaded(start).chat, ROWS_OF_ALL_KINDS, settings)
    made = FineTuning().train(table(ROWS_OF_ALL_KINDS), start, tmp_path / "a", settings)
    assert not last.ids
    assert made.left_out == {len(ROWS): last.reason}
    assert made.answer_tokens == sum(one.answer_tokens for one in shown)
    assert made.tokens == sum(len(one.ids) for one in shown)
