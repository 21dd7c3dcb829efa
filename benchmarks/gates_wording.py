"""What gates that read wording find and lose, beside what they did before they were mended.

Each function gives one Markdown table. `BEFORE` was measured by the same functions on the rules of commit 3a59051.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from gates_common import dolly, gsm8k, markdown, records, rejected, rewrite
from wording_pairs import HELD_OUT_BROKEN, HELD_OUT_KEPT, TUNED_BROKEN, TUNED_KEPT, Pairs

from dataflywheel.proposing.gates.grounded import Grounded
from dataflywheel.proposing.gates.meaning import Meaning
from dataflywheel.proposing.gates.refusal import Refusal
from dataflywheel.proposing.kinds import Proposal
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.signals.personal_data_patterns import find
from dataflywheel.signals.wording.sentences import sentences

BEFORE = {
    "tuned, broken": "0.333", "tuned, kept": "0.429", "held out, broken": "0.378", "held out, kept": "0.353",
    "experts": "0.225 with additions", "refusals, looked at": "0.709", "refusals, held out": "0.676",
    "compliance, looked at": "0.019", "compliance, held out": "0.054", "dolly": "0.001", "gsm8k": "0.000",
    "phone": "0.602", "card": "0.804", "email": "0.952", "ip": "0.854", "ssn": "0.905", "iban": "0.905",
    "sums": "26", "own answer": "0.240", "answer of another": "0.878", "invented sentence added": "0.240",
}  # fmt: skip
AROUND = (
    "Reach her: {},", "Ann,{},Rome", "Ann;{};x", "phone:{}", "({})", "[{}]", '"{}"', "n={}&x=1", "a/{}", "Ann - {}",
    "Ann\t{}\tRome", "|{}|", "It is {}.", "{}!", "Ann\n{}\nRome", "**{}**", "\u53f7\u7801\u662f{}\uff0c\u8c22",
    "Ann...{}",
    "<td>{}</td>", "_{}_", "{}",
)  # fmt: skip
TYPES = {"EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "CREDIT_CARD": "card", "IBAN_CODE": "iban"}
TYPES |= {"US_SSN": "ssn", "IP_ADDRESS": "ip"}
INVENTED = "This happened because the old keeper quietly sold the broken lamp to a travelling merchant."


def of_pairs(data: Path) -> str:
    lines = []
    sets: dict[str, Pairs] = {
        "tuned, broken": TUNED_BROKEN,
        "tuned, kept": TUNED_KEPT,
        "held out, broken": HELD_OUT_BROKEN,
        "held out, kept": HELD_OUT_KEPT,
    }
    for name, kinds in sets.items():
        given = [(a.replace("\\n", "\n"), b.replace("\\n", "\n")) for some in kinds.values() for a, b in some]
        proposals = [rewrite(("Rewrite.", a), ("Rewrite.", b)) for a, b in given]
        shares = [rejected(Meaning(least=None, additions=additions), proposals)[0] for additions in (False, True)]
        lines.append((name, len(given), BEFORE[name], *shares))
    experts = records(data / "coachlm_revisions" / "expert_revisions.jsonl.gz")
    revised = [
        rewrite(
            (f"{r['Raw Instruction']}\n{r['Raw Input']}", r["Raw Response"]),
            (f"{r['Revised Instruction']}\n{r['Revised Input']}", r["Revised Response"]),
        )
        for r in experts
    ]
    share = rejected(Meaning(least=None, additions=True), revised)[0]
    lines.append(("coachlm_revisions: experts", len(revised), BEFORE["experts"], "", share))
    head = ("sentences of our own, and experts", "pairs", "rejected before", "rejected", "rejected, additions allowed")
    return f"### Wording: negation, opposites, scope, quantities\n\n{markdown(head, lines)}"


def of_refusals(data: Path) -> str:
    texts: dict[str, list[str]] = {}
    for model in ("gpt4", "mistralguard"):
        with gzip.open(data / "xstest" / f"xstest_v2_completions_{model}.csv.gz", "rt", newline="") as file:
            for row in csv.DictReader(file):
                half = "held out" if int(re.sub(r"\D", "", row["id"].split("-")[-1]) or 0) % 2 else "looked at"
                kind = {"1": "compliance", "2": "refusals"}.get(row["final_label"][0])
                if kind is not None:
                    texts.setdefault(f"{kind}, {half}", []).append(row["completion"])
    texts |= {"dolly": [answer for _, answer in dolly(data)], "gsm8k": [answer for _, answer in gsm8k(data)]}
    lines = [
        (name, len(some), BEFORE[name], sum(not Refusal().one(text).passed for text in some) / len(some))
        for name, some in sorted(texts.items())
    ]
    note = "Answers of two models with two people's labels (xstest, by odd and even ids), and answers of people."
    return f"### Refusals\n\n{note}\n\n{markdown(('answers', 'rows', 'rejected before', 'rejected'), lines)}"


def of_personal_data(data: Path) -> str:
    with gzip.open(data / "pii_synthetic" / "synth_dataset_v2.json.gz") as file:
        rows = json.load(file)
    values: dict[str, list[str]] = {}
    for row in rows:
        for span in row["spans"]:
            if span["entity_type"] in TYPES:
                text = row["full_text"][span["start_position"] : span["end_position"]]
                values.setdefault(TYPES[span["entity_type"]], []).append(text)
    lines: list[tuple[object, ...]] = []
    for kind, some in values.items():
        placed = [(around.format(value), value) for around in AROUND for value in some]
        hits = sum(any(s.type == kind and s.end > t.index(v) for s in find(t)) for t, v in placed)
        lines.append((kind, len(placed), BEFORE[kind], hits / len(placed)))
    alarms = sum(len(find(f"{question}\n{answer}")) for question, answer in gsm8k(data))
    lines.append(("false alarms in gsm8k", 7473, BEFORE["sums"], alarms))
    note = f"Values of pii_synthetic in {len(AROUND)} surroundings, most without a word that says what they are."
    return (
        f"### Personal data behind any sign\n\n{note}\n\n{markdown(('type', 'texts', 'found before', 'found'), lines)}"
    )


def of_grounding(data: Path) -> str:
    rows = [r for r in records(data / "dolly" / "dolly_pool.jsonl.gz") if r["input"] and len(r["output"].split()) > 5]
    rows = [r for r in rows if r["category"] in ("closed_qa", "information_extraction")]
    answers = [r["output"] for r in rows]
    turned = list(answers)
    random.Random(0).shuffle(turned)
    cases: dict[str, Callable[[int], str]] = {
        "own answer": lambda i: answers[i],
        "answer of another": lambda i: turned[i],
        "invented sentence added": lambda i: f"{answers[i].rstrip('. ')}. {INVENTED}",
    }
    gate = Grounded(within="span", least_words=0.6)
    lines = []
    for name, answer in cases.items():
        proposals = [
            Proposal(
                (),
                prompt_answer_row(r["instruction"], answer(i)),
                source=r["input"],
                facts={"span": cited(r["input"], answers[i])},
            )
            for i, r in enumerate(rows)
        ]
        lines.append((name, len(rows), BEFORE[name], rejected(gate, proposals)[0]))
    note = (
        "Answers in full sentences of people to a passage (dolly), its four sentences likest the answer being cited. "
        "Many of their answers hold facts that the passage does not."
    )
    table = markdown(("answers", "rows", "rejected before", "rejected"), lines)
    return f"### Grounding by the cited span\n\n{note}\n\n{table}"


def cited(passage: str, answer: str) -> list[int]:
    wanted = set(answer.lower().split())
    best: Sequence[str] = sorted(sentences(passage), key=lambda s: -len(wanted & set(s.lower().split())))[:4]
    places = [(at, at + len(s)) for s in best if (at := passage.find(s[:40])) >= 0]
    if not places:
        return [0, len(passage)]
    return [min(a for a, _ in places), min(len(passage), max(b for _, b in places))]


def tables(data: Path) -> str:
    found = "\n\n".join(section(data) for section in (of_pairs, of_refusals, of_personal_data, of_grounding))
    return f"## Gates of wording, before and after\n\n{found}"
