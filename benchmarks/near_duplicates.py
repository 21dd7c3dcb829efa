"""Near-duplicate removal end to end (texts in, kept rows out): this package beside datasketch and rensa.

50,000 rows: p3_multitask and copies of its rows with 3% of the words changed; 128 permutations over word 3-grams,
threshold 0.8. datasketch and rensa get the 3-grams from Python, as in their documentation; rensa runs as its streaming
deduplicator and as its fastest batch pipeline (rho, which samples tokens). Neither verifies a pair by its true Jaccard.
Imports and compilation are not counted (the first run ever compiles for about 15 seconds, later ones read the machine
code from disk).

    python benchmarks/near_duplicates.py [--rows 50000] [--repeats 3] [--data FOLDER]
"""

from __future__ import annotations

import argparse
import os
import random
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from side_by_side import Contestant, measure, report, run

THRESHOLD, PERMUTATIONS = 0.8, 128
DATA = Path(os.environ.get("FLYWHEEL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
WARM_UP = ["warm up the compiled loops", "with a few words", "warm up the compiled loops"]


def pool(folder: Path, rows: int) -> list[str]:
    """Rows of p3_multitask, and as many edited copies of random ones as are lacking."""
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "p3_multitask" / "t0_train.parquet").slice(0, rows * 7 // 8)
    texts = [f"{p}\n\n{c}" for p, c in zip(table["prompt"].to_pylist(), table["completion"].to_pylist(), strict=True)]
    rng = random.Random(0)
    for text in rng.choices(texts, k=rows - len(texts)):
        words = text.split(" ")
        for place in rng.sample(range(len(words)), max(1, round(0.03 * len(words)))):
            words[place] = f"edit{rng.randrange(10**6)}"
        texts.append(" ".join(words))
    rng.shuffle(texts)
    return texts


def shingles(text: str) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return list({" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))})


def with_dataflywheel(texts: Sequence[str]) -> list[bool]:
    from dataflywheel.enhancement.preparation.near_copies import near_duplicates

    kept: list[bool] = near_duplicates(texts, THRESHOLD).kept.tolist()
    return kept


def with_datasketch(texts: Sequence[str]) -> list[bool]:
    from datasketch import MinHash, MinHashLSH

    index, kept = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS), []
    for i, text in enumerate(texts):
        signature = MinHash(num_perm=PERMUTATIONS)
        signature.update_batch([shingle.encode() for shingle in shingles(text)])
        kept.append(not index.query(signature))
        if kept[-1]:
            index.insert(i, signature)
    return kept


def with_rensa(texts: Sequence[str]) -> list[bool]:
    from rensa import RMinHashDeduplicator

    found = RMinHashDeduplicator(threshold=THRESHOLD, num_perm=PERMUTATIONS, use_lsh=True)
    return list(found.add_pairs((str(i), shingles(text)) for i, text in enumerate(texts)))


def with_rensa_batch(texts: Sequence[str]) -> list[bool]:
    """Flags of its batch pipeline, which mark all members of a group of duplicates, first ones included."""
    from rensa import RMinHash, RMinHashLSH

    matrix = RMinHash.digest_matrix_from_token_sets_rho([shingles(text) for text in texts], PERMUTATIONS, 42)
    index = RMinHashLSH(THRESHOLD, PERMUTATIONS, 8)
    return [not flag for flag in index.query_duplicate_flags_matrix_one_shot(matrix)]


def contestant(package: str, work: Any) -> Contestant:
    return Contestant(package, lambda: work(WARM_UP), work)


CONTESTANTS = {
    "dataflywheel": contestant("dataflywheel", with_dataflywheel),
    "datasketch": contestant("datasketch", with_datasketch),
    "rensa": contestant("rensa", with_rensa),
    "rensa, batch": contestant("rensa", with_rensa_batch),
}


def verified(texts: Sequence[str], kept: Sequence[int], sample: int = 300) -> str:
    """Of a random sample of dropped rows, the share that is truly a copy (Jaccard >= threshold) of a kept row."""
    sets = [frozenset(shingles(text)) for text in texts]
    holders: dict[str, list[int]] = {}
    for i in kept:
        for shingle in sets[i]:
            holders.setdefault(shingle, []).append(i)
    dropped = sorted(set(range(len(texts))) - set(kept))
    chosen = random.Random(1).sample(dropped, min(sample, len(dropped)))
    copies = 0
    for i in chosen:
        near = {j for shingle in sets[i] for j in holders.get(shingle, ())}
        copies += any(len(sets[i] & sets[j]) >= THRESHOLD * len(sets[i] | sets[j]) for j in near)
    return f"{copies / max(len(chosen), 1):.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", choices=list(CONTESTANTS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    make = partial(pool, given.data, given.rows)
    if given.only:
        return measure(CONTESTANTS[given.only], make)
    arguments = ["--rows", str(given.rows), "--data", str(given.data)]
    results = run(Path(__file__), list(CONTESTANTS), arguments, given.repeats)
    texts = make()
    share = {name: {"dropped rows that are true copies": verified(texts, r["kept"])} for name, r in results.items()}
    packages = {name: c.package for name, c in CONTESTANTS.items()}
    report(f"Near-duplicates among {len(texts):,} rows", results, packages, share)
    return None


if __name__ == "__main__":
    main()
