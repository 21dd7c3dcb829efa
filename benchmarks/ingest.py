"""Rows a second and peak memory of reading chats, beside `datasets` and `polars`, on the same files in the same run.

    python benchmarks/ingest.py [ROWS ...]

Prints a Markdown table, and one of this package alone on other shapes of record. Ours reads jsonl, gives each row its
identity, merges equal rows and writes canonical parquet; the peers (`datasets.load_dataset("json")`, then `to_parquet`;
`polars.scan_ndjson`, then `sink_parquet`) neither identify nor merge.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson

WORDS = 74
TURNS = 24


def spelled(shape: str, question: str, answer: str) -> dict[str, object]:
    """A record of one turn each."""
    if shape == "sharegpt":
        return {"conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]}
    if shape == "alpaca":
        return {"instruction": question, "input": "", "output": answer}
    if shape == "question_answer":
        return {"question": question, "answer": answer}
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def generate(path: Path, rows: int, shape: str = "messages") -> None:
    """Chats of about 600 bytes, one in a hundred a copy of an earlier one."""
    rng = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = ["".join(rng.choices(letters, k=rng.randint(2, 10))) for _ in range(20_000)]
    line = b""
    with path.open("wb") as file:
        for i in range(rows):
            if i % 100 != 99:
                words = rng.choices(vocabulary, k=WORDS)
                question, answer = " ".join(words[:TURNS]), " ".join(words[TURNS:])
                line = orjson.dumps(spelled(shape, question, answer)) + b"\n"
            file.write(line)


def ours(path: Path, folder: Path) -> int:
    from dataflywheel.rows.ingest import Input, ingest

    result = ingest([Input(str(path))], folder / "rows")
    return result.rows + result.merged


def with_datasets(path: Path, folder: Path) -> int:
    import datasets

    rows = datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(folder / "cache"), num_proc=os.cpu_count()
    )
    rows.to_parquet(str(folder / "rows.parquet"))
    return len(rows)


def with_polars(path: Path, folder: Path) -> int:
    import polars

    polars.scan_ndjson(path).sink_parquet(folder / "rows.parquet", compression="zstd", compression_level=1)
    return int(polars.scan_parquet(folder / "rows.parquet").select(polars.len()).collect().item())


ENGINES = {"dataflywheel": ours, "datasets": with_datasets, "polars": with_polars}


def measure(engine: str, path: Path, folder: Path) -> None:
    """Run in a process of its own, so that peaks are its own: rows, seconds, processor seconds with those of its
    children, MB of itself and of its largest child."""
    folder.mkdir()
    start, before = time.perf_counter(), time.process_time()
    rows = ENGINES[engine](path, folder)
    seconds = time.perf_counter() - start
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in used) - before
    print(rows, seconds, cpu, *(one.ru_maxrss / 1024 for one in used))


def run(engine: str, path: Path, folder: Path, rows: int) -> tuple[float, str]:
    """Rows a second of one engine in a process of its own, and the cells of its seconds, rows, processor and peaks."""
    command = [sys.executable, __file__, "--measure", engine, str(path), str(folder)]
    environment = {**os.environ, "HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    count, seconds, cpu, main_peak, child_peak = map(float, done.stdout.split()[-5:])
    assert count == rows, f"{engine} read {count:.0f} of {rows} rows"
    return rows / seconds, f"{seconds:.1f} | {rows / seconds:,.0f} | {cpu:.1f} | {main_peak:,.0f} | {child_peak:,.0f}"


COLUMNS = "seconds | rows/s | CPU seconds | peak MB, main process | peak MB, largest worker |"


def main(sizes: list[int]) -> None:
    print(f"Reading chats of jsonl on {os.cpu_count()} cores:\n")
    print(f"| rows | engine | {COLUMNS} ratio |")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chats.jsonl"
            generate(path, rows)
            rates = {}
            for engine in ENGINES:
                rates[engine], cells = run(engine, path, Path(folder) / engine, rows)
                print(f"| {rows:,} | {engine} | {cells} | {rates[engine] / rates['dataflywheel']:.2f} |", flush=True)
    print(f"\nOther shapes, dataflywheel:\n\n| rows | shape | {COLUMNS}")
    print("| ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for shape in ("messages", "sharegpt", "alpaca", "question_answer"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "records.jsonl"
            generate(path, min(sizes), shape)
            cells = run("dataflywheel", path, Path(folder) / "ours", min(sizes))[1]
            print(f"| {min(sizes):,} | {shape} | {cells} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main([int(size) for size in sys.argv[1:]] or [100_000, 1_000_000])
