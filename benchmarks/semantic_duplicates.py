"""Semantic duplicates among the same vectors: this package (cells, and all pairs) beside semhash.

50,000 unit vectors of width 256, float32: a seeded mixture around 300 centres, a tenth of the rows close to another row
(as real duplicates are). Keep-first at cosine 0.9. Imports and compilation are not counted.

    python benchmarks/semantic_duplicates.py [--rows 50000] [--repeats 3]
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from side_by_side import Contestant, measure, report, run

THRESHOLD, WIDTH, CENTRES = 0.9, 256, 300


def pool(rows: int) -> Any:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CENTRES, WIDTH))
    vectors = centres[rng.integers(0, CENTRES, rows)] + 0.9 * rng.normal(size=(rows, WIDTH))
    copies, origins = np.split(rng.permutation(rows)[: 2 * (rows // 10)], 2)
    noise = rng.uniform(0.1, 0.7, (len(copies), 1)) * rng.normal(size=(len(copies), WIDTH))
    vectors[copies] = vectors[origins] + noise
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def with_cells(vectors: Any) -> list[bool]:
    from dataflywheel.enhancement.preparation.semantic_copies import semantic_duplicates

    kept: list[bool] = semantic_duplicates(vectors, THRESHOLD, exact_below=0).kept.tolist()
    return kept


def with_all_pairs(vectors: Any) -> list[bool]:
    from dataflywheel.enhancement.preparation.semantic_copies import semantic_duplicates

    kept: list[bool] = semantic_duplicates(vectors, THRESHOLD, exact_below=len(vectors) + 1).kept.tolist()
    return kept


class Given:
    """semhash asks for an encoder; the vectors are there already."""

    def encode(self, inputs: Any, **_: Any) -> Any:
        raise AssertionError("vectors are given")


def with_semhash(vectors: Any) -> list[bool]:
    from semhash import SemHash

    names = [str(i) for i in range(len(vectors))]
    found = SemHash.from_embeddings(vectors, names, model=Given()).self_deduplicate(threshold=THRESHOLD)
    kept = {str(name) for name in found.selected}
    return [name in kept for name in names]


def contestant(package: str, work: Any) -> Contestant:
    return Contestant(package, lambda: work(pool(400)), work)


CONTESTANTS = {
    "dataflywheel": contestant("dataflywheel", with_cells),
    "dataflywheel, all pairs": contestant("dataflywheel", with_all_pairs),
    "semhash": contestant("semhash", with_semhash),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", choices=list(CONTESTANTS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        return measure(CONTESTANTS[given.only], partial(pool, given.rows))
    results = run(Path(__file__), list(CONTESTANTS), ["--rows", str(given.rows)], given.repeats)
    everything = set(range(given.rows))
    exact = everything - set(results["dataflywheel, all pairs"]["kept"])
    recall = {
        name: {"recall of all-pairs result": f"{len(exact - set(found['kept'])) / len(exact):.4f}"}
        for name, found in results.items()
    }
    packages = {name: c.package for name, c in CONTESTANTS.items()}
    report(f"Semantic duplicates among {given.rows:,} x {WIDTH} vectors", results, packages, recall)
    return None


if __name__ == "__main__":
    main()
