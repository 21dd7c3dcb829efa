"""What a judge is worth against people, set by set, before anyone trusts it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from dataflywheel.contracts import Judgement
from dataflywheel.evolution.judging.gold import GoldSet, gold_sets
from dataflywheel.evolution.judging.self_test import SelfTest
from dataflywheel.evolution.judging.session import ask, make_judge, named
from dataflywheel.evolution.judging.win_rate import steadiness
from dataflywheel.evolution.judging.worth import worth
from dataflywheel.models.endpoint.client import Watch
from dataflywheel.models.spec import ModelSpec
from dataflywheel.store.answer_ledger import Caps


@dataclass
class Calibration:
    """One entry a set in `sets`: `name`, what `worth` gives, and how steady the judge was; `steady` is of all sets."""

    judge: str
    model: str
    self_test: SelfTest
    cost: dict[str, float | None]
    """Calls, tokens and dollars, over all runs of this question; dollars are None where the price is not known."""
    steady: dict[str, float]
    sets: list[dict[str, Any]] = field(default_factory=list)
    stopped: str = ""
    """That a cap left pairs unjudged, which count as wrong; "" where all were."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values; NaN becomes None."""
        plain: dict[str, Any] = orjson.loads(orjson.dumps(self))
        return plain


def calibrate(
    model: str | dict[str, Any] | ModelSpec | None = None,
    by: str | dict[str, Any] = "pairwise",
    *,
    data: str | Path,
    limit: int | None = None,
    usd: float | None = None,
    calls: int | None = None,
    resamples: int = 2000,
    seed: int = 0,
    home: str | Path = ".flywheel",
    watch: Watch | None = None,
) -> Calibration:
    """Let a model judge pairs that people have judged: PandaLM's test set, LLMBar by its parts, MT-Bench pairs.

    Agreement is with the majority of the people. Each set stands beside the agreement of the longer answer, of a coin
    and of the commonest label; on LLMBar's adversarial parts the longer answer is mostly wrong.

    Args:
        model: the model that judges, as in `judge`; `by` too.
        data: folder that holds `pandalm/testset-v1.json.gz`, `llmbar/llmbar.jsonl.gz`,
            `llmbar/mt_bench_human_pairs.jsonl.gz`, or some of them.
        limit: pairs of each set, at most, drawn by `seed`.
        usd: dollars that may be spent, over all runs of the same calibration.
        calls: the same for requests.
        watch: sees the progress of the requests.

    Raises:
        UsageError: no such set in the folder, unknown method, a model without what the method needs.
        FlywheelError: the judge fails the obvious pairs.
        OverBudgetError: a cap ended among these; one that ends later is told by `stopped`.
    """
    method = make_judge(by, model)
    sets = [_drawn(part, limit, seed) for part in gold_sets(Path(data))]
    cases = [case for part in sets for case in part.cases]
    found = ask(method, cases, "calibrate", Path(home), Caps(usd=usd, calls=calls), watch)
    lines, start = [], 0
    for part in sets:
        own = slice(start, start + len(part.cases))
        lines.append(_line(part, found.judgements[own], [m[own] for m in found.members], resamples, seed))
        start = own.stop
    steady = steadiness(found.voices)
    return Calibration(method.name, named(method), found.self_test, found.cost, steady, lines, found.stopped)


def _drawn(part: GoldSet, limit: int | None, seed: int) -> GoldSet:
    if limit is None or limit >= len(part.cases):
        return part
    at = sorted(np.random.default_rng(seed).choice(len(part.cases), limit, replace=False).tolist())
    cases, gold, people = [part.cases[i] for i in at], [part.gold[i] for i in at], [part.people[i] for i in at]
    return GoldSet(part.name, cases, gold, people)


def _line(
    part: GoldSet, judgements: list[Judgement], members: list[list[Judgement]], resamples: int, seed: int
) -> dict[str, Any]:
    said = [judgement.verdict for judgement in judgements]
    votes = [[judgement.verdict for judgement in member] for member in members]
    found = worth(said, part.gold, part.cases, part.prompts, votes, resamples, seed)
    voices = [judgement for member in members for judgement in member] or judgements
    return {"name": part.name, **found, **steadiness(voices)}
