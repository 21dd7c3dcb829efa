"""Gates of refusal, format and leaked prompts: rows that people wrote, labelled refusals, planted damage."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
from gates_common import Line, Measure, Pair, Section, Seen, Source, dolly, gsm8k, records, table, tried, written

from benchmarks.pairs import refusals_later
from benchmarks.pairs.refusals import ANSWERS, REFUSALS
from dataflywheel.proposing.gates.format_and_length import FormatAndLength
from dataflywheel.proposing.gates.prompt_leak import PromptLeak
from dataflywheel.proposing.gates.refusal import Refusal

CHANGED: Source = "published, changed by rule"
REFUSED = """Answers of two models with two people's labels (xstest), halved by odd and even ids. Of the full
refusals that are missed most are sermons on the premise of the question ("... should not be denied ..."), which in
another row are the answer; partial refusals are counted for information, and no wish. The targets of advbench begin
like a harmful answer ("Sure, here is ..."): they comply, and are no refusals."""


def refusal(data: Path) -> Section:
    kinds: dict[str, tuple[str, Measure]] = {
        "1": ("compliance", "false alarms"),
        "2": ("full refusals", "recall"),
        "3": ("partial refusals", "recall"),
    }
    halves: tuple[tuple[str, int, Seen], ...] = (("even", 0, "yes"), ("odd", 1, "no"))
    lines: list[Line] = []
    for model in ("gpt4", "mistralguard"):
        rows = table(data / "xstest" / f"xstest_v2_completions_{model}.csv.gz")
        for label, (title, measure) in kinds.items():
            for half, odd, seen in halves:
                texts = [
                    row["completion"] for row in rows if row["final_label"][0] == label and number(row["id"]) % 2 == odd
                ]
                lines.append(of_texts(f"xstest, {model}: {title}, {half} ids", measure, texts, "published", seen))
    advbench = [row["target"] for row in table(data / "advbench" / "harmful_behaviors.csv")]
    alpaca = pq.read_table(data / "alpaca_pool" / "alpaca_pool.parquet")["output"].to_pylist()
    lines += [
        of_texts("refusals in a sentence or two", "recall", REFUSALS, "our own", "yes"),
        of_texts("refusals written later", "recall", refusals_later.REFUSALS, "our own", "no"),
        of_texts("answers that sound like one", "false alarms", ANSWERS, "our own", "yes"),
        of_texts("such answers written later", "false alarms", refusals_later.ANSWERS, "our own", "no"),
        of_texts("advbench, targets", "false alarms", advbench),
        of_texts("dolly", "false alarms", [answer for _, answer in dolly(data)], seen="yes"),
        of_texts("gsm8k", "false alarms", [answer for _, answer in gsm8k(data)]),
        of_texts("alpaca_pool", "false alarms", alpaca, seen="yes"),
    ]
    return Section("Refusal", REFUSED, lines)


def number(id: str) -> int:
    return int(re.sub(r"\D", "", id.split("-")[-1]) or 0)


def of_texts(
    title: str, measure: Measure, texts: Sequence[str], source: Source = "published", seen: Seen = "no"
) -> Line:
    rejected = sum(not Refusal().one(text).passed for text in texts)
    return Line(title, measure, len(texts), rejected, source, seen)


def form(data: Path) -> Section:
    """Whole answers, and the same cut short."""
    gate = FormatAndLength(ratio=None)
    lines = []
    for name, rows in of_people(data).items():
        lines.append(tried(name, "false alarms", gate, [written(*row) for row in rows], seen="yes"))
    long = [(p, a) for p, a in dolly(data) if len(a) > 200 and a.rstrip()[-1:] in ".!?" and " " in a[:100]]
    halves = [(p, a[: a.rindex(" ", 0, int(len(a) * 0.6))]) for p, a in long]
    for title, rows in (
        ("dolly, cut at a word behind six tenths", [(p, a.rstrip(" .!?\n")) for p, a in halves]),
        ("dolly, cut behind `and the`", [(p, f"{a} and the") for p, a in halves]),
        ("dolly, cut behind an open bracket", [(p, f"{a} (so it") for p, a in halves]),
    ):
        lines.append(tried(title, "recall", gate, [written(*row) for row in rows], CHANGED))
    note = (
        "An end without a full stop is no sure sign: lists, titles and answers of one word have none. So the gate "
        "rejects only where the last word or a bracket says that more must come, or where the endpoint said that it "
        "stopped at its limit."
    )
    return Section("Format and length", note, lines)


def leaked(data: Path) -> Section:
    seeds = tuple(r["instruction"] for r in records(data / "self_instruct" / "seed_tasks.jsonl"))
    longer = [seed for seed in seeds if len(seed.split()) >= 10]
    gate, lines = PromptLeak(), []
    for name, rows in of_people(data).items():
        lines.append(tried(name, "false alarms", gate, [written(*row, shown=seeds) for row in rows]))
        some = list(enumerate(rows[:500]))
        leaks = [written(f"{p} {longer[i % len(longer)]}", a, shown=seeds) for i, (p, a) in some]
        lines.append(tried(f"{name}, a demonstration behind the prompt", "recall", gate, leaks, CHANGED))
        marks = [written(p, f"{gate.marks[i % len(gate.marks)]} {a}", shown=seeds) for i, (p, a) in some]
        lines.append(tried(f"{name}, a mark before the answer", "recall", gate, marks, CHANGED))
    return Section("Prompt leak", "Shown are the 175 seed tasks of Self-Instruct.", lines)


def of_people(data: Path) -> dict[str, list[Pair]]:
    return {"dolly": dolly(data), "gsm8k": gsm8k(data)[:3000]}
