"""Dynamic selection beside plain training: RHO-loss, DoReMi, folding.

    python benchmarks/dynamic.py [rho doremi folding] [--seeds 5] [--steps 100]

`rho`: a pool of 3,000 rows with a skill to learn (repeat two words), the answers of three rows in ten swapped among
them; RHO-loss with a reference that was trained on 1,000 other, clean rows, beside uniform sampling. `doremi`: four
real sources of very different sizes, the weights that DoReMi finds beside proportional, tempered and equal shares, by
held-out loss. `folding`: one epoch over a real pool in folded, sorted and shuffled order, by a proxy's loss. Real data
lies in the folder FLYWHEEL_DATA, and is trained on for so many steps. Prints Markdown; less is better everywhere.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dataflywheel.contracts import Sampler
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.reference import reference_losses
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import TrainResult, train_sft
from dataflywheel.recipe.comparing.scoreboard import mean_interval
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.ingest import read_file
from dataflywheel.rows.schema import table
from dataflywheel.selection.dynamic.doremi import DoReMi
from dataflywheel.selection.dynamic.in_order import InOrder
from dataflywheel.selection.dynamic.mixture import Mixture
from dataflywheel.selection.dynamic.rho_loss import RhoLoss
from dataflywheel.selection.static.delt_folding import folded

DATA = Path(os.environ.get("FLYWHEEL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
TARGET = 0.5
"""Validation loss (nats a token) that is to be reached on the planted skill."""
EVERY = 20
SOURCES = {"dolly": "dolly_pool", "code_alpaca": "code_alpaca_2k", "medquad": "medquad", "gsm8k": "train"}
SIZES = {"dolly": 2400, "code_alpaca": 1200, "medquad": 300, "gsm8k": 100}
HELD_OUT = 100
REAL = TrainSettings(batch_size=16, max_length=128, learning_rate=6e-3, dtype="float32")


def validation_loss(folder: Path, rows: pa.Table, max_length: int = 1024) -> float:
    """Nats a token over all answers of `rows`."""
    model = LanguageModel.load(ModelSpec(hf=str(folder)))
    scores = model.answer_scores(model.encode(rows["messages"].to_pylist(), max_length))
    return float(np.nansum(scores.total) / scores.tokens.sum())


def copied(count: int, seed: int, swapped: float = 0.0) -> tuple[pa.Table, list[int]]:
    """Rows that ask to repeat two words, and the positions of those that got another's answer."""
    draw = random.Random(seed)
    words = [head + tail for head in ("am", "bas", "ced", "del", "fj", "gr", "haz", "jad") for tail in ("ber", "il")]
    answers = [" ".join(draw.sample(words, 2)) for _ in range(count)]
    prompts = [f"repeat {answer}" for answer in answers]
    wrong = draw.sample(range(count), round(swapped * count))
    given = [answers[i] for i in wrong]
    for i, answer in zip(wrong, given[1:] + given[:1], strict=True):
        answers[i] = answer
    return table([prompt_answer_row(*pair) for pair in zip(prompts, answers, strict=True)]), wrong


@dataclass
class Curve:
    """Validation loss by step, read from the checkpoints while the model is trained."""

    output: Path
    rows: pa.Table
    losses: dict[int, float]

    def __call__(self, step: int, steps: int, loss: float) -> None:
        done = step - 1
        if done and done % EVERY == 0:
            (folder,) = self.output.parent.glob(f".{self.output.name}.checkpoints-*/checkpoint-{done}")
            self.losses[done] = validation_loss(folder, self.rows)

    def reached(self) -> float:
        return min((step for step, loss in self.losses.items() if loss <= TARGET), default=float("inf"))


