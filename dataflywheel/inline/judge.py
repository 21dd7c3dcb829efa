"""Two models' answers, in any form, before a judge, in one line of Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataflywheel.contracts import UsageError
from dataflywheel.evolution.judging import judge as judging
from dataflywheel.evolution.judging.judged import Judged
from dataflywheel.inline.given import given
from dataflywheel.inline.page import page
from dataflywheel.models.spec import ModelSpec
from dataflywheel.report.judging import bill, facts


@dataclass(repr=False)
class JudgedAnswers(Judged):
    """The outcome of A against B, in words where it is shown."""

    def __repr__(self) -> str:
        told = facts(self)
        won = f"{self.pairs:,} pairs judged by {self.judge}: A wins {told['A wins']}"
        won = f"not finished: {self.stopped}\n{won}" if self.stopped else won
        return f"{won}\n{told['consistent']}; {bill(self.cost)}"

    def _repr_html_(self) -> str:
        return page(
            f"{self.a} against {self.b}",
            f"not finished: {self.stopped}; {bill(self.cost)}" if self.stopped else bill(self.cost),
            [(self.judge, self.model, list(facts(self).items()))],
        )


def judge(
    a: object,
    b: object,
    model: str | dict[str, Any] | ModelSpec | None = None,
    by: str | dict[str, Any] = "pairwise",
    *,
    reference: object = None,
    gold: object = None,
    home: str | Path = ".flywheel",
    **options: Any,
) -> JudgedAnswers:
    """Let a model judge the answers of A against those of B to the same prompts: `fw.judge(mine, theirs, model)`.

    Args:
        a: answers in any form that `select` takes; `b`, `reference` (correct answers) and `gold` (people's labels) too.
        model: the model that judges; see `dataflywheel.evolution.judging.judge.judge`, which has the other `options`.

    Raises:
        UsageError: unknown method, nothing to compare, unreadable labels, a model without what the method needs.
        FlywheelError: the judge fails the obvious pairs.
    """
    right, labels = (None if rows is None else _path(rows, home) for rows in (reference, gold))
    sides = _path(a, home), _path(b, home)
    found = judging.judge(*sides, model, by, reference=right, gold=labels, home=home, **options)
    return JudgedAnswers(**{**vars(found), "a": _called(a, "A"), "b": _called(b, "B")})


def _path(rows: object, home: str | Path) -> str:
    paths = given(rows, Path(home)).paths
    if len(paths) > 1:
        raise UsageError(f"judge: one file of answers a side, not {len(paths)}; put them together")
    return paths[0]


def _called(rows: object, side: str) -> str:
    return str(rows) if isinstance(rows, str | Path) else f"{side} ({type(rows).__name__})"
