"""Gates of safety on real data: personal data, toxicity, detoxification. No text of a set is printed."""

from __future__ import annotations

import gzip
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from gates_common import Line, Section, dolly, gsm8k, markdown, records, table

from dataflywheel.enhancement.toxicity.audit import FUNCTIONALITIES, Audit, audit
from dataflywheel.proposing.gates.no_personal_data import NoPersonalData
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.signals.safety.personal_data_patterns import find
from dataflywheel.signals.safety.toxicity_classifier import ToxicityClassifier, train
from dataflywheel.signals.safety.toxicity_labels import Labelled

TYPES = {"EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "CREDIT_CARD": "card", "IBAN_CODE": "iban"}
TYPES |= {"US_SSN": "ssn", "IP_ADDRESS": "ip"}
AROUND = (
    "Reach her: {},", "Ann,{},Rome", "Ann;{};x", "phone:{}", "({})", "[{}]", '"{}"', "n={}&x=1", "a/{}", "Ann - {}",
    "Ann\t{}\tRome", "|{}|", "It is {}.", "{}!", "Ann\n{}\nRome", "**{}**", "\u53f7\u7801\u662f{}\uff0c\u8c22",
    "Ann...{}", "<td>{}</td>", "_{}_", "{}",
)  # fmt: skip


def personal_data(data: Path) -> Section:
    with gzip.open(data / "pii_synthetic" / "synth_dataset_v2.json.gz") as file:
        rows = orjson.loads(file.read())
    hit, gold, right, said, around, tried = (Counter[str]() for _ in range(6))
    for row in rows:
        spans = find(row["full_text"], tuple(TYPES.values()))
        truth = [(s["entity_type"], s["start_position"], s["end_position"]) for s in row["spans"]]
        labelled = [(TYPES[kind], start, end) for kind, start, end in truth if kind in TYPES]
        for kind, start, end in labelled:
            gold[kind] += 1
            hit[kind] += any(s.type == kind and s.start < end and start < s.end for s in spans)
            value = row["full_text"][start:end]
            for text in (frame.format(value) for frame in AROUND):
                tried[kind] += 1
                around[kind] += any(s.type == kind and s.end > text.index(value) for s in find(text))
        for span in spans:
            said[span.type] += 1
            right[span.type] += any(span.type == kind and span.start < b and a < span.end for kind, a, b in labelled)
    lines = [Line(f"pii_synthetic: {kind}", "recall", gold[kind], hit[kind], seen="yes") for kind in TYPES.values()]
    lines += [
        Line(f"{kind} in 21 surroundings", "recall", tried[kind], around[kind], "published, changed by rule", "yes")
        for kind in TYPES.values()
    ]
    wrong, all_said = sum((said - right).values()), said.total()
    lines.append(Line("spans found in pii_synthetic that are none", "false alarms", all_said, wrong, seen="yes"))
    gate = NoPersonalData()
    for name, texts in {"dolly": [a for _, a in dolly(data)], "gsm8k": ["\n".join(row) for row in gsm8k(data)]}.items():
        proposals = [Proposal((), prompt_answer_row("", text)) for text in texts if text.strip()]
        lost = sum(not check.passed for check in gate.check(proposals, Surroundings()))
        lines.append(Line(name, "false alarms", len(proposals), lost, seen="yes"))
    note = (
        "Any overlap with a labelled span of the type counts. Names, titles, addresses and places have no form and are "
        "not looked for. In the surroundings most values stand without a word that says what they are; a telephone "
        "number without its country or area is then as often any other number."
    )
    return Section("Personal data", note, lines)


def labelled_sets(data: Path) -> dict[str, Labelled]:
    tweets = table(data / "hate_offensive_tweets" / "labeled_data.csv.gz")
    pairs = table(data / "paradetox" / "paradetox.tsv.gz", "\t")
    moderation = records(data / "moderation" / "moderation.jsonl.gz")
    toxigen = records(data / "toxigen_prompts" / "toxigen_prompts.jsonl.gz")
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


def toxicity(data: Path) -> Section:
    sets = labelled_sets(data)
    safe = [r["prompt"] for r in table(data / "xstest" / "xstest_prompts.csv") if r["label"] == "safe"]
    people = [answer for _, answer in dolly(data)]
    groups = defaultdict(list)
    for row in records(data / "toxigen_prompts" / "toxigen_prompts.jsonl.gz"):
        if row["label"] == "neutral":
            groups[row["group"]].append(row["prompt"].lstrip("- "))
    audits: dict[str, Audit] = {}
    loose: dict[str, Audit] = {}
    lines: list[Line] = []
    for name in ("hate_offensive_tweets", "paradetox"):
        known, held_out = halves(sets[name])
        others = {other: given for other, given in sets.items() if other != name}
        for neutral in (False, True):
            title = f"{name}{', neutral' if neutral else ''}"
            classifier = train(*known, neutral)
            audits[title] = audit(classifier, held_out, others, safe, groups)
            loose[title] = audit(classifier, held_out, {}, safe, groups, 0.1)
            for what, wanted in (("toxic ones of its own", True), ("others of its own", False)):
                texts = [text for text, toxic in zip(*held_out, strict=True) if toxic is wanted]
                lines.append(of_texts(f"{title}: {what}", "recall" if wanted else "false alarms", classifier, texts))
            lines.append(of_texts(f"{title}: safe prompts of xstest", "false alarms", classifier, safe))
            lines.append(of_texts(f"{title}: dolly", "false alarms", classifier, people))
    more = "\n\n".join((sets_table(audits), looks_table(audits, loose), groups_table(loose)))
    return Section(
        "Toxicity: a classifier of the user's labels", "Threshold at 1 % false positives in training.", lines, more
    )


def of_texts(title: str, measure: Any, classifier: ToxicityClassifier, texts: list[str]) -> Line:
    return Line(title, measure, len(texts), int((classifier.scores(texts) > classifier.threshold(0.01)).sum()))


def sets_table(audits: dict[str, Audit]) -> str:
    names = ("hate_offensive_tweets", "paradetox", "moderation", "toxigen_prompts")
    rows = [
        [title, f"{a.auc:.3f}", *(f"{a.cross[name]:.3f}" if name in a.cross else "own" for name in names)]
        for title, a in audits.items()
    ]
    head = ["trained on", "AUC, held out", *(f"AUC on {name}" for name in names)]
    return f"### On other sets\n\n{markdown(head, rows)}"


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


def detoxification(data: Path) -> Section:
    from gates_detox import detox_table

    pairs = table(data / "paradetox" / "paradetox.tsv.gz", "\t")
    hopeless = table(data / "paradetox" / "paradetox_cannot_rewrite.tsv.gz", "\t")
    title, _, text = detox_table(pairs, [row["INPUT:toxic_comment"] for row in hopeless], markdown).partition("\n\n")
    return Section(title.removeprefix("## "), "", [], text)
