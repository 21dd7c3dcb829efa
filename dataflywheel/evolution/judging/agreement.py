"""How far two raters agree: with ties and without, beyond chance, with intervals that know of repeated prompts."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal

import numpy as np

from dataflywheel.contracts import FloatArray, UsageError, Verdict

Policy = Literal["wrong", "tie", "dropped"]
POLICIES: dict[Policy, str] = {
    "wrong": "an unreadable verdict agrees with nobody",
    "tie": "an unreadable verdict is taken as a tie",
    "dropped": "pairs with an unreadable verdict are left out",
}
LABELS = (Verdict.FIRST, Verdict.SECOND, Verdict.TIE, Verdict.INVALID)
TIE = LABELS.index(Verdict.TIE)
INVALID = LABELS.index(Verdict.INVALID)
Interval = dict[str, float]
"""`value` with the ends of its 95 % interval, `low` and `high`, and `n` items."""


def agreement(
    judge: Sequence[Verdict],
    gold: Sequence[Verdict],
    prompts: Sequence[Hashable],
    invalid: Policy = "wrong",
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """What a judge's verdicts are worth against gold labels, one of each a pair.

    `agreement` is the share of equal labels with ties as a label of their own; `without_ties` the same over the pairs
    where neither side is a tie; `kappa` Cohen's kappa over all labels. Intervals are percentile bootstraps over
    prompts, so that many pairs of one prompt count as one piece of evidence. NaN where nothing is left to compare.

    Args:
        judge: verdicts (n,).
        gold: labels (n,); a pair whose gold is invalid has no label and is left out.
        prompts: which prompt each pair belongs to (n,).
        invalid: what the judge's unreadable verdicts count as, see `POLICIES`.
    """
    tables = _tables(judge, gold, prompts, invalid)
    n = int(tables.sum())
    drawn = np.random.default_rng(seed).multinomial(len(tables), np.full(len(tables), 1 / len(tables)), resamples)
    resampled = (drawn @ tables.reshape(len(tables), -1)).reshape(resamples, *tables.shape[1:])
    whole, spread = _measures(tables.sum(axis=0)), _measures(resampled)
    sizes = {"agreement": n, "kappa": n, "without_ties": int(_decided(tables.sum(axis=0)).sum())}
    return {name: _interval(float(whole[name]), spread[name], sizes[name]) for name in sizes}


def cohen_kappa(a: Sequence[Hashable], b: Sequence[Hashable]) -> float:
    """Agreement of two raters beyond what their shares of labels give by chance (Cohen 1960); NaN for one label only.

    >>> cohen_kappa("xxyy", "xxyx")
    0.5
    """
    names = {label: i for i, label in enumerate(dict.fromkeys([*a, *b]))}
    table = np.zeros((len(names), len(names)))
    np.add.at(table, ([names[label] for label in a], [names[label] for label in b]), 1)
    return float(_kappa(table))


def fleiss_kappa(counts: FloatArray) -> float:
    """Agreement beyond chance of m raters an item: `counts` (items, labels) holds how many gave each (Fleiss 1971).

    Raises:
        UsageError: items with different numbers of raters, or fewer than two.
    """
    raters = np.unique(counts.sum(axis=1))
    if len(raters) != 1 or raters[0] < 2:
        raise UsageError("Fleiss' kappa: every item needs the same number of raters, at least two")
    observed = float(((counts * (counts - 1)).sum(axis=1) / (raters[0] * (raters[0] - 1))).mean())
    chance = float(((counts.sum(axis=0) / counts.sum()) ** 2).sum())
    return (observed - chance) / (1 - chance) if chance < 1 else float("nan")


def _tables(
    judge: Sequence[Verdict], gold: Sequence[Verdict], prompts: Sequence[Hashable], invalid: Policy
) -> FloatArray:
    """Counts of (judge's label, gold label) for each prompt: (prompts, 4, 4)."""
    if not len(judge) == len(gold) == len(prompts):
        raise UsageError(f"{len(judge)} verdicts, {len(gold)} labels and {len(prompts)} prompts are not of one length")
    place = {name: i for i, name in enumerate(dict.fromkeys(prompts))}
    tables = np.zeros((max(1, len(place)), len(LABELS), len(LABELS)))
    for said, right, prompt in zip(judge, gold, prompts, strict=True):
        if right == Verdict.INVALID or (said == Verdict.INVALID and invalid == "dropped"):
            continue
        label = Verdict.TIE if said == Verdict.INVALID and invalid == "tie" else said
        tables[place[prompt], LABELS.index(label), LABELS.index(right)] += 1
    return tables


def _decided(table: FloatArray) -> FloatArray:
    """The part of the table (..., 4, 4) where neither side is a tie."""
    kept = [i for i in range(len(LABELS)) if i != TIE]
    part: FloatArray = table[..., kept, :][..., kept]
    return part


def _measures(table: FloatArray) -> dict[str, FloatArray]:
    return {"agreement": _share(table), "without_ties": _share(_decided(table)), "kappa": _kappa(table)}


def _share(table: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):
        share: FloatArray = np.trace(table, axis1=-2, axis2=-1) / table.sum(axis=(-2, -1))
    return share


def _kappa(table: FloatArray) -> FloatArray:
    total = table.sum(axis=(-2, -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        chance = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1) / total**2
        kappa: FloatArray = (_share(table) - chance) / (1 - chance)
    return np.where(np.isfinite(kappa), kappa, np.nan)


def _interval(value: float, spread: FloatArray, n: int) -> Interval:
    found: Any = spread[np.isfinite(spread)]
    low, high = np.percentile(found, [2.5, 97.5]) if len(found) else (np.nan, np.nan)
    return {"value": value, "low": float(low), "high": float(high), "n": n}
