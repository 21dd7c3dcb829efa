"""The jobs on which wheels are measured: two natural ones, and two whose truth is planted."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.schema import Recipe
from dataflywheel.rows.python_docs import python_docs
from tests.evolution.planted_wheels import ABSENT, absent_skill, student, two_bad_sources

FEEDBACK: dict[str, Any] = {"weakest_slices": {}}
NONE: dict[str, Any] = {"proportional": {}}
P3_SKILLS = (
    "common_gen_topic_to_sentence",
    "common_gen_sentence_to_concepts",
    "gigaword_reverse_writing",
    "cosmos_qa_only_question_answer",
    "sciq_Direct_Question_Closed_Book_",
    "rotten_tomatoes_Text_Expressed_Sentiment",
    "glue_qqp_answer",
    "social_i_qa_Generate_answer",
)
P3_TARGET = 80
"""Rows of each skill that are evaluated on; the other 120 are the pool's."""

Make = Callable[[int, str, dict[str, Any]], Recipe]
"""A wheel by seed, name and feedback."""


@dataclass(frozen=True)
class Case:
    """A job, and the policies of the wheel that is measured on it."""

    name: str
    about: str
    make: Make
    feedback: Mapping[str, Any]
    from_pool: bool = True
    """Whether the pool has enough rows to draw as many at random as the wheel trains on."""
    focus: str = ""
    """A slice that is reported by itself."""


def cases(data: Path | None, folder: Path) -> list[Case]:
    """All cases; the one on P3 only where the data are."""
    base = student(folder / "base")
    return [
        _python_docs(folder),
        *([_p3(data, folder)] if data is not None else []),
        Case(
            "absent_skill",
            "planted: 400 rows of four skills, and a fifth in the target that no row of the pool has; a generator that "
            "writes from the steering tier knows it. 240 rows chosen, 60 written, 3 rounds. In one round a generator "
            "cannot write from the target, since only a wheel has tiers: there it writes from the pool. The learning "
            "rate is 0.002; at 0.003, tried before, a round of one seed failed to train: feedback was better in each "
            "of five seeds, by +0.184 [-0.038, +0.406].",
            lambda seed, name, feedback: absent_skill(folder, name, seed, base, feedback),
            FEEDBACK,
            focus=ABSENT,
        ),
        Case(
            "bad_sources",
            "planted: three generators are the arms of the policy; one writes right answers, one wrong ones, one what "
            "nobody asks for. Feedback is `thompson`; its counterpart gives equal shares. 120 rows of the pool, which "
            "teach half of the facts, 384 written in 8 rounds. Settings were tried on seeds 100 to 102. On seeds 0 to "
            "4 it was +0.128 [-0.193, +0.450]: better in four, but in the fifth one arm had three turns before another "
            "had its first; since then all arms have a turn first, and these are other seeds.",
            lambda seed, name, feedback: two_bad_sources(folder, name, seed, base, feedback),
            {"thompson": {}, "proportional": {}},
            from_pool=False,
        ),
    ]


def _python_docs(folder: Path) -> Case:
    rows = list(python_docs("pool"))[::8]
    random.Random(0).shuffle(rows)  # a generator without quotas writes from the first rows first
    pool = _write(folder / "facts" / "python_docs.jsonl", rows)
    target = _write(folder / "facts" / "python_docs_held_out.jsonl", list(python_docs("held_out"))[::3])
    steps = [
        {"deduplicate": {"near": 0.8, "part": "answer"}},
        {"decontaminate": {"semantic": None}},
        {"filter": {"bounds": {"text.tokens_answer": [4, 200]}}},
        {"select": {"by": "random", "keep": 160}},
        {"generate": {"by": "grounded_rules", "rows": 40, "visits": 3, "gates": _gates("grounded")}},
        {"train": {"epochs": 4, "learning_rate": 0.003, "max_length": 96}},
        "evaluate",
    ]
    about = (
        "the documentation of Python's standard library (an eighth of it), by kind of object; the kind of a pool's row "
        "is that of the nearest evaluation row. 160 rows chosen at random within their quotas, 40 written by rules, "
        "3 rounds."
    )
    make = _natural(pool, target, "kind", steps)
    return Case("python_docs", about, make, FEEDBACK)


def _p3(data: Path, folder: Path) -> Case:
    rows = pq.read_table(data / "p3_multitask" / "t0_train.parquet").to_pylist()
    pool, target = [], []
    for skill in P3_SKILLS:
        its = [row for row in rows if row["template"] == skill]
        random.Random(0).shuffle(its)
        made = [{**row, "completion": row["completion"].removesuffix("<|endoftext|>"), "tags": [skill]} for row in its]
        target += made[:P3_TARGET]
        pool += made[P3_TARGET:]
    steps = [
        {"decontaminate": {"semantic": None}},
        {"select": {"by": "random", "keep": 240}},
        {"train": {"epochs": 4, "learning_rate": 0.003, "max_length": 96}},
        "evaluate",
    ]
    files = folder / "facts"
    pool_file, target_file = _write_records(files / "p3.jsonl", pool), _write_records(files / "p3-target.jsonl", target)
    about = (
        "eight tasks of P3, 120 rows of each in the pool. 240 rows chosen at random within their quotas, 3 rounds; "
        "nothing is written, so that one round is random choice."
    )
    return Case("p3", about, _natural(pool_file, target_file, "tag", steps), FEEDBACK)


def _gates(*more: str) -> list[Any]:
    return ["format_and_length", *more, {"contamination": {"semantic": None}}]


def _natural(pool: str, target: str, slice: str, steps: list[Any]) -> Make:
    def make(seed: int, name: str, feedback: dict[str, Any]) -> Recipe:
        value = {
            "name": f"{name}-{seed}",
            "seed": seed,
            "pool": [{"path": pool}],
            "target": [{"path": target, "slice": slice}],
            "models": {"student": {"builtin": "tiny", "size": "0.5m"}, "embedder": "static"},
            "guards": {"patience": 9, "diversity_drop": 0.9},
            "rounds": 3,
            "feedback": feedback,
            "steps": steps,
        }
        return recipe_from(value)

    return make


def _write(path: Path, rows: list[Any]) -> str:
    records = []
    for row in rows:
        prompt, answer = (turn["content"] for turn in row["messages"])
        records.append({"prompt": prompt, "completion": answer, **json.loads(row["extra"])})
    return _write_records(path, records)


def _write_records(path: Path, records: list[Any]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return str(path)
