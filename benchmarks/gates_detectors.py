"""Detectors of toxicity side by side, as `flywheel profile LABELLED --detector` tries them. No text is printed."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from gates_common import Line, Section, markdown
from gates_safety import labelled_sets

from dataflywheel.enhancement.toxicity.acceptance import Acceptance, Area, Share
from dataflywheel.report.profile.detectors import detectors
from dataflywheel.signals.safety.toxicity_labels import Labelled

TEXTS = 1_000
LEARNED = ", which its words were learned from"


def detectors_table(data: Path) -> Section:
    sets = labelled_sets(data)
    lines: list[Line] = []
    tables: list[str] = []
    for name in ("hate_offensive_tweets", "paradetox"):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            other = next(one for one in ("hate_offensive_tweets", "paradetox") if one != name)
            (folder / "words.txt").write_text("\n".join(learned_words(sets[other])), encoding="utf-8")
            rows = [
                json.dumps({"text": t, "label": "toxic" if toxic else "fine"})
                for t, toxic in zip(*sets[name], strict=True)
            ]
            (folder / "own.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
            lexicon = {"lexicon": {"words": str(folder / "words.txt")}}
            by: list[Any] = ["toxicity", {"toxicity": {"neutral": True}}, lexicon]
            found = list(detectors(str(folder / "own.jsonl"), by, data=data, limit=TEXTS, home=folder).detectors)
        for one, title in zip(found, ("classifier", "classifier, neutral", f"words learned from {other}"), strict=True):
            lines += _lines(f"{name}, {title}", one)
            tables.append(f"### {name}: {title}\n\n{_figures(one, other if 'words' in title else '')}")
    note = (
        f"Thresholds at 1 % false positives on texts set apart; {TEXTS:,} texts of a set at most. The list of words is "
        "learned from the other set by counting, for none of others is shipped: those that at least ten toxic texts "
        "and twenty times as few harmless ones hold."
    )
    return Section("Detectors of toxicity side by side", note, lines, "\n\n".join(tables))


def learned_words(given: Labelled) -> list[str]:
    """Words that stand in toxic texts above all."""
    counts = {True: Counter[str](), False: Counter[str]()}
    for text, toxic in zip(*given, strict=True):
        counts[toxic].update(set(re.findall(r"[^\W\d_][\w']*", text.lower())))
    return sorted(w for w, n in counts[True].items() if n >= 10 and n > 20 * counts[False][w] and len(w) > 2)


def _lines(title: str, one: Acceptance) -> list[Line]:
    safe = (
        [Line(f"{title}: safe prompts of xstest", "false alarms", one.safe.judged, one.safe.called)] if one.safe else []
    )
    return [
        Line(f"{title}: toxic ones of its own", "recall", one.found.judged, one.found.called),
        Line(f"{title}: others of its own", "false alarms", one.false_positives.judged, one.false_positives.called),
        *safe,
        *(
            Line(f"{title}: {n}", "false alarms", of.judged, of.called, "our own", "yes")
            for n, of in one.functionalities.items()
        ),
        _worst(f"{title}: neutral lines of toxigen_prompts", one.groups),
    ]


def _worst(title: str, groups: dict[str, Share]) -> Line:
    """The group whose neutral lines are called toxic most often."""
    group, share = max(groups.items(), key=lambda pair: pair[1].value)
    return Line(f"{title}, worst group: {group}", "false alarms", share.judged, share.called)


def _figures(one: Acceptance, learned: str) -> str:
    areas = {"its own": one.own, **one.cross}
    rows = [[f"AUC on {name}{LEARNED if name == learned else ''}", _area(found)] for name, found in areas.items()]
    rows.append(["F1 of marked characters (toxic_spans)", "none" if one.span_f1 is None else f"{one.span_f1:.3f}"])
    worst = sorted(one.terms.items(), key=lambda pair: -pair[1].value)[:3]
    rows.append(["our own sentences, worst groups", ", ".join(f"{group} {share.value:.0%}" for group, share in worst)])
    return markdown(["figure", "value"], rows)


def _area(found: Area | None) -> str:
    return "own kind" if found is None else f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"
