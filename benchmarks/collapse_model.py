"""What `collapse.py` shows on word pairs, on language models: each generation answers and trains the next.

    python benchmarks/collapse_model.py DATA [--rows 400] [--steps 200] [--generations 5] [--seeds 3]

DATA holds `dolly`. A model of half a million weights is trained from nothing on short questions and answers of people.
Each generation then answers the same questions at temperature 1, and the next one is trained from nothing, for as many
steps, on those answers alone (replace) or on them beside all rows so far (accumulate). Prints bits a byte on unseen
answers of people by generation, over seeds.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

import numpy as np

from dataflywheel.evolution.feedback.evaluate import Evaluate, score_rows
from dataflywheel.models.endpoint.account import account, client_for
from dataflywheel.models.endpoint.request import Request, Sampling
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row, table
from dataflywheel.store.answer_ledger import Caps
from dataflywheel.store.answers import AnswerStore

Mode = Literal["replace", "accumulate"]
MODES: tuple[Mode, ...] = ("replace", "accumulate")
LETTERS = 20, 240
"""Of an answer, at least and at most."""
UNSEEN = 300
LONGEST = 160
"""Tokens of a row."""


def people(data: Path, count: int) -> tuple[list[Row], list[Row]]:
    """Rows to begin with, and unseen ones."""
    with gzip.open(data / "dolly" / "dolly_pool.jsonl.gz", "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    fits = [r for r in records if not r.get("input") and LETTERS[0] <= len(r["output"]) <= LETTERS[1]]
    rows = [prompt_answer_row(r["instruction"], r["output"]) for r in fits[: count + UNSEEN]]
    return rows[:count], rows[count:]


def answered(model: Path, rows: list[Row], generation: int, seed: int, store: Path) -> list[Row]:
    """The rows with the model's own answers, drawn at temperature 1; empty ones are left out."""
    sampling = Sampling(temperature=1.0, max_tokens=96, seed=seed)
    asked = [Request.chat(str(row["messages"][0]["content"]), sampling=sampling, sample=generation) for row in rows]
    with account(AnswerStore(store), Caps()):
        replies = client_for(ModelSpec(hf=str(model))).ask(asked)
    pairs = zip(rows, replies, strict=True)
    return [prompt_answer_row(row["messages"][0]["content"], r.text) for row, r in pairs if (r.text or "").strip()]


def bits(model: Path, rows: list[Row]) -> float:
    """Bits a byte over all answers together."""
    scored = score_rows(
        LanguageModel.load(ModelSpec(hf=str(model))),
        table(rows),
        ["bits_per_byte"] * len(rows),
        [""] * len(rows),
        Evaluate(),
    )
    return scored.metric()


def generations(real: list[Row], unseen: list[Row], mode: Mode, seed: int, options: argparse.Namespace) -> list[float]:
    """Bits a byte of every generation's model; the first is trained on people's rows."""
    found, rows = [], list(real)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        tokenizer = pool_tokenizer([row["messages"] for row in real], cache_dir=place)
        untrained = init_tiny(tokenizer, "0.5m", seed=seed, cache_dir=place)
        for generation in range(options.generations + 1):
            settings = TrainSettings(max_steps=options.steps, learning_rate=4e-3, max_length=LONGEST, seed=seed)
            made = train_sft(table(rows), untrained, place / "student", settings).folder
            found.append(bits(made, unseen))
            print(f"{mode}, seed {seed}, generation {generation}: {found[-1]:.3f}", file=sys.stderr, flush=True)
            new = answered(made, real, generation, seed, place / "answers")
            rows = new if mode == "replace" else rows + new
            shutil.rmtree(made)
    return found


def main() -> str:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--generations", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    real, unseen = people(options.data, options.rows)
    lines = [
        f"Bits a byte on {len(unseen)} unseen answers of people, mean of {options.seeds} seeds, by generation (0: "
        f"trained on {len(real)} rows of people); every model is trained from nothing for {options.steps} steps.",
        "",
        f"| training set | {' | '.join(map(str, range(options.generations + 1)))} | last less first, by seed |",
        f"| --- |{' ---: |' * (options.generations + 1)} --- |",
    ]
    for mode in MODES:
        runs = np.array([generations(real, unseen, mode, seed, options) for seed in range(options.seeds)])
        change = ", ".join(f"{run[-1] - run[0]:+.3f}" for run in runs)
        lines.append(f"| {mode} | {' | '.join(f'{value:.3f}' for value in runs.mean(axis=0))} | {change} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
