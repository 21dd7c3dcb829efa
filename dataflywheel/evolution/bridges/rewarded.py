"""What signals share whose values are rewards of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, PrivateAttr, model_validator

from dataflywheel.contracts import AnyArray, Judge, Mark, Named, Reward, Status, UsageError
from dataflywheel.evolution.bridges.reward_of import reward_kind, reward_of
from dataflywheel.plugins.named import code_of
from dataflywheel.proposing.marking import marks_of

Measured = dict[str, pa.Array | AnyArray]
READ = ("messages", "rejected", "tools", "label", "source", "tags", "extra", "media", "cells")
"""What a row says and holds: rewards are shown whole rows."""


class Rewarded(BaseModel):
    """The reward, and how its marks become a column."""

    reward: Named
    """What scores an answer: a reward (`{reward_model: {hf: FOLDER}}`), a gate (`executable_truth`), a metric
    (`final_answer`), or a function of yours (`{python: ./rewards.py:score}`)."""
    _reward: Reward = PrivateAttr()

    @model_validator(mode="after")
    def _made(self) -> Self:
        try:
            kind = reward_kind(next(iter(self.reward)))
            if issubclass(kind, Judge) or getattr(kind, "asks", False):
                raise UsageError(
                    f"reward: {kind.name} asks a model at an endpoint, and what is measured of every row asks none; "
                    "name a reward model, a gate, a metric or a function, or rate rows by a signal such as alpagasus"
                )
            self._reward = reward_of(self.reward)
        except UsageError as error:
            raise ValueError(str(error)) from None
        return self

    def reward_digest(self) -> str:
        """Identity of what scores: its parameters, files and code."""
        return ":".join([self._reward.digest(), self._reward.contents(), *code_of(self.reward)])

    def rewards(self, answers: Sequence[str], rows: Sequence[Mapping[str, Any]], why: Sequence[str]) -> Measured:
        """The reward of each answer to the row beside it; EMPTY with the reason where there is none, as where `why` is
        not "": such an answer is not scored."""
        able = [i for i, reason in enumerate(why) if not reason]
        found = marks_of(self._reward, [answers[i] for i in able], [rows[i] for i in able]) if able else []
        marks = [Mark(None, reason) for reason in why]
        for i, mark in zip(able, found, strict=True):
            marks[i] = mark
        values = np.array([np.nan if mark.value is None else mark.value for mark in marks], dtype=np.float32)
        good = np.isfinite(values)
        return {
            "reward": np.where(good, values, np.nan).astype(np.float32),
            "status": np.where(good, Status.OK, Status.EMPTY).astype(np.uint8),
            "error": [None if ok else mark.note or "no reward" for ok, mark in zip(good, marks, strict=True)],
        }
