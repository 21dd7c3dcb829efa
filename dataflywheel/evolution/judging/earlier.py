"""Judgements of other models against the same baseline, and what they allow: a win rate at equal length."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from dataflywheel.contracts import UsageError, Verdict
from dataflywheel.evolution.judging.length_control import FEWEST, Comparison, LengthControlled, length_controlled
from dataflywheel.evolution.judging.pairing import Pairs
from dataflywheel.evolution.judging.win_rate import preferences


def read_earlier(path: str | Path, baseline: str) -> Comparison:
    """An earlier judgement against the same answers of B.

    Raises:
        UsageError: not a result of this verb, or against other answers.
    """
    try:
        found = orjson.loads(Path(path).read_bytes())
        lines, against = found["judgements"], found["baseline"]
        preference = {x["id"]: float("nan") if x["won"] is None else float(x["won"]) for x in lines}
        longer = {x["id"]: float(x["longer"]) for x in lines}
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path}: not a result of `flywheel judge --json` ({type(error).__name__}: {error})") from None
    if against != baseline:
        raise UsageError(f"{path}: judged against other answers than this B; judge that model against B again")
    return Comparison(preference, longer)


def at_equal_length(
    said: Sequence[Verdict], pairs: Pairs, others: Sequence[Comparison], seed: int
) -> tuple[LengthControlled | None, str]:
    """The length-controlled rate, and what to make of it, or why there is none."""
    if len(others) < FEWEST:
        return None, "not measured: needs earlier results of two other models or more against this B"
    ids = [case.id for case in pairs.cases]
    longer = [float(len(a) - len(b)) for a, b in (case.answers for case in pairs.cases)]
    preference = preferences(said).tolist()
    own = Comparison(dict(zip(ids, preference, strict=True)), dict(zip(ids, longer, strict=True)))
    try:
        found = length_controlled(own, others, seed=seed)
    except UsageError as error:
        return None, str(error)
    return found, found.warning
