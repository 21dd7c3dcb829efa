"""Batches with good and bad answers in each, and beside every prompt an answer that belongs to another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from dataflywheel.distillation.model.pairs import cut
from dataflywheel.distillation.model.preferring import Example

Batch = dict[str, Any]
"""Tensors by name."""


class BalancedOrder:
    """Positions of each epoch, good and bad answers each shuffled and spread evenly, so that every run of them holds
    both in proportion. A function of seed and epoch alone: a resumed run sees what the killed one would have seen."""

    def __init__(self, labels: Sequence[bool], seed: int) -> None:
        self.labels, self.seed, self.epoch = np.asarray(labels, dtype=bool), seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng((self.seed, self.epoch))
        place = np.empty(len(self.labels))
        for kind in (True, False):
            members = rng.permutation(np.flatnonzero(self.labels == kind))
            place[members] = (np.arange(len(members)) + 0.5) / max(1, len(members))
        yield from np.argsort(place, kind="stable").tolist()


def partners(prompts: Sequence[Sequence[int]]) -> list[int | None]:
    """For each prompt of a batch the position of an answer to another one: all turned by the same number of places, the
    fewest at which none meets its own prompt again; where there is no such number, the next answer to another prompt,
    and None where all prompts are the same.

    >>> partners([[1], [2], [3]]), partners([[1], [1], [2], [2]]), partners([[1], [1], [2]]), partners([[1]])
    ([2, 0, 1], [2, 3, 0, 1], [2, 2, 1], [None])
    """
    n = len(prompts)
    for turn in range(1, n):
        if all(prompts[i] != prompts[i - turn] for i in range(n)):
            return [(i - turn) % n for i in range(n)]
    return [next(((i - turn) % n for turn in range(1, n) if prompts[i] != prompts[i - turn]), None) for i in range(n)]


def collator(pad_id: int, bos_id: int | None, max_length: int) -> Callable[[Sequence[Example]], Batch]:
    """TRL's batches, with the prompts' answers from one another as it names them (`KL_`). A prompt for which there is
    none has no token there that counts, as if d were 0."""
    from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference

    pad = DataCollatorForUnpairedPreference(pad_token_id=pad_id)

    def other(one: Example, answer: list[int]) -> Example:
        prompt = cut(one["prompt_ids"], max_length - len(answer), int(one["prompt_ids"][:1] == [bos_id]))
        return {"prompt_ids": prompt, "completion_ids": answer, "label": one["label"]}

    def collate(examples: Sequence[Example]) -> Batch:
        found = partners([one["prompt_ids"] for one in examples])
        answers = [[] if place is None else examples[place]["completion_ids"] for place in found]
        mixed = pad([other(one, answer) for one, answer in zip(examples, answers, strict=True)])
        names = ("input_ids", "attention_mask", "completion_mask")
        return {**pad(list(examples)), **{f"KL_{name}": mixed[name] for name in names}}

    return collate
