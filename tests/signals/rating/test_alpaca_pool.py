"""Grades on real rows: what a grader's recorded flags, and length alone, are worth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import rankdata

from dataflywheel.contracts import AnyArray, Columns
from dataflywheel.models.endpoint.request import Request
from dataflywheel.selection.static.rated import Rated
from dataflywheel.signals.rating.alpagasus import AlpaGasus
from tests.models.endpoint.fake import FakeClient, parts_of
from tests.signals.rating.support import MODEL, plain, rows


def area(score: AnyArray, good: AnyArray) -> float:
    """Area under the curve: how often a good row's score is above a bad row's, ties half."""
    ranks = rankdata(score)
    n = int(good.sum())
    return float((ranks[good].sum() - n * (n + 1) / 2) / (n * (len(good) - n)))


def test_a_grader_with_the_recorded_opinion_beats_length(data: Path) -> None:
    pool = pq.read_table(data / "alpaca_pool" / "alpaca_pool.parquet").to_pylist()
    pool = [row for row in pool if row["in_random_9k"] and row["output"].strip()]
    pairs = ["\n\n".join(filter(None, (row["instruction"], row["input"]))) for row in pool]
    batch = rows(*((prompt, row["output"]) for prompt, row in zip(pairs, pool, strict=True)))
    good = np.array([row["claude_accuracy_ge_4_5"] for row in pool])
    length = np.array([len(row["output"]) for row in pool])
    flag = {(prompt, row["output"]): bool(g) for prompt, row, g in zip(pairs, pool, good, strict=True)}
    rng = np.random.default_rng(0)

    def grader(request: Request) -> str:
        """The recorded side of 4.5 in nine of ten cases."""
        parts = parts_of(request)
        side = flag[parts["instruction"], parts["answer"]] == (rng.random() < 0.9)
        return f"{rng.choice([4.5, 5.0] if side else [2.0, 3.0, 3.5, 4.0]):g}\nBecause."

    found = plain(AlpaGasus(model=MODEL).measure_with(FakeClient(grader), batch))
    score = np.array(found["score"])
    by_grade, by_length = area(score, good), area(length, good)
    print(f"\n{len(pool)} rows, {good.mean():.1%} graded 4.5 or more; area under the curve: "
          f"planted grades {by_grade:.3f}, answer length alone {by_length:.3f}")  # fmt: skip
    assert by_grade > 0.85 > by_length
    columns = Columns(np.array(batch["id"].to_pylist()), {"alpagasus.score": score})
    kept = Rated(at_least=4.5).rank(columns, len(pool), rng).order
    assert set(kept.tolist()) == set(np.flatnonzero(score >= 4.5).tolist())
