"""What a teacher is worth to a small student: each method of distillation beside plain cross-entropy, losers included.

    python benchmarks/distillation.py [DATA] [--steps 200] [--teacher-tokens 1000000] [--seeds 3] [--size 0.5m]
        [--arms NAME ...] [--work FOLDER] [--out benchmarks/distillation.md]

A teacher of 5 million weights is trained on medical questions and answers, students on others: no topic is in two of
the sets for teacher, students and evaluation. Within a seed all students of one tokenizer start from the same weights
and see the same rows in the same order. Students of the second table have a tokenizer learnt from other text.

Every finished student is kept as its scores under `--work`: the same command goes on where it was stopped, and the
page holds all that are finished, by however many commands.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.distillation_models import EXAM_ROWS, LONGEST, STUDENT_ROWS, Bench
from dataflywheel.contracts import Objective
from dataflywheel.distillation.model.aligned_vocabulary import AlignedVocabulary
from dataflywheel.distillation.model.dense_distillation import DenseDistillation
from dataflywheel.distillation.model.taught import TaughtObjective
from dataflywheel.distillation.model.top_k_distillation import TopKDistillation
from dataflywheel.distillation.model.uld import Uld
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.rows.schema import table
from dataflywheel.store.atomic import write_json

FOLDER = Path(__file__).resolve().parent
DATA = Path(os.environ.get("FLYWHEEL_DATA", FOLDER.parents[1] / "shared" / "data"))
RESAMPLES = 4000


@dataclass(frozen=True)
class Arm:
    name: str
    objective: Callable[[Bench], Objective | None]
    other: bool = False
    """Whether the student has a tokenizer of its own."""
    untaught: bool = False
    """Whether the teacher is one that was never trained."""


ARMS = (
    Arm("cross-entropy", lambda b: None),
    Arm("dense, no cross-entropy", lambda b: DenseDistillation(alpha=1)),
    Arm("dense + cross-entropy", lambda b: DenseDistillation(alpha=0.5)),
    Arm("dense + cross-entropy, T 2", lambda b: DenseDistillation(alpha=0.5, temperature=2)),
    Arm("top 16, tail + cross-entropy", lambda b: TopKDistillation(k=16)),
    Arm("top 16, renormalised + cross-entropy", lambda b: TopKDistillation(k=16, tail="renormalise")),
    Arm("top 16, tail, no cross-entropy", lambda b: TopKDistillation(k=16, alpha=1)),
    Arm("top 16, renormalised, no cross-entropy", lambda b: TopKDistillation(k=16, alpha=1, tail="renormalise")),
    Arm("label smoothing of the teacher's entropy", lambda b: b.smoothing),
    Arm("dense + cross-entropy, untrained teacher", lambda b: DenseDistillation(alpha=0.5), untaught=True),
    Arm("cross-entropy (own tokenizer)", lambda b: None, other=True),
    Arm("aligned vocabulary + cross-entropy", lambda b: AlignedVocabulary(weight=1), other=True),
    Arm("ULD as published, weight 1.5", lambda b: Uld(), other=True),
    Arm("ULD aligned, weight 0.2", lambda b: Uld(positions="aligned", weight=0.2), other=True),
)


Scores = dict[int, dict[str, Any]]
"""Of an arm's students, by seed."""


def place_of(bench: Bench, arm: Arm, seed: int) -> Path:
    """Where the scores of a finished student are."""
    return bench.work / "students" / f"{arm.name.replace(' ', '_')}-{seed}.json"


def run(bench: Bench, arm: Arm, seed: int) -> None:
    """Train and score one student, unless it is there."""
    place = place_of(bench, arm, seed)
    if place.exists():
        return
    rows = table(bench.sets["student"])
    start = bench.student(arm.other, seed)
    settings = TrainSettings(max_steps=bench.options.steps, learning_rate=4e-3, max_length=LONGEST, seed=seed)
    began = time.monotonic()
    objective = arm.objective(bench)
    if isinstance(objective, TaughtObjective):
        objective = bind(bench, arm, objective, rows, start)
    made = train_sft(rows, start, place.with_suffix(""), settings, objective=objective)
    bits, size = bench.bits(made.folder)
    shutil.rmtree(made.folder)
    found = {
        "bits": bits.tolist(),
        "bytes": size.tolist(),
        "tokens": made.tokens,
        "seconds": round(time.monotonic() - began, 1),
    }
    write_json(place, found)
    print(
        f"{arm.name}, seed {seed}: {level(found):.4f} bits a byte in {found['seconds']} s", file=sys.stderr, flush=True
    )


def level(one: dict[str, Any]) -> float:
    """Bits a byte over the answers that were scored."""
    bits, size = np.array(one["bits"], dtype=float), np.array(one["bytes"], dtype=float)
    scored = np.isfinite(bits)
    return float(bits[scored].sum() / size[scored].sum())


