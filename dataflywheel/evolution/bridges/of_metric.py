"""A metric as a reward: its score of each answer, with the sign turned where lower is better."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from pydantic import SerializeAsAny

from dataflywheel.contracts import Mark, Metric, Reward
from dataflywheel.proposing.marking import mark_of


class OfMetric(Reward):
    """What a metric gives answers."""

    metric: SerializeAsAny[Metric]

    def digest(self) -> str:
        return f"metric-{self.metric.digest()}"

    def score(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[float | None]:
        return [mark.value for mark in self.marks(completions, rows)]

    def marks(self, completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Mark]:
        if self.metric.waits:
            with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as threads:
                found = list(threads.map(partial(mark_of, self.metric), completions, rows))
        else:
            found = list(map(partial(mark_of, self.metric), completions, rows))
        return found if self.metric.better == "higher" else [_turned(mark) for mark in found]

    def lacks(self, row: Mapping[str, Any]) -> str:
        return self.metric.lacks(row)

    def contents(self) -> str:
        return self.metric.contents()


def _turned(mark: Mark) -> Mark:
    return mark if mark.value is None else replace(mark, value=-mark.value)