def rho(seeds: int, _: int, home: Path) -> str:
    clean, valid = copied(1000, 1)[0], copied(200, 2)[0]
    tokenizer = pool_tokenizer(clean["messages"].to_pylist(), cache_dir=home)
    settings = TrainSettings(
        max_steps=20 * EVERY + 1, batch_size=32, learning_rate=3e-3, scheduler="constant_with_warmup",
        save_steps=EVERY, dtype="float32",
    )  # fmt: skip
    start = init_tiny(tokenizer, "1m", seed=100, cache_dir=home)
    reference = train_sft(clean, start, home / "reference", settings.model_copy(update={"seed": 100})).folder
    arms: dict[str, Sampler] = {"uniform": Mixture(), "RHO-loss": RhoLoss(ratio=0.25)}
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in arms}
    for seed in range(seeds):
        rows, wrong = copied(3000, 10 + seed, 0.3)
        known = reference_losses(rows, reference, settings.max_length)
        start = init_tiny(tokenizer, "1m", seed=seed, cache_dir=home)
        for name, sampler in arms.items():
            output = home / f"{name}-{seed}"
            curve = Curve(output, valid, {})
            taught = settings.model_copy(update={"seed": seed})
            made = train_sft(rows, start, output, taught, progress=curve, sampler=sampler, reference=known)
            found[name].append((noise(made, wrong), curve.reached(), curve.losses[20 * EVERY], *passes(made)))
    lines = [
        f"### RHO-loss: three answers in ten swapped, {seeds} seeds, {20 * EVERY} steps of 32 rows\n",
        f"| sampler | swapped among the rows seen | steps to {TARGET} nats | validation loss at the end "
        "| tokens trained on | tokens of candidates |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, runs in found.items():
        share, sooner, last, trained, candidates = (list(column) for column in zip(*runs, strict=True))
        reached = ", ".join(f"{one:g}" if np.isfinite(one) else "never" for one in sooner)
        lines.append(
            f"| {name} | {np.mean(share):.1%} | {reached} | {np.mean(last):.3f} | {np.mean(trained):,.0f} "
            f"| {np.mean(candidates):,.0f} |"
        )
    return "\n".join(lines)


def noise(made: TrainResult, wrong: Sequence[int]) -> float:
    assert made.seen is not None
    return float(made.seen[list(wrong)].sum() / made.seen.sum())


def passes(made: TrainResult) -> tuple[float, float]:
    return made.tokens, made.candidates_tokens


def real_rows(source: str) -> list[dict[str, Any]]:
    (path,) = (DATA / source).glob(f"{SOURCES[source]}.jsonl.gz")
    return [{**row, "source": source} for row in read_file(str(path))[0].to_pylist()]


def doremi(seeds: int, steps: int, home: Path) -> str:
    held: dict[str, pa.Table] = {}
    pool: list[Any] = []
    for source, size in SIZES.items():
        rows = real_rows(source)
        random.Random(0).shuffle(rows)
        held[source] = table(rows[:HELD_OUT])  # type: ignore[arg-type]
        pool += rows[HELD_OUT : HELD_OUT + size]
    rows = table(pool)
    tokenizer = pool_tokenizer(rows["messages"].to_pylist(), cache_dir=home)
    losses: dict[str, list[dict[str, float]]] = {}
    weights: list[dict[str, float]] = []
    for seed in range(seeds):
        start = init_tiny(tokenizer, "0.5m", seed=seed, cache_dir=home)
        train = trainer(rows, start, home, seed, steps)
        proportional = train("proportional", Mixture()).folder
        known = reference_losses(rows, proportional, REAL.max_length)
        weights.append(train("proxy", DoReMi(), reference=known).sampler["weights"])
        train("DoReMi", Mixture(weights=weights[-1]))
        train("temperature 2", Mixture(temperature=2))
        train("equal", Mixture(temperature=1e9))
        for name in ("proportional", "temperature 2", "equal", "DoReMi"):
            folder = home / f"{name}-{seed}"
            by_source = {s: validation_loss(folder, of, REAL.max_length) for s, of in held.items()}
            losses.setdefault(name, []).append(by_source)
    mean = {source: np.mean([one[source] for one in weights]) for source in SIZES}
    head = " | ".join(f"{source} ({size:,})" for source, size in SIZES.items())
    lines = [
        f"### DoReMi: weights of sources, {seeds} seeds, {steps} steps, held-out nats a token\n",
        f"| shares | {head} | mean | mean against proportional |",
        "| --- |" + " ---: |" * (len(SIZES) + 2),
    ]
    plain = np.array([list(one.values()) for one in losses["proportional"]])
    for name, runs in losses.items():
        values = np.array([list(one.values()) for one in runs])
        cells = " | ".join(f"{value:.3f}" for value in values.mean(axis=0))
        lines.append(f"| {name} | {cells} | {values.mean():.3f} | {difference(values.mean(1) - plain.mean(1))} |")
    lines.append("\nDoReMi's weights: " + ", ".join(f"{source} {value:.1%}" for source, value in mean.items()) + ".")
    return "\n".join(lines)


def trainer(rows: pa.Table, start: Path, home: Path, seed: int, steps: int) -> Callable[..., TrainResult]:
    """Trains `rows` under a name, with a sampler."""

    def train(name: str, sampler: Sampler | None, **more: Any) -> TrainResult:
        settings = REAL.model_copy(update={"seed": seed, "max_steps": steps})
        return train_sft(rows, start, home / f"{name}-{seed}", settings, sampler=sampler, **more)

    return train


def difference(values: Sequence[float]) -> str:
    """A mean with its interval, and nothing where there is nothing to compare."""
    if not np.any(values):
        return ""
    found = mean_interval(values)
    return f"{found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f})"


def folding(seeds: int, steps: int, home: Path) -> str:
    rows = table(real_rows("dolly"))  # type: ignore[arg-type]
    rows, valid = rows.slice(0, REAL.batch_size * steps), rows.slice(len(rows) - 200)
    tokenizer = pool_tokenizer(rows["messages"].to_pylist(), cache_dir=home)
    start = init_tiny(tokenizer, "0.5m", seed=100, cache_dir=home)
    proxy = trainer(rows, start, home, 100, steps)("proxy", None).folder
    known = reference_losses(rows, proxy, REAL.max_length)
    score = np.array([known[id].mean() if id in known else np.inf for id in rows["id"].to_pylist()])
    ascending = np.argsort(score, kind="stable")
    arms = {"folded": folded(len(rows), 3), "sorted": folded(len(rows), 1), "shuffled": None}
    losses: dict[str, list[float]] = {name: [] for name in arms}
    for seed in range(seeds):
        start = init_tiny(tokenizer, "0.5m", seed=seed, cache_dir=home)
        for name, places in arms.items():
            order = np.random.default_rng(seed).permutation(len(rows)) if places is None else ascending[places]
            made = trainer(rows.take(pa.array(order)), start, home, seed, steps)(name, InOrder())
            losses[name].append(validation_loss(made.folder, valid, REAL.max_length))
    lines = [
        f"### Folding: one epoch over {len(rows):,} rows by a proxy's loss, three folds, {seeds} seeds\n",
        "| order | held-out nats a token | against shuffled |",
        "| --- | ---: | ---: |",
    ]
    shuffled = np.array(losses["shuffled"])
    lines += [f"| {n} | {np.mean(v):.3f} | {difference(np.array(v) - shuffled)} |" for n, v in losses.items()]
    return "\n".join(lines)


PARTS: dict[str, Callable[[int, int, Path], str]] = {"rho": rho, "doremi": doremi, "folding": folding}


def main() -> str:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100)
    given = parser.parse_args()
    tables = []
    for part in given.parts:
        with tempfile.TemporaryDirectory() as home:
            tables.append(PARTS[part](given.seeds, given.steps, Path(home)))
    return "\n\n".join(tables)


if __name__ == "__main__":
    print(main())
