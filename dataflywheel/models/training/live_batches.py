"""A sampler at work on the model that is trained: candidates, their losses, the batch, and what survives a kill."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from dataflywheel.contracts import (
    AnyArray,
    ChoosingDraw,
    Draw,
    FloatArray,
    FlywheelError,
    Sampler,
    TrainingRows,
    UsageError,
    ValidatedDraw,
)
from dataflywheel.models.templates.chat import Conversation, as_chat
from dataflywheel.models.templates.encoded import EncodedRow, example_ids
from dataflywheel.models.training.examples import Example, Losses
from dataflywheel.models.training.reference import ReferenceLosses, aligned
from dataflywheel.models.training.validation import Hints, ValidationSet
from dataflywheel.plugins.place import named
from dataflywheel.rows.identity import row_id

STATE = "sampler.json"


class LiveBatches:
    """Batches as the sampler wants them, each made when the step before it is over.

    `seen` counts how often each example was trained on, shape (n,).
    """

    def __init__(
        self,
        sampler: Sampler,
        rows: TrainingRows,
        examples: list[Example],
        batch: int,
        seed: int,
        checked: ValidationSet | None = None,
    ) -> None:
        self.draw = _started(sampler, rows, min(batch, len(examples)), seed)
        self.name, self.watches = sampler.name, sampler.watches
        self.examples, self.ids = examples, rows.ids
        self.seen = np.zeros(len(examples), dtype=np.int64)
        self.checked, self.validations = checked, 0
        self.rehearsals: Sequence[AnyArray] = ()
        """Positions that each short training before this one learned."""
        self.candidates_tokens = self.candidates = 0
        """Tokens read for the last choice, over those that are trained on, and the rows that were chosen among."""
        self._rows = np.array([example["row"] for example in examples])

    def next(self, k: int, losses: Losses) -> list[Example]:
        """The k examples of the next step; `losses` is asked only where the sampler chooses among more than k, or wants
        to hear of the validation rows."""
        self.candidates_tokens = self.candidates = 0
        if self.checked is not None and isinstance(self.draw, ValidatedDraw) and self.draw.due():
            self.draw.validate(self.checked.losses(losses))
            self.validations += 1
            self.candidates_tokens = self.checked.tokens
        positions = self._places(self.draw.candidates(k), "candidates")
        if isinstance(self.draw, ChoosingDraw) and len(positions) > k:
            offered = [self.examples[i] for i in positions]
            found = np.array([one.mean() for one in self._finite(positions, losses(offered))])
            self.candidates_tokens += sum(len(one["input_ids"]) for one in offered)
            self.candidates = len(offered)
            positions = self._places(self.draw.next_batch(positions, found, k), "next_batch")
        if len(positions) != k:
            raise FlywheelError(f"{self._who('candidates')} gave {len(positions)} rows for a batch of {k}")
        np.add.at(self.seen, positions, 1)
        return [self.examples[i] for i in positions]

    def _who(self, verb: str) -> str:
        """The sampler, with the line of a user's own draw."""
        return named(SimpleNamespace(name=self.name, **{verb: getattr(self.draw, verb)}), verb)

    def _places(self, given: object, verb: str) -> AnyArray:
        """Positions of examples, as a draw gave them.

        Raises:
            FlywheelError: they are anything else.
        """
        places = np.asarray(given)
        if places.ndim != 1 or places.dtype.kind not in "iu":
            raise FlywheelError(
                f"{self._who(verb)} gave {places.dtype} {places.shape}; wanted are whole numbers, the positions of rows"
            )
        if places.size and not 0 <= int(places.min()) <= int(places.max()) < len(self.examples):
            raise FlywheelError(
                f"{self._who(verb)} gave positions from {places.min()} to {places.max()}; it was shown "
                f"{len(self.examples):,} rows, 0 to {len(self.examples) - 1}"
            )
        return places.astype(np.int64)

    def examples_of(self, rows: AnyArray) -> list[Example]:
        """Examples by their `row`."""
        return [self.examples[i] for i in np.searchsorted(self._rows, rows)]

    def observe(self, rows: AnyArray, losses: Sequence[FloatArray]) -> None:
        """Passes on what the model made of a batch, by the `row` of each of its examples."""
        positions = np.searchsorted(self._rows, rows)
        self.draw.observe(positions, self._finite(positions, losses))

    def _finite(self, positions: AnyArray, losses: Sequence[FloatArray]) -> Sequence[FloatArray]:
        for position, one in zip(positions, losses, strict=True):
            if not np.isfinite(one).all():
                raise FlywheelError(
                    f"training diverged (the loss of row {self.ids[position]} is not finite); lower learning_rate"
                )
        return losses

    def seen_of(self, rows: int, places: Sequence[int]) -> AnyArray:
        """How often each of the rows given was trained on (rows,); 0 for those without an answer. `places` are the rows
        of the examples."""
        found = np.zeros(rows, dtype=np.int64)
        np.maximum.at(found, np.asarray(places), self.seen)
        return found

    def save(self, folder: Path) -> None:
        """Into a checkpoint that is not whole yet."""
        folder.mkdir(parents=True, exist_ok=True)
        state: dict[str, Any] = {"draw": self.draw.state_dict(), "seen": self.seen.tolist()}
        state |= {"validations": self.validations} if self.checked is not None else {}
        try:
            text = json.dumps(state, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise FlywheelError(
                f"{self._who('state_dict')} gave what JSON cannot hold ({error}); wanted are lists, numbers and texts"
            ) from None
        (folder / STATE).write_text(text, encoding="utf-8")

    def load(self, folder: Path) -> None:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        self.draw.load_state_dict(state["draw"])
        self.seen = np.array(state["seen"], dtype=np.int64)
        self.validations = int(state.get("validations", 0))


def _started(sampler: Sampler, rows: TrainingRows, batch: int, seed: int) -> Draw:
    draw: Any = sampler.start(rows, batch, seed)
    if not isinstance(draw, Draw):
        raise FlywheelError(f"{named(sampler, 'start')} gave {type(draw).__name__}; wanted is a `Draw`")
    return draw


def training_rows(
    rows: Sequence[Conversation] | pa.Table,
    encoded: Sequence[EncodedRow],
    sampler: Sampler | None,
    reference: ReferenceLosses | None,
    hints: Hints,
) -> TrainingRows | None:
    """What the sampler is told of the examples; None without a sampler.

    Raises:
        UsageError: it compares with a reference, or reads a column, that is not given.
    """
    if sampler is None:
        return None
    places = [one.row for one in encoded]
    if isinstance(rows, pa.Table):
        every, sources = rows["id"].to_pylist(), rows["source"].take(places).to_pylist()
    else:
        chats = map(as_chat, rows)
        every, sources = [row_id(chat.messages, None, chat.tools, None) for chat in chats], [""] * len(places)
    ids = [every[place] for place in places]
    lengths = np.array([len(one.ids) for one in encoded])
    columns = {name: _column(sampler, name, hints, ids) for name in sampler.needs()}
    if not sampler.needs_reference:
        return TrainingRows(ids, lengths, sources, columns=columns)
    if reference is None:
        raise UsageError(f"{sampler.name} compares with a reference model: give the `reference_losses` of one")
    learned = [len(one.learned) for one in encoded]
    return TrainingRows(ids, lengths, sources, aligned(reference, example_ids(every, encoded), learned), columns)


def _column(sampler: Sampler, name: str, hints: Hints, ids: Sequence[str]) -> AnyArray:
    held = hints.columns.get(name, {})
    missing = next((id for id in ids if id not in held), None)
    if missing is not None:
        raise UsageError(f"{sampler.name} reads the column {name!r}, which row {missing} lacks: give it in the hints")
    return np.array([held[id] for id in ids])


def live_trainer(kind: Any, live: LiveBatches) -> Any:
    """The class `kind` of answer trainers, with the batches of `live` in place of the data loader's.

    The loader runs one batch ahead; it is asked for how many rows a step has and for nothing else, so that no choice
    is made before the step that it depends on.
    """

    class LiveTrainer(kind):  # type: ignore[misc]
        watched = live.watches

        def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: Any) -> Any:
            planned = islice(epoch_iterator, num_batches)
            batches = [self.data_collator(live.next(len(one["row"]), self.answer_losses)) for one in planned]
            return batches, self._get_num_items_in_batch(batches, device)

        def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            if self.watched and not self.fused:
                rows = inputs["row"].cpu().numpy()
                live.observe(rows, self.answer_losses(live.examples_of(rows)))
            loss = super().compute_loss(model, inputs, *args, **kwargs)
            self.read |= {"candidates_tokens": live.candidates_tokens, "candidates": live.candidates}
            return loss

        def trained_on(self, rows: Any, losses: list[Any]) -> None:
            live.observe(rows.cpu().numpy(), [one.cpu().numpy() for one in losses])

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            # Before the trainer's own state, whose presence says that a checkpoint is whole.
            live.save(Path(self._get_output_dir(trial)) / f"checkpoint-{self.state.global_step}")
            super()._save_checkpoint(model, trial)

    return LiveTrainer
