"""Tokens a second of likelihood scoring beside bare forward passes of the same model over the same rows.

python benchmarks/likelihood.py POOL.parquet [--rows 2000] [--size 1m] [--repeat 3]

The bare loop is handed ready tokens, sorted by length and padded, and calls the model's own `forward` twice a row: on
prompt and answer, and on the answer after its header. It computes no loss. The signal starts from messages: it renders
and tokenises them, scores both losses, entropy and margin. Tokens are those that both read, padding not counted.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dataflywheel.models.language.language_model import MAX_TOKENS, LanguageModel, shared_model
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import train_tiny
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import table
from dataflywheel.signals.model.likelihood import Likelihood


def rows_of(path: Path, count: int) -> pa.RecordBatch:
    """Instruction, input and output columns as rows."""
    wanted = pq.read_table(path).slice(0, count).to_pylist()
    rows = [prompt_answer_row("\n\n".join(filter(None, (r["instruction"], r["input"]))), r["output"]) for r in wanted]
    return pa.RecordBatch.from_struct_array(table(rows).to_struct_array().combine_chunks())


def bare(model: LanguageModel, sequences: list[list[int]]) -> None:
    """Length-sorted padded forward passes with full logits, as a plain loop would make them."""
    import torch

    ordered = sorted(sequences, key=len, reverse=True)
    start = 0
    with torch.inference_mode():
        while start < len(ordered):
            width = len(ordered[start])
            part = ordered[start : start + max(1, MAX_TOKENS // width)]
            ids = torch.tensor([ids + [model.pad_id] * (width - len(ids)) for ids in part])
            mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in part])
            model.model(input_ids=ids, attention_mask=mask, use_cache=False)
            start += len(part)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--size", default="1m")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    batch = rows_of(options.pool, options.rows)
    with tempfile.TemporaryDirectory() as folder:
        messages = batch.column("messages").to_pylist()
        # Speed does not depend on how well the model is trained.
        spec = ModelSpec(hf=str(train_tiny(messages, options.size, tokens=4096, cache_dir=Path(folder))))
        model, signal = shared_model(spec), Likelihood(model=spec)
        encoded = [row for row in model.encode(messages, signal.max_length) if row.ids]
        sequences = [row.sequence(alone)[0] for alone in (False, True) for row in encoded]
        tokens = sum(map(len, sequences))
        seconds: dict[str, list[float]] = {"likelihood signal": [], "bare forward passes": []}
        memory: dict[str, float] = {}
        signal.measure(batch.slice(0, 64))
        for _ in range(options.repeat):
            # The signal first: peak memory only grows, and the plain loop's full logits take more.
            for name, work in (
                ("likelihood signal", lambda: signal.measure(batch)),
                ("bare forward passes", lambda: bare(model, sequences)),
            ):
                began = time.perf_counter()
                work()
                seconds[name].append(time.perf_counter() - began)
                memory.setdefault(name, peak_mb())
    best = {name: tokens / min(times) for name, times in seconds.items()}
    print(f"\n{len(encoded):,} rows, {tokens:,} tokens in two passes, {options.size} model, best of {options.repeat}\n")
    print("| what | tokens/s | share of bare | peak memory so far, MB |")
    print("| --- | ---: | ---: | ---: |")
    for name, speed in best.items():
        print(f"| {name} | {speed:,.0f} | {speed / best['bare forward passes']:.2f} | {memory[name]:,.0f} |")


if __name__ == "__main__":
    main()
