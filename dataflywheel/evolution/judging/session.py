"""A judge at work: made by its name, tested on known answers, paid from an account of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dataflywheel.contracts import Case, FlywheelError, Judge, Judgement, UsageError, Verdict, build, method_specs
from dataflywheel.evolution.judgements import judged
from dataflywheel.evolution.judging.asking import PanelJudge
from dataflywheel.evolution.judging.self_test import SelfTest, self_test
from dataflywheel.models.endpoint.account import account
from dataflywheel.models.endpoint.client import Watch
from dataflywheel.models.endpoint.request import Outcome
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answer_ledger import Caps, Spent
from dataflywheel.store.answers import AnswerStore


def make_judge(by: str | dict[str, Any], model: str | dict[str, Any] | ModelSpec | None) -> Judge:
    """The judging method of that name with its model.

    Raises:
        UsageError: no such method, or a wrong parameter.
    """
    from dataflywheel import catalog

    name, parameters = method_specs(by)[0]
    method = catalog.get(name, Judge, ("evolution",))
    asks = method.model_fields.get("model")
    if asks is not None and asks.is_required() and model is None and "model" not in parameters:
        raise UsageError(f"judge: {name} asks a model; name it: --judge URL --model NAME, or a folder")
    own = parameters if model is None or asks is None else {"model": model, **parameters}
    return build(method, own)


@dataclass
class Session:
    """What a judge said of the cases, what each member of a panel said, how it did on the known pairs, and the bill."""

    self_test: SelfTest
    judgements: list[Judgement]
    members: list[list[Judgement]]
    """Empty for a judge that is no panel."""
    cost: dict[str, float | None]

    @property
    def voices(self) -> list[Judgement]:
        """All that a model said in two orders: of a panel what each member said, for the panel itself has no orders."""
        return [judgement for member in self.members for judgement in member] or self.judgements

    @property
    def stopped(self) -> str:
        """That a cap left cases unjudged, or only partly judged; "" where none did."""
        members = self.members or [self.judgements]
        over = {j.id for member in members for j in member if j.reason.startswith(Outcome.OVER_BUDGET)}
        return (
            f"the cap on dollars or calls was reached with {len(over):,} of {len(self.judgements):,} pairs not judged; "
            "raise it and give the same command again: what was answered is not paid twice"
            if over
            else ""
        )

    @property
    def said(self) -> list[Verdict]:
        return [judgement.verdict for judgement in self.judgements]


def ask(
    method: Judge, cases: Sequence[Case], purpose: str, home: Path, caps: Caps, watch: Watch | None = None
) -> Session:
    """Self-test, then the judgements; both on one account of its own, whose bill covers all runs of the same question.

    Raises:
        FlywheelError: the judge fails the self-test.
        OverBudgetError: a cap ends within it.
    """
    content = f"{method.digest()}{[(case.id, case.answers, case.reference) for case in cases]!r}"
    scope = f"{purpose}-{hashlib.blake2b(content.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"
    with closing(AnswerStore(home / "answers.db")) as answers:
        with account(answers, caps, scope, watch):
            test = self_test(partial(judged, method))
            try:
                test.require(f"{method.name} by {named(method)}")
            except FlywheelError as error:
                raise type(error)(f"{error} ({_paid(bill(method, answers.spent(scope)))})") from None
            members = method.members(cases) if isinstance(method, PanelJudge) else []
            judgements = method.gather(members) if isinstance(method, PanelJudge) else judged(method, cases)
        return Session(test, judgements, members, bill(method, answers.spent(scope)))


def named(method: Judge) -> str:
    """The model or models behind a judge, for people."""
    return ", ".join(spec.model or spec.hf or spec.builtin or "" for spec in _specs(method))


def bill(method: Judge, cost: Spent) -> dict[str, float | None]:
    """What was spent; dollars are None where the price of a model is not known."""
    priced = all(spec.endpoint is None or spec.usd_per_mtok is not None for spec in _specs(method))
    return {name: None if name.endswith("usd") and not priced else value for name, value in asdict(cost).items()}


def _paid(cost: Mapping[str, float | None]) -> str:
    usd = "the price is not known" if cost["usd"] is None else f"${cost['usd']:.4f}"
    return f"{cost['calls'] or 0:.0f} calls paid so far, {usd}"


def _specs(method: Judge) -> list[ModelSpec]:
    one = getattr(method, "model", None)
    return [*([one] if one is not None else []), *getattr(method, "models", ())]
