"""A judge of single answers by its name, what it is shown of a row, and whether it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from dataflywheel.contracts import Case, Judge, UsageError, build, method_spec, nearest
from dataflywheel.evolution.judgements import judged
from dataflywheel.evolution.judging.self_test import self_test
from dataflywheel.evolution.judging.session import named
from dataflywheel.models.endpoint.account import rehearsing
from dataflywheel.models.endpoint.deferred import DEFERRED
from dataflywheel.models.endpoint.request import Outcome
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.text import split_answer, transcript

UNREADABLE = "the judge gave no verdict"
NOTHING_SAID = "no answer in words"
UNSEEN = "the judge cannot see its images or sounds"


def judge_kind(name: str) -> type[Judge]:
    """The class of a judge that scores one answer by itself.

    Raises:
        UsageError: there is none of that name, or it compares two answers.
    """
    from dataflywheel import catalog

    kinds = {known: catalog.get(known, Judge) for known in catalog.names(Judge)}
    single = sorted(known for known, one in kinds.items() if one.answers is None)
    kind = kinds.get(name)
    if kind is None:
        raise UsageError(f"there is no judge {name!r}{nearest(name, single)}")
    if kind.answers is not None:
        raise UsageError(
            f"{name} compares {kind.answers} answers, and here each is scored by itself: {', '.join(single)}"
        )
    return kind


def judge_of(by: Mapping[str, Mapping[str, Any]], model: ModelSpec) -> Judge:
    """The judge that is named, with the model that judges.

    Raises:
        UsageError: no such judge, one that compares, wrong parameters, or a model among them.
    """
    name, given = method_spec(by)
    kind = judge_kind(name)
    if "model" in given:
        raise UsageError(f"{name}: the model that judges is named beside it, and not among its parameters")
    return build(kind, {**given, "model": model} if "model" in kind.model_fields else given)


def require_able(judge: Judge) -> None:
    """Put the known pairs to the judge; what it said is kept with the other answers, and not paid twice. Where they
    could not be asked now, since a budget is used up or a batch is to answer, what follows cannot be either, and says
    so itself.

    Raises:
        FlywheelError: it fails them.
    """
    if rehearsing():  # who makes answers up knows none of the pairs
        return
    test = self_test(partial(judged, judge))
    if not (DEFERRED in test.reason or test.reason.startswith(Outcome.OVER_BUDGET)):
        test.require(f"{judge.name} by {named(judge)}")


def case_of(id: str, row: Mapping[str, Any], answer: str) -> Case | str:
    """What a judge is shown of a row with this answer, its thoughts left out; or why it cannot judge it."""
    if row["media"]:
        return UNSEEN
    if not answer.strip():
        return NOTHING_SAID
    return Case(id, transcript(split_answer(row["messages"])[0]), (answer,))
