"""What mended and written rows are worth to a student beside the raw rows, at equal tokens.

    python benchmarks/synthesis.py [--only CASE] [--seeds N] [--runs FOLDER]

The writers' answers are published ones, so that they are real and everyone has the same: experts' revisions of Alpaca
rows, a model's own rewordings of them, and solutions that models wrote for GSM8K. `FLYWHEEL_DATA` is the folder with
the data. What was done is kept in FOLDER, so that the same command goes on. Writes `benchmarks/synthesis.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import dataflywheel as fw
from benchmarks.gates_common import Pair, dolly, gsm8k, records
from dataflywheel import catalog
from dataflywheel.contracts import build
from dataflywheel.enhancement.rewriting.revision import Revision
from dataflywheel.proposing.checking import checks_of
from dataflywheel.proposing.kinds import Gate, Proposal, Surroundings
from dataflywheel.recipe.load import recipe_from
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.store.atomic import write_json, write_text

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("FLYWHEEL_DATA", ROOT.parent / "shared" / "data"))
TABLE = ROOT / "benchmarks" / "synthesis.md"
TOKENS = 60_000
"""Tokens that a student learns from, rows seen again counted again."""
SETTINGS = {"learning_rate": 0.004, "batch_size": 8, "max_length": 512, "dtype": "float32"}
HEAD = """# What mended and written rows are worth to a student

Made by `python benchmarks/synthesis.py`. The built-in student of half a million weights learns 60,000 tokens of each
arm from nothing, five seeds, the same settings; where an arm has fewer tokens its rows are seen again. Scores are bits
per byte of the target's answers, lower is better. *Better than raw by* is the paired difference over seeds with its
95 % Student interval: above 0 the mended or written rows are better than the raw ones. Writers' answers are
published ones. *Through gates*: a rewriting that passes the gates of `revision`, all but `contamination`, stands in
place of its row, and the row stays where it does not, as the step `enhance` does it. So small a student learns manner
and words, not facts: what it says of large ones is the direction at most.
"""


@dataclass(frozen=True)
class Case:
    """Arms by name, the first is the raw one; and what students are measured on."""

    title: str
    about: str
    arms: dict[str, list[Pair]]
    target: list[Pair]


def _text(*parts: str) -> str:
    return "\n\n".join(part.strip() for part in parts if part.strip())


def through_gates(before: Sequence[Pair], after: Sequence[Pair], held: Path) -> tuple[list[Pair], int]:
    """Each row's rewriting where it passes the gates of `revision`, else the row; and how many passed.

    Which did is kept in a file, and read from it where it is there."""
    if not held.exists():
        write_json(held, _passing(before, after))
    passed = set(json.loads(held.read_text(encoding="utf-8")))
    mended = [new if at in passed else old for at, (old, new) in enumerate(zip(before, after, strict=True))]
    return mended, len(passed)


def _passing(before: Sequence[Pair], after: Sequence[Pair]) -> list[int]:
    kept = list(range(len(before)))
    proposals = [
        Proposal((), prompt_answer_row(*new), before=prompt_answer_row(*old))
        for old, new in zip(before, after, strict=True)
    ]
    for named in Revision.gates[:-1]:  # `contamination` holds rows against a target of a recipe
        ((name, given),) = [(named, {})] if isinstance(named, str) else list(named.items())
        gate = build(catalog.get(name, Gate), given)
        checks = checks_of(gate, [proposals[at] for at in kept], Surroundings())
        kept = [at for at, check in zip(kept, checks, strict=True) if check.passed]
    return kept


def experts(folder: Path) -> Case:
    """Alpaca rows before and after experts revised them; the target is written by other experts."""
    rows = records(DATA / "coachlm_revisions" / "expert_revisions.jsonl.gz")
    before = [(_text(r["Raw Instruction"], r["Raw Input"]), r["Raw Response"]) for r in rows]
    after = [(_text(r["Revised Instruction"], r["Revised Input"]), r["Revised Response"]) for r in rows]
    gated, passed = through_gates(before, after, folder / "passed.json")
    return Case(
        "Experts revise",
        f"{len(rows):,} Alpaca rows and what experts made of them (coachlm_revisions); {passed:,} revisions pass the "
        "gates. Target: 252 tasks that other experts wrote and answered (self_instruct, user_oriented).",
        {"raw": before, "revised by experts": after, "revised, through gates": gated},
        tasks(),
    )


def tasks() -> list[Pair]:
    rows = records(DATA / "self_instruct" / "user_oriented_instructions.jsonl")
    return [(_text(r["instruction"], r["instances"][0]["input"]), r["instances"][0]["output"]) for r in rows]


def reworded(folder: Path) -> Case:
    """Alpaca answers and the same in a model's own words (self-distillation)."""
    rows = records(DATA / "self_distilled" / "alpaca_self_distilled.jsonl.gz")
    before = [(_text(r["instruction"], r["input"]), r["output"]) for r in rows]
    after = [(prompt, r["distilled_output"]) for (prompt, _), r in zip(before, rows, strict=True)]
    gated, passed = through_gates(before, after, folder / "passed.json")
    return Case(
        "A model rewords",
        f"{len(rows):,} Alpaca answers and the same in the words of a chat model (self_distilled); {passed:,} pass the "
        "gates. Target: 500 questions that people wrote and answered (dolly).",
        {"raw": before, "reworded by a model": after, "reworded, through gates": gated},
        dolly(DATA)[:500],
    )


