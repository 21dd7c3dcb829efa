"""TRL's trainer with the loss computed at answer positions alone, and an order of rows that survives a resume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dataflywheel.contracts import FloatArray, Objective, UsageError
from dataflywheel.models.language.language_model import MAX_TOKENS
from dataflywheel.models.language.losses import IGNORED, linear_cross_entropy
from dataflywheel.models.language.scoring import answer_scores, autocast, head_is_linear, last_hidden
from dataflywheel.models.training.batch_loss import answer_positions, objective_loss, weighted_loss
from dataflywheel.models.training.examples import Example
from dataflywheel.models.training.length_grouped import LengthGroupedOrder
from dataflywheel.models.training.live_batches import LiveBatches, live_trainer
from dataflywheel.models.training.tiny import fast_bfloat16
from dataflywheel.models.training.train_settings import Lora, Progress, TrainSettings

if TYPE_CHECKING:
    from pathlib import Path

    from dataflywheel.models.language.language_model import LanguageModel

BESIDE = frozenset({"row", "weight"})
"""What an example says of its row, and not to the model."""


def answer_trainer(
    base: LanguageModel,
    examples: list[dict[str, Any]],
    arguments: Any,
    lora: Lora | None,
    progress: Progress | None,
    objective: Objective | None = None,
    live: LiveBatches | None = None,
) -> Any:
    """A trainer over tokenised examples, each with its `row`, and its `weight` (1 in the mean) where rows have one.

    Its log holds `loss`, `tokens`, `answer_tokens` and `passes` (rows) of every step, and `candidates_tokens` with the
    rows that these are of, `candidates`, where rows are chosen.

    Examples are learned by the cross-entropy of their answers' tokens, or by an `objective` in its place; in a
    shuffled order, or as `live` wants them: the data loader then only counts the steps of an epoch.
    """
    from datasets import Dataset
    from transformers import PrinterCallback

    kind = _trainer_class(base, examples, bool(lora), objective)
    if objective is not None and not kind.fused:
        raise UsageError(f"{objective.name} needs a model whose logits are its output embedding times its states")
    trainer = (kind if live is None else live_trainer(kind, live))(
        model=base.model,
        args=arguments,
        train_dataset=Dataset.from_list(examples),
        data_collator=_collator(base.pad_id),
        processing_class=base.tokenizer,
        callbacks=[watch(progress)],
        peft_config=adapters(lora),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _trainer_class(
    base: LanguageModel, examples: list[dict[str, Any]], adapted: bool, objective: Objective | None
) -> Any:
    from transformers import Trainer
    from trl import SFTTrainer

    head = base.model.get_output_embeddings()

    class AnswerTrainer(SFTTrainer):  # type: ignore[misc]
        read: dict[str, int] = {}
        linear = head_is_linear(base.model)
        fused = linear and getattr(head, "bias", None) is None
        watched = False
        """Whether `trained_on` wants the loss of every answer token, as a subclass may."""
        trained_on: Callable[[Any, list[Any]], None]
        pad_id = base.pad_id

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            labels = inputs["labels"]
            wanted = labels != IGNORED
            rows, weights = inputs.pop("row"), inputs.pop("weight", None)
            read = {"tokens": int(inputs["attention_mask"].sum()), "answer_tokens": int(wanted.sum())}
            self.read = {**read, "passes": len(rows)}
            if not self.fused:
                if weights is not None:
                    return weighted_loss(model(**{**inputs, "labels": None}).logits, labels, weights)
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            return _fused_loss(self, inputs, wanted, rows, weights, objective)

        def causal(self) -> Any:
            """The model without the wrapper that low-rank adapters put around it."""
            return self.model.get_base_model() if adapted else self.model

        def answer_losses(self, examples: Sequence[Example]) -> list[FloatArray]:
            """Nats of each answer token as the model is now: no gradient, no dropout, rows of like length together."""
            return _losses_now(self, examples)

        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            super().log({**logs, **self.read} if "loss" in logs else logs, start_time)

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            lengths = [len(one["input_ids"]) for one in examples]
            return LengthGroupedOrder(lengths, self.args.per_device_train_batch_size, self.args.seed)

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            Trainer._save_checkpoint(self, model, trial)  # TRL would write a model card each time

    return AnswerTrainer


def _fused_loss(trainer: Any, inputs: Any, wanted: Any, rows: Any, weights: Any, objective: Objective | None) -> Any:
    """The mean over the answers' tokens, without logits of any other; what `trained_on` wants is told on the way."""
    import torch

    labels = inputs["labels"]
    causal, half = trainer.causal(), trainer.args.bf16
    with autocast(causal, "bfloat16" if half else "float32"):
        states = last_hidden(causal, inputs["input_ids"])[:, :-1][wanted[:, 1:]]
    table, answers = causal.get_output_embeddings().weight, labels[wanted]
    each = torch.empty(len(answers), device=answers.device) if trainer.watched else None
    if objective is None:
        counts = None if weights is None else torch.repeat_interleave(weights, wanted.sum(dim=1))
        total = linear_cross_entropy(states, table, answers, bfloat16=half, each=each, counts=counts)
    else:
        total = objective_loss(objective, answer_positions(states, answers, rows, wanted), table, weights)
        if each is not None:
            linear_cross_entropy(states.detach(), table.detach(), answers, bfloat16=half, each=each)
    if each is not None:
        trainer.trained_on(rows, list(each.split(wanted.sum(dim=1).tolist())))
    return total / wanted.sum()


