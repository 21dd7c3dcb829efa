"""RDS+ on P3 with four task families as targets, against random choice of as many rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from dataflywheel.contracts import Columns, FloatArray
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import train_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.models.training.training import train_sft
from dataflywheel.selection.static.random import Random
from dataflywheel.selection.static.rds_plus import RDSPlus
from dataflywheel.signals.model.hidden_state import HiddenState
from tests.models.copy_skill import conversation
from tests.selection.columns import generator
from tests.signals.rows import batch_of

FAMILIES = ("sciq", "quartz", "gigaword", "dbpedia")
POOL, WANTED, HELD_OUT = 3000, 12, 60
"""Rows of the pool, and of each family in the target and in the final evaluation."""
KEEP = POOL // 20
SEEDS = 5


def interval(values: list[float]) -> tuple[float, float, float]:
    """Mean and 95 % interval of Student's t over seeds."""
    from scipy.stats import t

    found = np.array(values)
    half = t.ppf(0.975, len(found) - 1) * found.std(ddof=1) / np.sqrt(len(found))
    return float(found.mean()), float(found.mean() - half), float(found.mean() + half)


def conversations(data: Path) -> tuple[list[Any], Any]:
    """Short rows in random order, and the family of each."""
    rows = pq.read_table(data / "p3_multitask" / "t0_train.parquet").to_pylist()
    short = [r for r in rows if len(r["prompt"]) < 500 and 0 < len(r["completion"]) < 200]
    chosen = [short[i] for i in generator(0).permutation(len(short))]
    pairs = [conversation(r["prompt"], r["completion"].removesuffix("<|endoftext|>")) for r in chosen]
    return pairs, np.array([r["template"].split("_")[0] for r in chosen])


def columns_of(model: ModelSpec, rows: list[Any], names: list[str]) -> Columns:
    found = HiddenState(model=model, max_length=192).measure(batch_of(rows))
    vectors = np.array(found["vector"].to_pylist(), dtype=np.float32)
    return Columns(np.array(names), {"hidden_state.vector": vectors})


def bits_per_byte(folder: Path, rows: list[Any]) -> float:
    model = LanguageModel.load(ModelSpec(hf=str(folder)))
    nats = model.answer_scores(model.encode(rows, 192)).total
    return float(nats.sum() / np.log(2) / sum(len(row[1]["content"].encode()) + 1 for row in rows))


@pytest.mark.slow
def test_rds_plus_beats_random_at_five_percent(data: Path, tmp_path: Path) -> None:
    rows, family = conversations(data)
    named = [np.flatnonzero(family == name) for name in FAMILIES]
    held_out = [rows[i] for members in named for i in members[:HELD_OUT]]
    spare = [members[HELD_OUT : HELD_OUT + SEEDS * WANTED] for members in named]
    used = {int(i) for members in named for i in members[: HELD_OUT + SEEDS * WANTED]}
    pool = np.array([i for i in range(len(rows)) if i not in used][:POOL])
    pool_rows, right = [rows[i] for i in pool], np.isin(family[pool], FAMILIES)
    scorer = train_tiny(pool_rows, "0.5m", tokens=250_000)
    columns = columns_of(ModelSpec(hf=str(scorer)), pool_rows, [f"r{i:05d}" for i in range(POOL)])

    shares: list[FloatArray] = []
    losses: list[FloatArray] = []
    for seed in range(SEEDS):
        wanted = [members[seed * WANTED : (seed + 1) * WANTED] for members in spare]
        target = columns_of(
            ModelSpec(hf=str(scorer)), [rows[i] for m in wanted for i in m], [f"t{i:03d}" for i in range(4 * WANTED)]
        )
        target.values["row.slice"] = np.repeat(FAMILIES, WANTED)
        columns.target = target
        orders = [method.rank(columns, KEEP, generator(seed)).order[:KEEP] for method in (RDSPlus(), Random())]
        shares.append(np.array([right[order].mean() for order in orders]))
        settings = TrainSettings(epochs=3, learning_rate=2e-3, batch_size=8, max_length=192, seed=seed)
        folders = [tmp_path / f"{name}-{seed}" for name in ("rds", "random")]
        for order, folder in zip(orders, folders, strict=True):
            train_sft([pool_rows[i] for i in order], scorer, folder, settings)
        losses.append(np.array([bits_per_byte(folder, held_out) for folder in folders]))

    share = interval([float(a - b) for a, b in shares])
    gain = interval([float(b - a) for a, b in losses])
    means = [*np.mean(shares, axis=0), *np.mean(losses, axis=0)]
    print("\nright family: RDS+ {:.3f}, random {:.3f}; bits a byte: RDS+ {:.3f}, random {:.3f}".format(*means))
    print(f"gains with 95 % intervals: share {share}, bits a byte {gain}")
    assert share[1] > 0
    assert gain[1] > 0
