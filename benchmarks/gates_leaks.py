"""The gate of contamination on evaluation sets whose rows were changed, and on a pool that holds none of them."""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from gates_common import Line, Pair, Section, Source, dolly, gsm8k, records

from dataflywheel.proposing.gates.contamination import Contamination
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import table
from dataflywheel.signals.words.words import folded_text

OTHER_WORDS = ("river", "quickly", "blue", "seven", "paper", "often", "under", "green")


def evaluation(data: Path) -> dict[str, list[Pair]]:
    tasks = records(data / "self_instruct" / "user_oriented_instructions.jsonl")
    return {
        "gsm8k/test": [(r["question"], r["answer"]) for r in records(data / "gsm8k" / "test.jsonl.gz")],
        "math500": [(r["problem"], r["solution"]) for r in records(data / "math500" / "math500.jsonl.gz")],
        "bbh": [(r["input"], r["target"]) for r in records(data / "bbh" / "bbh.jsonl.gz")[::4]],
        "mt_bench": [(r["turns"][0], "") for r in records(data / "mt_bench" / "question.jsonl")],
        "self_instruct": [
            ("\n\n".join(filter(None, (r["instruction"], i["input"]))), i["output"])
            for r in tasks
            for i in r["instances"]
        ],
        "human_eval_code": [
            (r["prompt"], r["canonical_solution"]) for r in records(data / "human_eval_code" / "HumanEval.jsonl.gz")
        ],
        "xquad.de": [(r["question"], "") for r in records(data / "xquad" / "xquad.de.jsonl.gz")],
        "xquad.zh": [(r["question"], "") for r in records(data / "xquad" / "xquad.zh.jsonl.gz")],
    }


def clean(data: Path) -> dict[str, list[Pair]]:
    def alpaca(rows: list[dict[str, str]]) -> list[Pair]:
        return [(f"{r['instruction']}\n\n{r['input']}".strip(), r["output"]) for r in rows]

    pool = pq.read_table(data / "alpaca_pool" / "alpaca_pool.parquet").slice(0, 5000).to_pylist()
    return {
        "alpaca": alpaca(pool),
        "gsm8k/train": gsm8k(data),
        "dolly": dolly(data),
        "code_alpaca": alpaca(records(data / "code_alpaca" / "code_alpaca_2k.jsonl.gz")),
    }


def changed(every: int | None) -> Callable[[str], str]:
    """A change of one word of a text, or of one in `every`, to another; always the same one of the same text."""

    def change(text: str) -> str:
        rng = random.Random(text)
        parts = re.split(r"(\s+)", text if text.isascii() or " " in text.strip() else folded_text(text))
        words = [k for k in range(0, len(parts), 2) if re.search(r"\w", parts[k])]
        for k in rng.sample(words, min(len(words), max(1, round(len(words) / every)) if every else 1)):
            parts[k] = rng.choice(OTHER_WORDS)
        return "".join(parts)

    return change


CHANGES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper case, other spacing": lambda text: re.sub(r"\s+", " \n\t ", text.upper()),
    "one word of the prompt": changed(None),
    "one word in twenty": changed(20),
}


NOTE = """Prompts of evaluation sets, alone and changed, among a pool of 17,695 rows that hold none of them; what is
common language is counted in that pool, as a run does it. By words alone, without the cosine. Prompts of under 8
words with another word in them may ask for something else, and stay."""


def contamination(data: Path) -> Section:
    """Evaluation rows as they are and with their prompts changed, and a pool that holds none of them."""
    gate = Contamination(semantic=None)
    clean_rows = {name: [row for row in rows if any(row)] for name, rows in clean(data).items()}
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as folder:
        pool = written([row for rows in clean_rows.values() for row in rows], Path(folder) / "pool")
        for name, rows in evaluation(data).items():
            around = Surroundings(target=written(rows, Path(folder) / name.replace("/", "-")), pool=pool)
            for title, change in CHANGES.items():
                changed_rows = [Proposal((), prompt_answer_row(change(prompt), "")) for prompt, _ in rows]
                source: Source = "published" if change is str else "published, changed by rule"
                text = f"{name}: {title}"
                lines.append(Line(text, "recall", len(rows), found(gate, changed_rows, around), source))
            for other, others in clean_rows.items():
                proposals = [Proposal((), prompt_answer_row(*row)) for row in others]
                text = f"{other}, looked through for {name}"
                lines.append(Line(text, "false alarms", len(others), found(gate, proposals, around)))
    return Section("Contamination by words", NOTE, lines)


def found(gate: Contamination, proposals: list[Proposal], around: Surroundings) -> int:
    return sum(not check.passed for check in gate.check(proposals, around))


def written(rows: list[Pair], folder: Path) -> Path:
    folder.mkdir()
    with PartWriter(folder) as writer:
        writer.write(table([prompt_answer_row(*row) for row in rows]))
    return folder
