"""The gate of contamination on evaluation sets whose rows were changed, and on pools that hold none of them.

    python benchmarks/gates_leaks.py [DATA]

prints the section of `gates.md`.
"""

from __future__ import annotations

import os
import random
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from gates_common import Pair, dolly, gsm8k, markdown, records

from dataflywheel.proposing.gates.contamination import Contamination
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import table
from dataflywheel.signals.words import folded_text

RULES = {
    "half of the 13-grams, 70 % of the 8-grams": {"share_13": 0.5, "share_8": 0.7, "changed": None, "common": None},
    "the default": {},
}
OTHER_WORDS = ("river", "quickly", "blue", "seven", "paper", "often", "under", "green")


def evaluation(data: Path) -> dict[str, list[Pair]]:
    tasks = records(data / "self_instruct" / "user_oriented_instructions.jsonl")
    return {
        "gsm8k/test": [(r["question"], r["answer"]) for r in records(data / "gsm8k" / "test.jsonl.gz")],
        "math500": [(r["problem"], r["solution"]) for r in records(data / "math500" / "math500.jsonl.gz")],
        "bbh": [(r["input"], r["target"]) for r in records(data / "bbh" / "bbh.jsonl.gz")],
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


def contamination(data: Path) -> str:
    """Evaluation rows among proposals, as they are and with their prompts changed; pools that hold none of them."""
    pools = {
        name: [Proposal((), prompt_answer_row(*row)) for row in rows if any(row)] for name, rows in clean(data).items()
    }
    lines = []
    for name, rows in evaluation(data).items():
        planted = [
            [Proposal((), prompt_answer_row(change(prompt), "")) for prompt, _ in rows] for change in CHANGES.values()
        ]
        with tempfile.TemporaryDirectory() as folder:
            around = Surroundings(target=written(rows, Path(folder) / "target"))
            for rule, parameters in RULES.items():
                gate = Contamination.model_validate({"semantic": None, **parameters})
                shares = [found(gate, proposals, around) / len(rows) for proposals in planted]
                alarms = [found(gate, pool, around) for pool in pools.values()]
                lines.append((name, rule, len(rows), *shares, *alarms))
    held = [f"alarms in {len(rows):,} of {name}" for name, rows in pools.items()]
    head = ("target", "a row goes by", "rows", *CHANGES, *held)
    return (
        "### Contamination by words: recall of planted prompts, and alarms in pools without them\n\n"
        "Prompts alone, without their answers. The first rule was the default before; that of now takes any 13-gram "
        "and half of the 8-grams, and finds texts of 8 to 64 words but for an eighth of their words. Prompts of under "
        "8 words with another word in them may ask for something else, and stay.\n\n" + markdown(head, lines)
    )


def found(gate: Contamination, proposals: list[Proposal], around: Surroundings) -> int:
    return sum(not check.passed for check in gate.check(proposals, around))


def written(rows: list[Pair], folder: Path) -> Path:
    folder.mkdir()
    with PartWriter(folder) as writer:
        writer.write(table([prompt_answer_row(*row) for row in rows]))
    return folder


if __name__ == "__main__":
    default = os.environ.get("FLYWHEEL_DATA", str(Path(__file__).resolve().parents[2] / "shared" / "data"))
    print(contamination(Path(sys.argv[1] if len(sys.argv) > 1 else default)))
