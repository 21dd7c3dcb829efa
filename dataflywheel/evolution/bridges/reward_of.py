"""A reward by the name of what scores: a reward of its own, a gate, a metric, or a judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataflywheel.contracts import PYTHON, Judge, Method, Metric, Reward, UsageError, build, method_spec, nearest
from dataflywheel.contracts.method import one_method
from dataflywheel.evolution.bridges.known_judge import judge_of
from dataflywheel.evolution.bridges.of_gate import OfGate
from dataflywheel.evolution.bridges.of_judge import OfJudge
from dataflywheel.evolution.bridges.of_metric import OfMetric
from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.kinds import Gate

KINDS = (Reward, Gate, Metric, Judge)


def reward_kind(name: str) -> type[Method]:
    """The class behind the name of a reward.

    Raises:
        UsageError: nothing of that name scores an answer by itself.
    """
    from dataflywheel import catalog

    if name == PYTHON:
        return catalog.get(name, Reward)
    kinds = {known: catalog.get(known, kind) for kind in KINDS for known in catalog.names(kind)}
    alone = sorted(known for known, kind in kinds.items() if _alone(kind))
    if name not in kinds:
        raise UsageError(f"there is no reward, gate, metric or judge {name!r}{nearest(name, alone)}")
    if not _alone(kinds[name]):
        raise UsageError(f"{name} scores no answer by itself, as a reward must; there is: {', '.join(alone)}")
    return kinds[name]


def _alone(kind: type[Method]) -> bool:
    return kind.answers is None if issubclass(kind, Judge) else bool(getattr(kind, "alone", True))


def reward_of(by: str | Mapping[str, Any], model: ModelSpec | None = None) -> Reward:
    """What is named as a reward, as recipes write it: `"executable_truth"`, `{"rubric": {"criteria": ...}}`,
    `{"python": "./rewards.py:score"}`.

    A gate gives 1 or 0, a metric its score, a judge its own brought to between 0 and 1; each None where it cannot
    tell. `model` is the model that judges.

    Raises:
        UsageError: nothing of that name scores an answer by itself, a wrong parameter, or a judge without a model.
    """
    named: dict[str, dict[str, Any]] = one_method(by)
    name, given = method_spec(named)
    kind = reward_kind(name)
    if issubclass(kind, Judge):
        if model is None:
            raise UsageError(f"{name} asks a model that judges, and none is named")
        return OfJudge(judge=judge_of(named, model))
    return as_reward(build(kind, {"model": model, **given} if _wants(kind, model) else given))


def _wants(kind: type[Method], model: ModelSpec | None) -> bool:
    return model is not None and "model" in kind.model_fields


def as_reward(made: Method) -> Reward:
    """A gate, a metric, a judge or a reward, as a reward."""
    if isinstance(made, Gate):
        return OfGate(gate=made)
    if isinstance(made, Metric):
        return OfMetric(metric=made)
    if isinstance(made, Judge):
        return OfJudge(judge=made)
    assert isinstance(made, Reward)
    return made
