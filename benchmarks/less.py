"""Processor seconds of LESS features beside a plain training pass of the same model over the same rows.

python benchmarks/less.py [--rows 192] [--tokens 256] [--size 5m] [--dimension 2048] [--epochs 3]
[--repeat 3]

The plain pass is forward and backward of the answers' loss with gradients of all weights and a step of AdamW, in
batches of as many padded tokens as the features are made in. The features are the whole signal: from messages to
projected, normalised float16, at every checkpoint, each of which costs one forward and backward pass through the
adapters. The warm-up is not counted: it trains on 5 % of a pool. One ratio is for a single checkpoint and one for all.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from dataflywheel.models.language.batching import batches
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.checkpoints import answer_batch, summed_loss
from dataflywheel.models.training.tiny import train_tiny
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.python_docs import python_docs
from dataflywheel.rows.schema import table
from dataflywheel.signals.model.gradient_projection import MAX_TOKENS, GradientProjection


def rows_of(count: int, letters: int) -> pa.Table:
    """Documentation texts run together, cut to so many letters, half of them the prompt."""
    text = " ".join(m["content"] for row in python_docs("pool") for m in row["messages"])
    parts = [text[i * letters : (i + 1) * letters] for i in range(count)]
    return table([prompt_answer_row(part[: letters // 2], part[letters // 2 :]) for part in parts])


def training_pass(base: LanguageModel, rows: pa.Table, tokens: int) -> None:
    """One epoch over the rows, every weight trained."""
    import torch

    linear = base.linear
    base.model.requires_grad_(True)
    optimizer = torch.optim.AdamW(base.model.parameters(), lr=1e-4, fused=True)
    encoded = base.encode(rows["messages"].to_pylist(), tokens)
    for width, part in batches([len(row.ids) for row in encoded], MAX_TOKENS):
        ids, wanted = answer_batch([encoded[i] for i in part], width, base.pad_id, base.model.device)
        (summed_loss(base, ids, wanted, linear) / wanted.sum()).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def seconds(work: Callable[[], object], repeat: int) -> float:
    """Of all processors together, the least of several goes: work of others hardly shows in it."""
    found = []
    for _ in range(repeat):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def main() -> str:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=192)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--size", default="5m")
    parser.add_argument("--dimension", type=int, default=2048)
    parser.add_argument("--epochs", type=int, default=GradientProjection.model_fields["epochs"].default)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    rows = rows_of(options.rows, 8 * options.tokens)
    batch = rows.combine_chunks().to_batches()[0]
    with tempfile.TemporaryDirectory() as folder:
        # Speed does not depend on how well the model is trained.
        made = train_tiny(rows["messages"].to_pylist(), options.size, tokens=4096, cache_dir=Path(folder))
        spec = ModelSpec(hf=str(made))
        start = GradientProjection(
            model=spec, dimension=options.dimension, epochs=options.epochs, max_length=options.tokens, seed=1
        )
        signal = start.prepared(lambda: rows.slice(0, 4), Path(folder))
        base = LanguageModel.load(spec)
        lengths = [len(row.ids) for row in base.encode(rows["messages"].to_pylist(), options.tokens)]
        signal.measure(batch.slice(0, 8))
        plain = seconds(lambda: training_pass(base, rows, options.tokens), options.repeat)
        features = seconds(lambda: signal.measure(batch), options.repeat)
    lines = [
        f"LESS features, {options.size} model, {options.rows} rows of {np.mean(lengths):.0f} tokens, dimension "
        f"{options.dimension}, {options.epochs} checkpoints",
        "",
        "| | processor seconds | times a plain training pass |",
        "| --- | ---: | ---: |",
        f"| plain training pass | {plain:.2f} | 1.00 |",
        f"| features, each checkpoint | {features / options.epochs:.2f} | {features / options.epochs / plain:.2f} |",
        f"| features, {options.epochs} checkpoints | {features:.2f} | {features / plain:.2f} |",
        "",
        f"For 10,000 such rows: {10_000 / options.rows * features / 60:.1f} minutes of one processor here.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(main())
