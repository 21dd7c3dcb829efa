"""What the trainings on better and worse answers share: the way from rows to a model through TRL's loops."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from dataflywheel.contracts import FlywheelError, Status, UsageError
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.templates.chat import ChatFormat
from dataflywheel.models.templates.encoded import EncodedRow, nothing
from dataflywheel.models.training.answer_trainer import trl_arguments
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.trainer import Trainer, TrainingTask, row_list
from dataflywheel.models.training.training import AnyModel, TrainResult, loaded
from dataflywheel.models.training.trl_loop import checkpoints_of, finish, without_card
from dataflywheel.plugins.place import named
from dataflywheel.rows.schema import Row

Example = dict[str, Any]
"""Tokens of a prompt and of what is learned behind it."""


class Loop(NamedTuple):
    """A trainer of TRL's for one training: its class, the class of its arguments, those that are this method's own, and
    what makes batches, where that is not TRL's way."""

    kind: Any
    arguments: Any
    own: dict[str, Any]
    collator: Any = None


class PreferenceTrainer(Trainer):
    """A training on better and worse answers: what it learns from a row and in which loop is the method's own."""

    @abstractmethod
    def examples(self, chat: ChatFormat, rows: Sequence[Row], max_length: int) -> list[list[Example] | str]:
        """What is learned from each row, or why nothing is."""

    @abstractmethod
    def loop(self, base: LanguageModel, examples: Sequence[Example], max_length: int) -> Loop:
        """How these examples are learned.

        Raises:
            UsageError: they are not such that anything could be learned.
        """

    @abstractmethod
    def counted(self, examples: Sequence[Example]) -> dict[str, Any]:
        """What there is to tell of the examples that were learned, as JSON values."""

    def shown(self, chat: ChatFormat, rows: Sequence[Row], settings: TrainSettings) -> list[EncodedRow]:
        return [
            nothing(Status.FAILED, one, place) if isinstance(one, str) else first_answer(one[0], place)
            for place, one in enumerate(self._examples(chat, rows, settings.max_length))
        ]

    def _examples(self, chat: ChatFormat, rows: Sequence[Row], max_length: int) -> list[list[Example] | str]:
        """`examples`, looked at.

        Raises:
            FlywheelError: they are not one list or reason a row.
        """
        found: object = self.examples(chat, rows, max_length)
        if isinstance(found, list) and len(found) == len(rows) and all(isinstance(one, list | str) for one in found):
            return found
        many = f"{len(found)} entries" if isinstance(found, list) else type(found).__name__
        raise FlywheelError(
            f"{named(self, 'examples')} gave {many} for {len(rows)} rows; wanted is a list with one entry a row: the "
            "list of its examples, or a text that says why there is none"
        )

    def learn(self, task: TrainingTask) -> TrainResult:
        from transformers import set_seed

        base, given = loaded(task.model), row_list(task.rows)
        settings = task.settings.fitted(base.parameters, self.job)
        self.fits(settings)
        longest = min(settings.max_length, base.context)
        found = self._examples(base.chat, given, longest)
        left_out = {place: one for place, one in enumerate(found) if isinstance(one, str)}
        examples = [example for one in found if not isinstance(one, str) for example in one]
        if not examples:
            why = "; ".join(f"{n} rows: {reason}" for reason, n in Counter(left_out.values()).most_common(3))
            what = "a pair" if self.learns == "pairs" else "an answer"
            raise UsageError(f"none of {len(given)} rows gives {what} to learn from: {why or 'there is none'}")
        loop: object = self.loop(base, examples, longest)
        if not isinstance(loop, Loop):
            raise FlywheelError(f"{named(self, 'loop')} gave {type(loop).__name__}; wanted is a `Loop`")
        held = self.held(base, task.reference, settings)
        origin = base.digest, "" if held is None else held.digest
        set_seed(settings.seed)  # adapters are drawn before the trainer sets it
        checkpoints = checkpoints_of(task.output, self.digest(), settings.model_dump_json(), origin, examples)
        arguments = loop.arguments(
            **trl_arguments(base, checkpoints, settings), activation_checkpointing=False, max_length=None, **loop.own
        )
        kind, beside = tokenised(without_card(loop.kind)), None if held is None else held.model
        own = {"ref_model": beside, "data_collator": loop.collator}
        made, history = finish(kind, base, arguments, examples, task, settings, **own)
        margins = [float(one["rewards/margins"]) for one in history if "rewards/margins" in one]
        return replace(made, margins=margins, left_out=left_out, told=self.counted(examples))

    def held(self, base: LanguageModel, reference: AnyModel | None, settings: TrainSettings) -> LanguageModel | None:
        """The reference as a model of its own; with adapters the model without them is it, and no copy is held.

        Raises:
            UsageError: its tokens are others, so that it would read another text.
        """
        if self.beside == "nothing" or (settings.lora and reference is None):
            return None
        held = loaded(reference or base)
        if held.tokenizer.get_vocab() != base.tokenizer.get_vocab():
            raise UsageError(
                f"{self.name}: the reference {held.folder} has another vocabulary than the model in training; take an "
                "earlier state of that model"
            )
        return held


def first_answer(example: Example, row: int) -> EncodedRow:
    """The prompt of an example with the answer behind it, of a pair the better one."""
    prompt, answer = example["prompt_ids"], example.get("completion_ids") or example["chosen_ids"]
    return EncodedRow([*prompt, *answer], 0, len(prompt), False, Status.OK, True, row=row)


def tokenised(kind: Any) -> Any:
    """TRL's trainer on tokens that are ready: by the same template and cut as everywhere else."""

    class Tokenised(kind):  # type: ignore[misc]
        def _prepare_dataset(self, dataset: Any, *given: Any) -> Any:
            return dataset

    return Tokenised