def solutions(folder: Path) -> Case:
    """Few solved problems, and with them models' solutions of these and further ones, all or the right ones."""
    rows = records(DATA / "gsm8k" / "example_model_solutions.jsonl.gz")
    gold = [(r["question"], r["ground_truth"]) for r in rows]
    models = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
    written = [(r["question"], r[m]["solution"], bool(r[m]["is_correct"])) for r in rows for m in models]
    right = [(question, solution) for question, solution, correct in written if correct]
    every = [(question, solution) for question, solution, _ in written]
    few = gold[:200]
    return Case(
        "Models solve, an answer is known",
        f"200 problems with their published solutions, seen again and again; the same with {len(every):,} solutions of "
        f"four models for 675 problems; with the {len(right):,} of them whose final answer is right, as "
        "`generate_verify_keep` keeps them; and, as the upper end, the published solutions of all 675. "
        "Target: 500 other problems with their solutions.",
        {
            "raw": few, "with all written solutions": few + every, "with verified solutions": few + right,
            "published solutions of all 675": gold,
        },
        [(q, a.replace("#### ", "A: ")) for q, a in gsm8k(DATA)[:500]],
    )  # fmt: skip


CASES: dict[str, Callable[[Path], Case]] = {"experts": experts, "reworded": reworded, "solutions": solutions}


def write(path: Path, rows: Sequence[Pair]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "".join(json.dumps({"prompt": p, "completion": a}) + "\n" for p, a in rows if p and a))
    return path


def score(name: str, rows: Path, target: Path, seed: int, folder: Path) -> tuple[float, int, float]:
    """Bits per byte of the target after learning an arm's rows, how many rows, and how often each was seen."""
    job: dict[str, Any] = {
        "name": name, "seed": seed, "pool": [{"path": str(rows)}],
        "target": [{"path": str(target), "metric": "bits_per_byte"}],
        "models": {"student": {"builtin": "tiny", "size": "0.5m"}},
        "steps": [{"decontaminate": {}}, {"select": {"by": "random", "keep": f"{TOKENS} tokens"}}],
    }  # fmt: skip
    home = folder / ".flywheel"
    chosen = fw.run(recipe_from(job), runs=folder / "runs", home=home)
    held = chosen.rows
    tokens = sum(len(message["content"]) for row in held for message in row["messages"]) / 4
    epochs = max(1.0, TOKENS / tokens)
    job["steps"] += [{"train": {**SETTINGS, "epochs": epochs, "seed": seed}}, {"evaluate": {"untrained": False}}]
    done = fw.run(recipe_from(job), runs=folder / "runs", home=home)
    assert done.evaluation is not None
    return float(done.evaluation.overall.value), len(held), epochs


def page(case: Case, found: dict[str, list[tuple[float, int, float]]]) -> str:
    """The table of a case."""
    raw = np.array([one[0] for one in found["raw"]])
    lines = ["| arm | rows | times seen | bits per byte | better than raw by | verdict |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | --- |")
    for arm, scores in found.items():
        own = np.array([one[0] for one in scores])
        gain, verdict = "", ""
        if arm != "raw" and len(own) > 1:
            difference = raw - own
            half = float(t.ppf(0.975, len(own) - 1) * difference.std(ddof=1) / np.sqrt(len(own)))
            mean = float(difference.mean())
            gain = f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"
            verdict = "better" if mean > half else "worse" if -mean > half else "no difference"
        lines.append(f"| {arm} | {scores[0][1]:,} | {scores[0][2]:.1f} | {own.mean():.3f} | {gain} | {verdict} |")
    return f"## {case.title}\n\n{case.about}\n\n" + "\n".join(lines) + "\n"


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--only", choices=list(CASES))
    given.add_argument("--seeds", type=int, default=5)
    given.add_argument("--runs", type=Path, default=ROOT / "runs" / "benchmark-synthesis")
    told = given.parse_args()
    pages = [HEAD]
    for name in [told.only] if told.only else CASES:
        folder = told.runs.resolve() / name
        folder.mkdir(parents=True, exist_ok=True)
        case = CASES[name](folder)
        target = write(folder / "target.jsonl", case.target)
        found: dict[str, list[tuple[float, int, float]]] = {}
        for at, (arm, rows) in enumerate(case.arms.items()):
            path = write(folder / f"arm-{at}.jsonl", rows)
            found[arm] = [score(f"arm-{at}-{seed}", path, target, seed, folder) for seed in range(told.seeds)]
            print(f"{name}: {arm}: {found[arm]}", file=sys.stderr, flush=True)
        pages.append(page(case, found))
        print(pages[-1], flush=True)
    if not told.only and told.seeds > 2:
        write_text(TABLE, "\n".join(pages))


if __name__ == "__main__":
    main()
