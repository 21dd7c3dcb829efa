"""Gates of safety on real data: toxicity, personal data, executable truth. No text of a set is printed.

python benchmarks/gates_safety.py [DATA]
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from gates_detox import detox_table

from dataflywheel.enhancement.toxicity.audit import FUNCTIONALITIES, Audit, audit
from dataflywheel.proposing.gates.executable_truth import ExecutableTruth
from dataflywheel.proposing.gates.no_personal_data import NoPersonalData
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.signals.personal_data_patterns import find
from dataflywheel.signals.toxicity_classifier import ToxicityClassifier, train
from dataflywheel.signals.toxicity_labels import Labelled

TYPES = {"EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "CREDIT_CARD": "card", "IBAN_CODE": "iban"}
TYPES |= {"US_SSN": "ssn", "IP_ADDRESS": "ip"}


def lines(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))


def labelled_sets(data: Path) -> dict[str, Labelled]:
    tweets = table(data / "hate_offensive_tweets" / "labeled_data.csv.gz")
    pairs = table(data / "paradetox" / "paradetox.tsv.gz", "\t")
    moderation = lines(data / "moderation" / "moderation.jsonl.gz")
    toxigen = lines(data / "toxigen_prompts" / "toxigen_prompts.jsonl.gz")
    return {
        "hate_offensive_tweets": ([r["tweet"] for r in tweets], [r["class"] != "2" for r in tweets]),
        "paradetox": (
            [r["toxic"] for r in pairs] + [r["neutral1"] for r in pairs],
            [True] * len(pairs) + [False] * len(pairs),
        ),
        "moderation": (
            [r["prompt"] for r in moderation],
            [any(value == 1 for name, value in r.items() if name != "prompt") for r in moderation],
        ),
        "toxigen_prompts": ([r["prompt"].lstrip("- ") for r in toxigen], [r["label"] == "hate" for r in toxigen]),
    }


def halves(given: Labelled, share: float = 0.8) -> tuple[Labelled, Labelled]:
    order = np.random.default_rng(0).permutation(len(given[0])).tolist()
    cut = int(share * len(order))
    return tuple(([given[0][i] for i in part], [given[1][i] for i in part]) for part in (order[:cut], order[cut:]))  # type: ignore[return-value]


def toxicity_tables(data: Path) -> str:
    sets = labelled_sets(data)
    safe = [r["prompt"] for r in table(data / "xstest" / "xstest_prompts.csv") if r["label"] == "safe"]
    people = [row["output"] for row in lines(data / "dolly" / "dolly_pool.jsonl.gz")]
    groups = defaultdict(list)
    for row in lines(data / "toxigen_prompts" / "toxigen_prompts.jsonl.gz"):
        if row["label"] == "neutral":
            groups[row["group"]].append(row["prompt"].lstrip("- "))
    audits: dict[str, Audit] = {}
    human: dict[str, float] = {}
    loose: dict[str, Audit] = {}
    for name in ("hate_offensive_tweets", "paradetox"):
        known, held_out = halves(sets[name])
        others = {other: given for other, given in sets.items() if other != name}
        for neutral in (False, True):
            title = f"{name}{', neutral' if neutral else ''}"
            classifier = train(*known, neutral)
            audits[title] = audit(classifier, held_out, others, safe, groups)
            loose[title] = audit(classifier, held_out, {}, safe, groups, 0.1)
            human[title] = rejected(classifier, people)
    return "\n\n".join((sets_table(audits, human), looks_table(audits, loose), groups_table(loose)))


def rejected(classifier: ToxicityClassifier, texts: list[str]) -> float:
    return float((classifier.scores(texts) > classifier.threshold(0.01)).mean())


def sets_table(audits: dict[str, Audit], human: dict[str, float]) -> str:
    names = ("hate_offensive_tweets", "paradetox", "moderation", "toxigen_prompts")
    rows = [
        [title, f"{a.auc:.3f}", f"{a.false_positives:.1%}", f"{a.found:.1%}"]
        + [f"{a.cross[name]:.3f}" if name in a.cross else "own" for name in names]
        + [f"{a.safe:.1%}", f"{human[title]:.2%}"]
        for title, a in audits.items()
    ]
    head = ["trained on", "AUC, held out", "false positives", "found", *(f"AUC on {name}" for name in names)]
    text = markdown([*head, "xstest safe, rejected", "dolly answers, rejected"], rows)
    return f"## Toxicity: a classifier of the user's labels\n\nThreshold at 1 % false positives.\n\n{text}"


def looks_table(audits: dict[str, Audit], loose: dict[str, Audit]) -> str:
    rows = [
        [
            title,
            *(f"{loose[title].functionalities[name]:.0%}" for name in FUNCTIONALITIES),
            f"{a.swap_gap:.3f}",
            f"{a.group_gap:.3f}",
        ]
        for title, a in audits.items()
    ]
    head = ["trained on", *FUNCTIONALITIES, "gap when only the group differs", "gap between groups' neutral lines"]
    why = (
        "Sentences of our own that only look hateful, rejected at 10 % false positives, where bias shows. "
        "`neutral` leaves out every word for a group of people, in training and after."
    )
    return f"### Sentences that only look hateful\n\n{why}\n\n{markdown(head, rows)}"


def groups_table(loose: dict[str, Audit]) -> str:
    titles = list(loose)
    rows = [[group, *(f"{loose[title].groups[group]:.1%}" for title in titles)] for group in loose[titles[0]].groups]
    return (
        "### Neutral lines of toxigen_prompts, rejected at 10 % false positives, by group\n\n"
        + markdown(["group", *titles], rows)
    )  # fmt: skip


def personal_data_table(data: Path) -> str:
    with gzip.open(data / "pii_synthetic" / "synth_dataset_v2.json.gz") as file:
        rows = json.load(file)
    hit, gold, right, said = (Counter[str]() for _ in range(4))
    for row in rows:
        spans = find(row["full_text"], tuple(TYPES.values()))
        truth = [(s["entity_type"], s["start_position"], s["end_position"]) for s in row["spans"]]
        labelled = [(TYPES[kind], start, end) for kind, start, end in truth if kind in TYPES]
        for kind, start, end in labelled:
            gold[kind] += 1
            hit[kind] += any(s.type == kind and s.start < end and start < s.end for s in spans)
        for span in spans:
            said[span.type] += 1
            right[span.type] += any(span.type == kind and span.start < b and a < span.end for kind, a, b in labelled)
    found = [[k, str(gold[k]), f"{right[k] / said[k]:.3f}", f"{hit[k] / gold[k]:.3f}"] for k in TYPES.values()]
    people = [row["output"] for row in lines(data / "dolly" / "dolly_pool.jsonl.gz")]
    proposals = [Proposal((), prompt_answer_row("", text)) for text in people if text.strip()]
    lost = sum(not check.passed for check in NoPersonalData().check(proposals, Surroundings()))
    note = (
        "Any overlap with a labelled span of the type counts. Names, titles, addresses and places have no form and are "
        f"not looked for. Of {len(proposals):,} answers written by people (dolly) the gate rejects {lost}."
    )
    return f"## Personal data on pii_synthetic\n\n{markdown(['type', 'spans', 'precision', 'recall'], found)}\n\n{note}"


def executable_table(data: Path) -> str:
    codes, sums = human_eval(data), lines(data / "gsm8k" / "train.jsonl.gz")
    golds = [row["answer"].split("####")[1].strip() for row in sums]
    off = [str(int(gold.replace(",", "")) + 1) for gold in golds]
    cases = {
        "reference solutions of human_eval_code": codes,
        "the same, tests of the next task": [
            Proposal((), one.row, facts={"tests": other.facts["tests"]})
            for one, other in zip(codes, codes[1:] + codes[:1], strict=True)
        ],
        "worked solutions of gsm8k": worked(sums, golds),
        "the same, gold answer off by one": worked(sums, off),
    }
    rows = []
    for name, proposals in cases.items():
        reasons = Counter(check.reason or "passed" for check in ExecutableTruth().check(proposals, Surroundings()))
        passed = reasons.pop("passed", 0)
        rows.append([name, str(len(proposals)), str(passed), ", ".join(f"{n} {r}" for r, n in reasons.most_common())])
    return f"## Executable truth\n\n{markdown(['proposals', 'number', 'passed', 'rejected'], rows)}"


def human_eval(data: Path) -> list[Proposal]:
    return [
        Proposal(
            (),
            prompt_answer_row(row["prompt"], row["prompt"] + row["canonical_solution"]),
            facts={"tests": f"{row['test']}\ncheck({row['entry_point']})"},
        )
        for row in lines(data / "human_eval_code" / "HumanEval.jsonl.gz")
    ]


def worked(rows: list[dict[str, Any]], golds: list[str]) -> list[Proposal]:
    return [
        Proposal((), prompt_answer_row(row["question"], row["answer"]), facts={"gold": gold})
        for row, gold in zip(rows, golds, strict=True)
    ]


def markdown(head: list[str], rows: list[list[str]]) -> str:
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def tables(data: Path) -> str:
    """What the gates of safety find and lose, as tables in Markdown."""
    pairs = table(data / "paradetox" / "paradetox.tsv.gz", "\t")
    hopeless = table(data / "paradetox" / "paradetox_cannot_rewrite.tsv.gz", "\t")
    detox = detox_table(pairs, [row["INPUT:toxic_comment"] for row in hopeless], markdown)
    return "\n\n".join((toxicity_tables(data), detox, personal_data_table(data), executable_table(data)))


if __name__ == "__main__":
    default = os.environ.get("FLYWHEEL_DATA", str(Path(__file__).resolve().parents[2] / "shared" / "data"))
    print(tables(Path(sys.argv[1] if len(sys.argv) > 1 else default)))
