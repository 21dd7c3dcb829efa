"""What a data set card says of toxicity and personal data: what was measured, by what, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from dataflywheel.contracts import method_specs
from dataflywheel.report.card.card_facts import PERSONAL_ROWS, CardFacts
from dataflywheel.report.card.used_methods import methods_of, named_signals
from dataflywheel.report.drawing.numbers import count, plural
from dataflywheel.report.rundir import Run, Step

TOXICITY = ("toxicity", "mask_toxicity", "rewrite_toxicity", "no_toxicity")
PERSONAL = ("personal_data", "redact_personal_data", "no_personal_data")


def safety(run: Run, facts: CardFacts) -> list[str]:
    """One line for each, and one for each step that did something about it."""
    toxic = _steps(run, TOXICITY)
    lines = toxic or [
        "Toxicity was not measured: that takes labels of what counts as toxic (the signal `toxicity`, the gate "
        "`no_toxicity`, or `mask_toxicity`)."
    ]
    if toxic:
        lines.append("Toxic is what a classifier trained on the labels named there calls so, and nothing else.")
    lines += _steps(run, PERSONAL)
    where = (
        "of the final rows" if facts.rows <= PERSONAL_ROWS else f"of {count(facts.personal_rows)} sampled final rows"
    )
    found = [f"{plural(n, 'row')} with {kind}" for kind, n in facts.personal.items() if n]
    by = _recognisers(run)
    unseen = (
        f"Names have no form; {', '.join(by)} looked for them in steps named above, and nobody did again in the final "
        "rows. Postal addresses were not looked for."
        if by
        else "Names and postal addresses have no form and were not looked for."
    )
    lines.append(
        f"Personal data was looked for by form in the text {where}: {', '.join(found) or 'none was found'}. {unseen}"
    )
    return lines


def _recognisers(run: Run) -> list[str]:
    """What found names in the steps that the final rows have passed, as recipes name it."""
    specs = [
        spec
        for step in run.steps
        if step.round not in set(run.taken_back)
        for entry in (step.params.get("by"), step.params.get("gates"))
        for spec in method_specs(entry)
    ]
    found = (given.get("names") for name, given in specs if name in PERSONAL)
    return [f"`{name}`" for name in dict.fromkeys(found) if name]


def _steps(run: Run, names: tuple[str, ...]) -> list[str]:
    """What the steps did that the final rows have passed: those of a round that was taken back did nothing to them."""
    back, named = set(run.taken_back), named_signals(run)
    return [
        _did(step, name)
        for step in run.steps
        if step.round not in back
        for name in names
        for used in [methods_of(step, named)]
        if name in used and not (name in ("toxicity", "personal_data") and _others(used, names))
    ]


def _others(used: Sequence[str], names: tuple[str, ...]) -> bool:
    """Whether the step is a method of its own that reads the signal, of which one line is enough."""
    return len(set(used) & set(names)) > 1


def _did(step: Step, name: str) -> str:
    counted = ", ".join(f"{count(n)} {action}" for action, n in step.counts.items() if n and action != "kept")
    if name.startswith("no_"):
        rejections = (step.details.get("funnel") or {}).get("rejections") or []
        turned = sum(int(line["rows"]) for line in rejections if line["gate"] == name)
        counted = f"{count(turned)} proposals turned away"
    return f"`{name}` took part in {step.key}: {counted or 'it changed and dropped nothing'}."