def _losses_now(trainer: Any, examples: Sequence[Example]) -> list[FloatArray]:
    trainer.model.eval()
    scores = answer_scores(
        trainer.causal(),
        [(one["input_ids"], [i for i, x in enumerate(one["labels"]) if x != IGNORED]) for one in examples],
        pad_id=trainer.pad_id,
        dtype="bfloat16" if trainer.args.bf16 else "float32",
        linear=trainer.linear,
        detail=False,
        max_tokens=MAX_TOKENS,
    )
    trainer.model.train()
    return [-logprobs for logprobs in scores.logprobs]


def _collator(pad_id: int) -> Any:
    """TRL's padding, with the position of each row among the examples beside it, and its weight where rows have one."""
    import torch
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    pad = DataCollatorForLanguageModeling(pad_token_id=pad_id)

    def collate(examples: list[dict[str, Any]]) -> dict[str, Any]:
        batch: dict[str, Any] = pad([{k: v for k, v in one.items() if k not in BESIDE} for one in examples])
        if "weight" in examples[0]:
            batch["weight"] = torch.tensor([one["weight"] for one in examples], dtype=torch.float32)
        return {**batch, "row": torch.tensor([one["row"] for one in examples])}

    return collate


def adapters(lora: Lora | None) -> Any:
    """`lora` as peft takes it."""
    if lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def watch(progress: Progress | None) -> Any:
    """Passes on every logged loss, and leaves the last save to the caller."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step >= state.max_steps:
                control.should_save = False  # the finished model is saved by the caller

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if progress is not None and "loss" in (logs or {}):
                progress(state.global_step, state.max_steps, logs["loss"])

    return Watch()


def trl_arguments(base: LanguageModel, checkpoints: Path, settings: TrainSettings) -> dict[str, Any]:
    """Arguments that all of TRL's trainers take."""
    half = settings.dtype == "bfloat16" or (
        settings.dtype == "auto" and (base.model.device.type == "cuda" or fast_bfloat16())
    )
    return {
        "output_dir": str(checkpoints),
        "num_train_epochs": settings.epochs,
        "max_steps": settings.max_steps or -1,
        "learning_rate": settings.learning_rate,
        "per_device_train_batch_size": settings.batch_size,
        "warmup_steps": settings.warmup,
        "lr_scheduler_type": settings.scheduler,
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "seed": settings.seed,
        "data_seed": settings.seed,
        "bf16": half,
        "use_cpu": base.model.device.type == "cpu",
        "save_strategy": "steps",
        "save_steps": settings.save_steps,
        "save_total_limit": 1,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # a loss that is not finite would be told as the mean of those before
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": False,
        "log_level": "error",
    }
