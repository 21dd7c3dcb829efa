"""What a judge found and what it is worth, in words and cells: for the command line and for pages."""

from __future__ import annotations

from typing import Any

from dataflywheel.evolution.judging.calibrate import Calibration
from dataflywheel.evolution.judging.judged import Judged
from dataflywheel.report.drawing.numbers import UNKNOWN, count, interval, money, number, percent, plural, signed_percent

BASELINES = {"longer": "longer answer wins", "coin": "coin", "majority": "commonest label"}
AGREEMENT = ("", "agreement", "without ties", "Cohen's kappa")
SETS = ("set", "pairs", "agreement", "longer", "coin", "beats")
DETAIL = ("set", "without ties", "Cohen's kappa", "invalid")


def facts(found: Judged) -> dict[str, str]:
    """Each fact by its name, in order of weight."""
    said = found.verdicts
    lines = {
        "A wins": f"{_share(found.win_rate)}: {count(said['first'])} won, {count(said['tie'])} tied, "
        f"{count(said['second'])} lost",
        "at equal length": found.length_note,
    }
    if found.length_controlled is not None:
        lines["at equal length"] = f"{_share(vars(found.length_controlled))} {found.length_note}".rstrip()
    lines |= {
        "longer answer won": f"{_share(found.longer)} of the pairs with a winner",
        "consistent": f"{percent(found.consistency)} of the pairs get the same verdict in both orders",
        "first place won": f"{percent(found.first_position)} of the wins; a fair judge gives it 50%",
        "invalid": f"{percent(found.invalid)} of the verdicts; {plural(said['invalid'], 'pair')} not counted",
    }
    if found.reasons:
        lines["because"] = ", ".join(f"{reason} ({count(n)})" for reason, n in found.reasons.items())
    if found.only_in_a or found.only_in_b or found.left_out:
        lines["left out"] = (
            f"{plural(found.only_in_a, 'answer')} of A and {plural(found.only_in_b, 'answer')} of B without a partner, "
            f"{plural(found.left_out, 'row')} without prompt or answer, or unreadable"
        )
    return lines | {"self-test": f"{found.self_test.right} of {found.self_test.of} obvious pairs right"}


def agreement_rows(gold: dict[str, Any]) -> list[list[str]]:
    """Under `AGREEMENT`: the judge by each way to treat unreadable verdicts, then what it must beat."""
    own = {f"judge, unreadable {policy}": line for policy, line in gold["policies"].items()}
    own = own if len(own) > 1 else {"judge": next(iter(own.values()))}
    lines = own | {BASELINES[name]: line for name, line in gold["baselines"].items()}
    return [[name, *_cells(line)] for name, line in lines.items()]


def beats(gold: dict[str, Any]) -> str:
    """Whether the judge beats the longer answer and the coin, in a sentence."""
    parts = []
    for name in ("longer", "coin"):
        lift = gold["lift"][name]
        word = "beats" if gold["beats"][name] else "does not beat"
        value, low, high = (signed_percent(lift[bound]) for bound in ("value", "low", "high"))
        parts.append(f"{word} {BASELINES[name]!r} ({value}, {low} to {high})")
    return f"The judge {' and '.join(parts)}.{_panel(gold['panel'])}"


def _panel(panel: dict[str, Any] | None) -> str:
    if panel is None:
        return ""
    word = "beats" if panel["beats"] else "does not beat"
    best = percent(max(panel["members"]))
    gain, low, high = (signed_percent(panel["gain"][name]) for name in ("value", "low", "high"))
    return (
        f" The panel ({percent(panel['panel'])}) {word} its best member ({best}) on labels that "
        f"chose neither ({gain}, {low} to {high}); effective votes: {number(panel['effective_votes'])} of "
        f"{len(panel['members'])}."
    )


def sets_rows(found: Calibration) -> list[list[str]]:
    """Under `SETS`: agreement on each set, unreadable verdicts wrong, beside what it must beat."""
    rows = []
    for line in found.sets:
        others = [percent(line["baselines"][name]["agreement"]["value"]) for name in ("longer", "coin")]
        beaten = (
            "both" if all(line["beats"].values()) else next((n for n, is_so in line["beats"].items() if is_so), "no")
        )
        own = _share(line["policies"]["wrong"]["agreement"])
        rows.append([line["name"], count(line["pairs"]), own, *others, " and ".join(beaten) or "none"])
    return rows


def detail_rows(found: Calibration) -> list[list[str]]:
    """Under `DETAIL`: the other measures of each set."""
    return [[line["name"], *_cells(line["policies"]["wrong"])[1:], percent(line["invalid"])] for line in found.sets]


def steadiness(found: Calibration) -> str:
    """How steady the judge was over all sets, and how often it was better than the longer answer."""
    better = sum(line["beats"]["longer"] for line in found.sets)
    panels = [line["panel"] for line in found.sets if line["panel"] is not None]
    worth = sum(panel["beats"] for panel in panels)
    more = f" The panel beats its best member on {worth} of {plural(len(panels), 'set')}." if panels else ""
    return (
        f"The judge beats the longer answer on {better} of {plural(len(found.sets), 'set')}. "
        f"{percent(found.steady['consistency'])} of the pairs get the same verdict in both orders; the answer shown "
        f"first has {percent(found.steady['first_position'])} of the wins; {percent(found.steady['invalid'])} of the "
        f"verdicts are invalid.{more}"
    )


def bill(cost: dict[str, float | None]) -> str:
    """What was spent on this question, over all its runs."""
    tokens = f"{count(cost['tokens_in'])} tokens read and {count(cost['tokens_out'])} written"
    line = f"{plural(cost['calls'] or 0, 'call')}, {tokens}, {_dollars(cost['usd'])}"
    if not cost["maybe_paid_calls"]:
        return line
    return f"{line}; {count(cost['maybe_paid_calls'])} more may have been paid, {_dollars(cost['maybe_paid_usd'])}"


def _dollars(usd: float | None) -> str:
    return "price not known" if usd is None else money(usd)


def _cells(line: dict[str, Any]) -> list[str]:
    kappa = line["kappa"]
    fixed = kappa["low"] == kappa["high"]
    return [
        _share(line["agreement"]),
        _share(line["without_ties"]),
        interval(kappa["value"], *((None, None) if fixed else (kappa["low"], kappa["high"]))),
    ]


def _share(found: dict[str, Any]) -> str:
    """`61.2% (55% to 67.1%)`; the bounds are left out where there are none, or both are the value."""
    value, low, high = (percent(found[name]) for name in ("value", "low", "high"))
    return value if UNKNOWN in (value, low) or low == high else f"{value} ({low} to {high})"
