"""Which of two models answers better, as a judge sees it, and how far that can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataflywheel.evolution.judging.earlier import at_equal_length, read_earlier
from dataflywheel.evolution.judging.judged import Judged, measured
from dataflywheel.evolution.judging.pairing import read_gold, read_pairs
from dataflywheel.evolution.judging.session import ask, make_judge, named
from dataflywheel.evolution.judging.worth import worth
from dataflywheel.models.endpoint.client import Watch
from dataflywheel.models.spec import ModelSpec
from dataflywheel.rows.mapping import column_mapping
from dataflywheel.store.answer_ledger import Caps


def judge(
    a: str | Path,
    b: str | Path,
    model: str | dict[str, Any] | ModelSpec | None = None,
    by: str | dict[str, Any] = "pairwise",
    *,
    reference: str | Path | None = None,
    gold: str | Path | None = None,
    earlier: Sequence[str | Path] = (),
    usd: float | None = None,
    calls: int | None = None,
    resamples: int = 2000,
    seed: int = 0,
    home: str | Path = ".flywheel",
    watch: Watch | None = None,
    columns: dict[str, Any] | None = None,
    roles: dict[str, str] | None = None,
) -> Judged:
    """Let a model judge the answers of A against those of B to the same prompts.

    The judge first has to get a few obvious pairs right. Every answer of it is kept in `home`, so that the same
    command costs nothing twice and goes on where a cap stopped it.

    Args:
        a: answers in any format; `b` too. They are matched by prompt.
        model: the model that judges: a folder, or an endpoint as `{"endpoint": URL, "model": NAME, ...}`; a panel has
            its own `models`.
        by: the method, or `{method: parameters}`: pairwise, pointwise, rubric, crowd_score, calibra_eval, panel.
        reference: correct answers to the prompts, in any format; the judge sees them.
        gold: human labels, rows with `prompt` and `label`: what the judge is worth is measured against them.
        earlier: earlier judgements (`as_dict` as JSON) of other models against the same B; with two or more of them
            there is a length-controlled win rate.
        usd: dollars to spend on this comparison, over all its runs; `calls` the same for requests.
        columns: columns of the answers under other names, such as `{"prompt": "q", "answer": "a"}`; `roles` likewise.
        watch: sees the progress of the requests.

    Raises:
        UsageError: unknown method, nothing to compare, unreadable labels, a model without what the method needs.
        FlywheelError: the judge fails the obvious pairs.
        OverBudgetError: a cap ended among these; one that ends later is told by `stopped`.
    """
    pairs = read_pairs(a, b, reference, column_mapping(columns, roles))
    labels = read_gold(gold, pairs) if gold is not None else None
    others = [read_earlier(path, pairs.baseline) for path in earlier]
    method = make_judge(by, model)
    found = ask(method, pairs.cases, "judge", Path(home), Caps(usd=usd, calls=calls), watch)
    said, members = found.said, [[j.verdict for j in member] for member in found.members]
    controlled, note = at_equal_length(said, pairs, others, seed)
    own = None if labels is None else worth(said, labels, pairs.cases, pairs.prompts, members, resamples, seed)
    return Judged(
        a=str(a), b=str(b), judge=method.name, model=named(method),
        self_test=found.self_test, length_controlled=controlled, length_note=note, gold=own,
        cost=found.cost, stopped=found.stopped,
        **measured(found.judgements, found.voices, pairs, resamples, seed),
    )  # fmt: skip
