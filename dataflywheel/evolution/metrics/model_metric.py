"""A metric of likelihoods: it asks the model, not for an answer, but for what it makes of one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import pyarrow as pa

from dataflywheel.contracts import FloatArray, FlywheelError, Mark, Metric
from dataflywheel.models.language.language_model import LanguageModel

Scored = tuple[FloatArray, FloatArray]
"""Value and weight of n rows; the metric of any of them is `sum(value) / sum(weight)`. NaN: not scored."""


class ModelMetric(Metric):
    """Scores rows by the likelihoods of their own answers."""

    alone: ClassVar[bool] = False
    reads_extra: ClassVar[bool] = False

    @abstractmethod
    def measure(self, model: LanguageModel, messages: list[Any], rows: pa.Table) -> Scored:
        """Value and weight of each row."""

    def mark(self, answer: str, row: Mapping[str, Any]) -> Mark:
        raise FlywheelError(f"{self.name} is measured on a model's likelihoods; it scores no answer by itself")
