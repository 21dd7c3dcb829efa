"""Metrics by the name that a target gives them."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import orjson

from dataflywheel.catalog import broken_plugins, known
from dataflywheel.contracts import REGISTRY, Method, Metric, UsageError, build, nearest
from dataflywheel.evolution.metrics.answer_loss import AnswerLoss
from dataflywheel.evolution.metrics.bits_per_byte import BitsPerByte
from dataflywheel.evolution.metrics.exact_match import ExactMatch
from dataflywheel.evolution.metrics.multiple_choice import MultipleChoice
from dataflywheel.evolution.metrics.win_rate import WinRate
from dataflywheel.proposing.metrics.final_answer import FinalAnswer
from dataflywheel.proposing.metrics.tool_call import ToolCall
from dataflywheel.proposing.metrics.unit_tests import UnitTests
from dataflywheel.proposing.metrics.user_function import Python

OWN: tuple[type[Metric], ...] = (
    BitsPerByte,
    AnswerLoss,
    ExactMatch,
    MultipleChoice,
    FinalAnswer,
    UnitTests,
    ToolCall,
    WinRate,
    Python,
)
Direction = Literal["lower", "higher"]


def names() -> list[str]:
    kinds: list[type[Method]] = [*OWN, *REGISTRY.values()]
    return sorted({kind.name for kind in kinds if issubclass(kind, Metric)})


def metric_of(said: str) -> Metric:
    """The metric that a target names: `final_answer`, `python:./metrics.py:score`, or a name, a colon and parameters as
    JSON.

    Raises:
        UsageError: there is none of that name, or its parameters do not fit.
    """
    name, _, rest = said.partition(":")
    kind = known(name)
    if kind is None or not issubclass(kind, Metric):
        raise UsageError(f"there is no metric {name!r}{nearest(name, names())}{broken_plugins()}")
    return _made(kind, rest)


@lru_cache(maxsize=64)
def _made(kind: type[Metric], rest: str) -> Metric:
    if kind is Python:
        return Python(function=rest)
    return build(kind, orjson.loads(rest) if rest else {})


def better(said: str) -> Direction:
    """Which way a metric is better."""
    return metric_of(said).better


def is_share(said: str) -> bool:
    """Whether a metric is a share of right answers."""
    return metric_of(said).share