def bind(bench: Bench, arm: Arm, objective: TaughtObjective, rows: pa.Table, start: Path) -> TaughtObjective:
    teacher = bench.untrained_teacher if arm.untaught else bench.teacher
    student = LanguageModel.load(ModelSpec(hf=str(start)))
    ids, messages = rows["id"].to_pylist(), rows["messages"].to_pylist()
    return objective.taught(ids, messages, student, ModelSpec(hf=str(teacher)), LONGEST, bench.work)


def paired(arm: Scores, base: Scores, seeds: Sequence[int]) -> tuple[float, float, float]:
    """Bits a byte more than the base, with a 95 % bootstrap interval over seeds and documents together."""
    size = np.array(base[seeds[0]]["bytes"])
    ours, theirs = (np.array([one[seed]["bits"] for seed in seeds], dtype=float) for one in (arm, base))
    more = ours - theirs
    good = np.isfinite(more).all(axis=0)
    more, size = more[:, good], size[good]
    rng = np.random.default_rng(0)
    spread = []
    for _ in range(RESAMPLES):
        drawn, documents = rng.integers(len(more), size=len(more)), rng.integers(len(size), size=len(size))
        spread.append(more[drawn][:, documents].mean(axis=0).sum() / size[documents].sum())
    low, high = np.quantile(spread, [0.025, 0.975])
    return float(more.mean(axis=0).sum() / size.sum()), float(low), float(high)


def section(found: dict[str, Scores], arms: Sequence[Arm]) -> list[str]:
    """One table; its first arm is what the others are measured against, on the seeds that both have."""
    lines = [
        "| arm | bits a byte | against cross-entropy | 95 % interval | by seed | seconds a student |",
        "| --- | ---: | ---: | --- | --- | ---: |",
    ]
    base = found.get(arms[0].name)
    for arm in arms:
        if arm.name not in found:
            continue
        runs = found[arm.name]
        mean = float(np.mean([level(one) for one in runs.values()]))
        seconds = float(np.mean([one["seconds"] for one in runs.values()]))
        if base is None or arm is arms[0]:
            lines.append(f"| {arm.name} | {mean:.4f} | - | - | - | {seconds:.0f} |")
            continue
        seeds = sorted(set(runs) & set(base))
        more, low, high = paired(runs, base, seeds)
        each = ", ".join(f"{paired(runs, base, [seed])[0]:+.4f}" for seed in seeds)
        lines.append(f"| {arm.name} | {mean:.4f} | {more:+.4f} | {low:+.4f} to {high:+.4f} | {each} | {seconds:.0f} |")
    return lines


def report(bench: Bench, found: dict[str, Scores], taught: float) -> str:
    given, first = bench.options, next(iter(found[ARMS[0].name].values()))
    own, other = ([arm for arm in ARMS if arm.other is side] for side in (False, True))
    return "\n".join(
        [
            "# Distillation: what a teacher is worth to a small student",
            "",
            f"Made by `python benchmarks/distillation.py --steps {given.steps} --teacher-tokens {given.teacher_tokens} "
            f"--seeds {given.seeds} --size {given.size}`. Lower is better; an interval below 0 says that the arm beats "
            "cross-entropy at equal student tokens, over as many seeds as stand in its row. Losing arms are kept.",
            "",
            f"Teacher: 5m, {given.teacher_tokens:,} tokens of medical questions and answers, {taught:.4f} bits a byte "
            f"on the evaluation. Students: {given.size}, {given.steps} steps of 16 rows out of {STUDENT_ROWS} on other "
            f"topics ({first['tokens']:,} tokens read), up to {given.seeds} seeds. Evaluation: {EXAM_ROWS} answers on "
            "topics that neither has seen. The first student of an arm also pays for what is made once: the teacher's "
            "words on all rows (top 16), or their entropy (label smoothing).",
            "",
            "## One tokenizer",
            "",
            *section(found, own),
            "",
            "## A student with a tokenizer of its own",
            "",
            *section(found, other),
            "",
        ]
    )


def main() -> str:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", default=DATA)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--teacher-tokens", type=int, default=1_000_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--size", default="0.5m")
    parser.add_argument("--arms", nargs="*", help="names of arms; all unless given")
    parser.add_argument("--work", type=Path, default=Path(".flywheel") / "benchmarks" / "distillation")
    parser.add_argument("--out", type=Path, help="write the page here too")
    options = parser.parse_args()
    bench = Bench(options)
    wanted = [arm for arm in ARMS if not options.arms or arm.name in options.arms]
    began = time.monotonic()
    bits, size = bench.bits(bench.teacher)
    taught = level({"bits": bits, "bytes": size})
    print(f"teacher: {taught:.4f} bits a byte after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    for seed in range(options.seeds):
        for arm in wanted:
            run(bench, arm, seed)
    files = {arm.name: {seed: place_of(bench, arm, seed) for seed in range(options.seeds)} for arm in ARMS}
    held = {name: {s: json.loads(p.read_text()) for s, p in its.items() if p.exists()} for name, its in files.items()}
    page = report(bench, {name: its for name, its in held.items() if its}, taught)
    if options.out is not None:
        options.out.write_text(page, encoding="utf-8")
    return page


if __name__ == "__main__":
    print(main())
