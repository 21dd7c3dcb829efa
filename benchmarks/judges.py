"""What recorded judges are worth: their verdicts on pairs that people have judged, replayed without a model.

    python benchmarks/judges.py [DATA]

DATA holds `pandalm`, `llmbar` and `alpaca_eval`. Prints Markdown tables: agreement of two recorded judges with the
majority of three people, by what is done with unreadable verdicts; how far the people agree among themselves; what the
longer answer would score on every set; the recorded win rate of one model.
"""

from __future__ import annotations

import os
import sys
from itertools import combinations
from pathlib import Path

import numpy as np

from dataflywheel.contracts import Verdict
from dataflywheel.evolution.judging.agreement import POLICIES, Interval, agreement, cohen_kappa, fleiss_kappa
from dataflywheel.evolution.judging.baselines import baselines
from dataflywheel.evolution.judging.gold import LABELS, GoldSet, gold_sets, pandalm, records
from dataflywheel.evolution.judging.panel_worth import PanelWorth, panel_worth
from dataflywheel.evolution.judging.win_rate import win_rate

RECORDED = {
    "GPT-3.5": ("gpt-3.5-turbo-testset-v1.json.gz", "gpt_result"),
    "PandaLM-7B": ("pandalm-7b-testset-v1.json.gz", "pandalm_result"),
}
SAID = {"1": Verdict.FIRST, "2": Verdict.SECOND, "0": Verdict.TIE, "Tie": Verdict.TIE}


def recorded(data: Path, judge: str) -> list[Verdict]:
    """A recorded judge's verdicts on PandaLM's pairs; what is no verdict is invalid."""
    file, field = RECORDED[judge]
    return [SAID.get(str(row[field]), Verdict.INVALID) for row in records(data / "pandalm" / file)]


def replayed(data: Path) -> dict[tuple[str, str], dict[str, Interval]]:
    """Agreement of every recorded judge by policy, and of GPT-3.5 where the people were of one mind."""
    gold = pandalm(data)
    found = {}
    for judge in RECORDED:
        said = recorded(data, judge)
        for policy in POLICIES if Verdict.INVALID in said else ("wrong",):
            found[judge, policy] = agreement(said, gold.gold, gold.prompts, policy)
        one_mind = [i for i, labels in enumerate(gold.people) if len(set(labels)) == 1]
        parts = ([column[i] for i in one_mind] for column in (said, gold.gold, gold.prompts))
        found[judge, "dropped, people of one mind"] = agreement(*parts, "dropped")
    return found


def people(gold: GoldSet) -> dict[str, float]:
    """How far the people agree among themselves."""
    counts = np.array([[labels.count(v) for v in LABELS.values()] for labels in gold.people], dtype=float)
    each = list(zip(*gold.people, strict=True))
    pairs = list(combinations(each, 2))
    return {
        "fleiss": fleiss_kappa(counts),
        "unanimous": float((counts.max(axis=1) == 3).mean()),
        "lowest pair agreement": min(np.mean([x == y for x, y in zip(a, b, strict=True)]) for a, b in pairs),
        "lowest pair kappa": min(cohen_kappa(a, b) for a, b in pairs),
    }


def alpaca_7b(data: Path) -> dict[str, float]:
    """The recorded win rate of alpaca-7b, with its wins and ties."""
    rows = records(data / "alpaca_eval" / "alpaca-7b_gpt4_annotations.jsonl.gz")
    said = {1: Verdict.SECOND, 2: Verdict.FIRST, 0: Verdict.TIE}
    verdicts = [said[row["preference"]] for row in rows]
    counts = {"wins": verdicts.count(Verdict.FIRST), "ties": verdicts.count(Verdict.TIE)}
    return {**win_rate(verdicts, [row["instruction"] for row in rows]), **counts}


def recorded_panel(data: Path) -> PanelWorth:
    """The two recorded judges as a panel."""
    gold = pandalm(data)
    return panel_worth([recorded(data, judge) for judge in RECORDED], gold.gold, gold.prompts)


def shown(found: Interval) -> str:
    return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def main(data: Path) -> None:
    head = ["judge", "unreadable verdicts", "pairs", "agreement", "without ties", "Cohen's kappa"]
    print("| " + " | ".join(head) + " |\n| --- | --- |" + " ---: |" * 4)
    gold = pandalm(data)
    lines: dict[tuple[str, str], dict[str, Interval]] = replayed(data)
    lines |= {(name, ""): found for name, found in baselines(gold.cases, gold.gold, gold.prompts).items()}
    for (judge, policy), found in lines.items():
        numbers = " | ".join(shown(found[name]) for name in ("agreement", "without_ties", "kappa"))
        print(f"| {judge} | {policy} | {found['agreement']['n']:.0f} | {numbers} |")
    print("\nThe three people: " + ", ".join(f"{name} {value:.3f}" for name, value in people(gold).items()))
    panel = recorded_panel(data)
    print(
        f"\nBoth judges as a panel: {panel.panel:.3f} against {max(panel.members):.3f} of the better one, gain "
        f"{shown(panel.gain)}: {'worth it' if panel.beats else 'not better than its best member'}; "
        f"{panel.effective_votes:.2f} effective votes of {len(panel.members)}"
    )
    print("\n| pairs judged by people | pairs | the longer answer is right |\n| --- | ---: | ---: |")
    for part in gold_sets(data):
        longer = baselines(part.cases, part.gold, part.prompts)["longer"]["without_ties"]
        print(f"| {part.name} | {longer['n']:.0f} | {shown(longer)} |")
    alpaca = alpaca_7b(data)
    print(f"\nalpaca-7b by a recorded GPT-4: {alpaca['wins']:.0f} wins, {alpaca['ties']:.0f} ties, {shown(alpaca)}")


if __name__ == "__main__":
    default = os.environ.get("FLYWHEEL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
    main(Path(sys.argv[1] if len(sys.argv) > 1 else default))
