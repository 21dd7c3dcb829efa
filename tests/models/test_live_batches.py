"""The seam of samplers in training: what they are asked, what they are told, and what survives a kill."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dataflywheel.contracts import (
    AnswerPositions,
    AnyArray,
    Draw,
    FlywheelError,
    Objective,
    Sampler,
    TrainingRows,
    UsageError,
)
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.losses import linear_cross_entropy
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training import answer_trainer
from dataflywheel.models.training.live_batches import STATE
from dataflywheel.models.training.reference import aligned, reference_losses
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import Lora, TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.models.training.validation import Hints, Validation
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import table
from dataflywheel.selection.dynamic.doremi import DoReMi
from dataflywheel.selection.dynamic.in_order import InOrder
from dataflywheel.selection.dynamic.mixture import Mixture
from dataflywheel.selection.dynamic.rho_loss import RhoLoss
from dataflywheel.selection.dynamic.skill_it import SkillIt
from tests.models.copy_skill import copy_rows
from tests.models.diary import PAGES, Diary

CONVERSATIONS = copy_rows(60, seed=6)
ROWS = table([make_row(row, source="ab"[i % 3 == 0]) for i, row in enumerate(CONVERSATIONS)])


@pytest.fixture(scope="module")
def start() -> Path:
    cache = Path(os.environ["FLYWHEEL_CACHE"])
    return init_tiny(pool_tokenizer(CONVERSATIONS, cache_dir=cache), "0.5m", cache_dir=cache)


def same(a: Path, b: Path) -> bool:
    return (a / "model.safetensors").read_bytes() == (b / "model.safetensors").read_bytes()


class Halved(Objective):
    def loss(self, at: AnswerPositions, table: Any) -> Any:
        return linear_cross_entropy(at.states, table, at.labels) / 2


@pytest.mark.parametrize("how", ["plain", "lora", "objective", "own logits"])
def test_losses_are_those_of_the_model_before_the_step(
    start: Path, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "own logits":
        monkeypatch.setattr(answer_trainer, "head_is_linear", lambda model: False)
    lora, objective = Lora(rank=2) if how == "lora" else None, Halved() if how == "objective" else None
    unanswered = make_row(CONVERSATIONS[0][:1])
    rows = pa.concat_tables([table([unanswered]), ROWS])
    settings = TrainSettings(max_steps=1, batch_size=8, dtype="float32", lora=lora)
    made = train_sft(rows, start, tmp_path / "a", settings, sampler=Diary(offered=3), objective=objective)
    model = LanguageModel.load(ModelSpec(hf=str(start)))
    encoded = model.encode(CONVERSATIONS)
    scores = model.answer_scores(encoded)
    (page,) = PAGES
    np.testing.assert_allclose(page["losses"], scores.loss[page["offered"]], atol=1e-5)
    assert page["seen"].tolist() == page["chosen"].tolist()
    for position, told in zip(page["seen"], page["told"], strict=True):
        np.testing.assert_allclose(told, -scores.logprobs[position], atol=1e-4)
    chosen = page["chosen"]
    mean = scores.total[chosen].sum() / scores.tokens[chosen].sum()
    assert made.losses == pytest.approx([mean / 2 if objective else mean], abs=1e-4)
    assert made.candidates_tokens == sum(len(encoded[i].ids) for i in page["offered"])
    assert made.tokens == sum(len(encoded[i].ids) for i in chosen)
    assert made.seen is not None
    assert np.flatnonzero(made.seen).tolist() == sorted(1 + chosen)  # the row without an answer came first


def test_no_forward_pass_is_spent_where_nothing_is_chosen(start: Path, tmp_path: Path) -> None:
    made = train_sft(ROWS, start, tmp_path / "a", TrainSettings(max_steps=3, batch_size=8), sampler=Diary())
    assert made.candidates_tokens == 0
    assert "losses" not in PAGES[0]
    assert len(PAGES[2]["told"]) == 8


def test_no_choice_runs_ahead_and_an_epoch_keeps_its_steps(start: Path, tmp_path: Path) -> None:
    ahead = []
    settings = TrainSettings(epochs=2, batch_size=16)
    made = train_sft(
        ROWS, start, tmp_path / "a", settings, sampler=Diary(), progress=lambda step, *_: ahead.append(len(PAGES))
    )
    assert ahead == list(range(1, 9))
    assert made.steps == 8
    assert [page["k"] for page in PAGES] == [16, 16, 16, 12] * 2


class KilledError(Exception):
    pass


SKILLS = SkillIt(skills="source", graph_steps=1, window=2)
SAMPLERS = [RhoLoss(ratio=0.5), DoReMi(), Mixture(temperature=2), InOrder(), SKILLS]
CHECKED = Hints(validation=Validation(ROWS.slice(0, 12), ["x", "y", "y"] * 4))


@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: str(sampler.name))
def test_a_killed_training_goes_on_with_the_same_rows(start: Path, tmp_path: Path, sampler: Sampler) -> None:
    settings = TrainSettings(max_steps=6, batch_size=8, save_steps=3)
    reference = reference_losses(ROWS, start, settings.max_length) if sampler.needs_reference else None
    given: dict[str, Any] = {"sampler": sampler, "reference": reference, "hints": CHECKED}
    whole = train_sft(ROWS, start, tmp_path / "whole", settings, **given)

    def kill(step: int, steps: int, loss: float) -> None:
        if step == 5:
            raise KilledError

    with pytest.raises(KilledError):
        train_sft(ROWS, start, tmp_path / "cut", settings, progress=kill, **given)
    (state,) = tmp_path.glob(f".cut.checkpoints-*/checkpoint-3/{STATE}")
    assert sum(json.loads(state.read_text())["seen"]) == 24
    went_on: list[int] = []
    cut = train_sft(ROWS, start, tmp_path / "cut", settings, progress=lambda step, *_: went_on.append(step), **given)
    assert went_on[0] == 4
    assert same(whole.folder, cut.folder)
    assert np.array_equal(whole.seen, cut.seen)  # type: ignore[arg-type]
    assert (whole.losses, whole.candidates_tokens, whole.sampler) == (cut.losses, cut.candidates_tokens, cut.sampler)
    assert whole.asked == cut.asked


def test_another_sampler_or_reference_does_not_go_on_from_a_checkpoint(start: Path, tmp_path: Path) -> None:
    settings = TrainSettings(max_steps=4, batch_size=8, save_steps=2)
    reference = reference_losses(ROWS, start, settings.max_length)
    shifted = {id: losses + 1 for id, losses in reference.items()}

    def first_step(sampler: Sampler | None, known: Any) -> int:
        steps: list[int] = []

        def kill(step: int, total: int, loss: float) -> None:
            steps.append(step)
            if step == 3:
                raise KilledError

        with pytest.raises(KilledError):
            train_sft(ROWS, start, tmp_path / "a", settings, sampler=sampler, reference=known, progress=kill)
        return steps[0]

    assert first_step(RhoLoss(ratio=0.5), reference) == 1
    assert first_step(RhoLoss(ratio=0.5), reference) == 3
    assert first_step(RhoLoss(ratio=0.6), reference) == 1
    assert first_step(RhoLoss(ratio=0.5), shifted) == 1
    assert first_step(None, None) == 1


@pytest.mark.parametrize("given", [7, 9])
def test_a_sampler_that_gives_too_few_or_too_many_rows_is_named(start: Path, tmp_path: Path, given: int) -> None:
    class Wrong(Diary):
        name = "wrong"

        def start(self, rows: TrainingRows, batch: int, seed: int) -> Draw:
            return WrongDraw()

    class WrongDraw(Draw):  # without a choice among its candidates
        def candidates(self, k: int) -> AnyArray:
            return np.arange(given)

        def state_dict(self) -> dict[str, Any]:
            return {}

        def load_state_dict(self, state: Mapping[str, Any]) -> None: ...

    with pytest.raises(FlywheelError, match=f"wrong gave {given} rows for a batch of 8"):
        train_sft(ROWS, start, tmp_path / "a", TrainSettings(max_steps=1, batch_size=8), sampler=Wrong())


def test_references_are_by_row_id_and_of_the_same_tokens(start: Path, tmp_path: Path) -> None:
    reference = reference_losses(ROWS, start, 1024)
    model = LanguageModel.load(ModelSpec(hf=str(start)))
    scores = model.answer_scores(model.encode(CONVERSATIONS))
    ids = ROWS["id"].to_pylist()
    for id, logprobs in zip(ids, scores.logprobs, strict=True):
        np.testing.assert_allclose(reference[id], -logprobs, atol=1e-5)
    found = aligned(reference, [ids[3], "another", ids[1]], [len(reference[ids[3]]), 5, len(reference[ids[1]])])
    assert [len(one) for one in found] == [len(reference[ids[3]]), 0, len(reference[ids[1]])]
    with pytest.raises(UsageError, match="answer tokens and 1 reference losses: the reference must have the student's"):
        train_sft(
            ROWS, start, tmp_path / "a", TrainSettings(max_steps=1), sampler=RhoLoss(),
            reference={**reference, ids[4]: np.ones(1)},
        )  # fmt: skip
    with pytest.raises(UsageError, match="rho_loss compares with a reference model"):
        train_sft(ROWS, start, tmp_path / "a", TrainSettings(max_steps=1), sampler=RhoLoss())


def test_plain_conversations_have_the_ids_of_their_rows(start: Path, tmp_path: Path) -> None:
    settings = TrainSettings(max_steps=2, batch_size=8)
    reference = reference_losses(ROWS, start, settings.max_length)
    arguments: dict[str, Any] = {"sampler": RhoLoss(ratio=0.5), "reference": reference}
    a = train_sft(ROWS, start, tmp_path / "a", settings, **arguments)
    b = train_sft(CONVERSATIONS, start, tmp_path / "b", settings, **arguments)
    assert same(a.folder, b.folder)


def test_fewer_rows_than_a_batch_are_one_batch(start: Path, tmp_path: Path) -> None:
    few = ROWS.slice(0, 5)
    settings = TrainSettings(max_steps=2, batch_size=8)
    reference = reference_losses(few, start, settings.max_length)
    made = train_sft(few, start, tmp_path / "a", settings, sampler=RhoLoss(), reference=reference)
    assert made.seen is not None
    assert made.seen.tolist() == [2] * 5


@pytest.mark.parametrize("sampler", [Diary(), Diary(offered=2)])
def test_a_loss_that_is_no_number_reaches_no_sampler(start: Path, tmp_path: Path, sampler: Diary) -> None:
    settings = TrainSettings(max_steps=6, batch_size=8, learning_rate=1e18, force=True, warmup=0, max_grad_norm=1e9)
    with pytest.raises(FlywheelError, match=r"training diverged \(the loss of row [0-9a-f]{32} is not finite\)"):
        train_sft(ROWS, start, tmp_path / "a", settings, sampler=sampler)


def test_a_training_that_diverges_gives_no_model(start: Path, tmp_path: Path) -> None:
    settings = TrainSettings(max_steps=4, batch_size=8, learning_rate=1e18, force=True, warmup=0, max_grad_norm=1e9)
    with pytest.raises(FlywheelError, match=r"training diverged \((loss|gradient) is not finite at step \d\)"):
        train_sft(ROWS, start, tmp_path / "a", settings)
    assert not (tmp_path / "a").exists()
