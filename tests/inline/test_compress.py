"""`compress`: a smaller model that is taught and measured; what cannot be done is said before anything is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dataflywheel as fw
from dataflywheel.distillation.joint import pruning
from dataflywheel.distillation.joint.blocks import blocks_of
from dataflywheel.distillation.joint.pruning import prune
from dataflywheel.evolution.metrics.bits_per_byte import BitsPerByte
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import train_tiny
from dataflywheel.rows.python_docs import python_docs
from dataflywheel.rows.schema import Row, table
from tests.recipe.jobs import write_pool
from tests.support.command import flywheel


def docs(start: int, n: int, step: int = 6) -> list[Row]:
    return [row for row in python_docs("pool") if 80 < len(row["messages"][1]["content"]) < 600][start::step][:n]


@pytest.fixture(scope="module")
def trained() -> Path:
    return train_tiny([row["messages"] for row in docs(3, 400)], "0.5m", tokens=40_000)


def test_it_is_pruned_taught_and_measured(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [
        {"prompt": row["messages"][0]["content"], "completion": row["messages"][1]["content"]} for row in docs(0, 260)
    ]
    found = fw.compress(
        trained, 0.8, rows, output="small", settings={"epochs": 1.0, "max_length": 96, "batch_size": 32}
    )
    whole, pruned, taught = found.sizes
    assert (whole.name, pruned.name, taught.name) == ("whole", "pruned", "taught")
    assert pruned.weights == taught.weights == found.pruned.weights_after <= 0.8 * whole.weights
    assert pruned.bits_per_byte > taught.bits_per_byte
    assert pruned.bits_per_byte > whole.bits_per_byte
    assert (found.rows_measured, found.rows_shared) == (26, 0)
    assert taught.bytes < whole.bytes
    small = LanguageModel.load(ModelSpec(hf="small"))
    assert small.parameters == taught.weights
    assert json.loads(Path("small/pruned.json").read_text())["to"] == 0.8
    again = fw.compress(
        trained, 0.8, rows, output="small", settings={"epochs": 1.0, "max_length": 96, "batch_size": 32}
    )
    assert [one.bits_per_byte for one in again.sizes] == [one.bits_per_byte for one in found.sizes]
    assert json.dumps(again.as_dict())


def test_rows_that_are_measured_teach_nothing(trained: Path, tmp_path: Path) -> None:
    rows = [{"prompt": f"What is {i}?", "completion": f"The number {i}."} for i in range(40)]
    asked = [{"prompt": "What is 3?", "completion": "Three."}, {"prompt": "What is 400?", "completion": "A number."}]
    found = fw.compress(trained, 0.8, rows, output=tmp_path / "s", target=asked, recover="nothing", home=tmp_path)
    assert (found.rows_measured, found.rows_shared) == (2, 1)


def test_the_command_prunes_without_rows(trained: Path, tmp_path: Path) -> None:
    asked = ["compress", str(trained), "--to", "85%", "--by", "magnitude", "--no-recover", "--out", "bare"]
    done = flywheel(*asked, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "What it is worth was not measured" in done.stdout
    assert "kept by magnitude" in done.stdout
    told = json.loads(flywheel(*asked, "--json", folder=tmp_path).stdout)
    assert told["pruned"]["share"] <= 0.85
    assert LanguageModel.load(ModelSpec(hf=str(tmp_path / "bare"))).parameters == told["sizes"][1]["weights"]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--to", "150%"], "expected a share of the weights"),
        (["--to", "much"], "expected a share of the weights"),
        (["--to", "80%"], "taught by rows"),
        (["--to", "80%", "--by", "taylr", "--no-recover"], "did you mean 'taylor'"),
        (["--to", "80%", "--by", "taylor", "--no-recover"], "no row to measure on"),
        (["--to", "1%", "--by", "magnitude", "--no-recover"], "cannot be had"),
        (["--to", "80%", "--by", "magnitude", "--no-recover", "--out", "pool.jsonl"], "is no pruned model"),
        (["--to", "80%", "--data", "nowhere.jsonl"], "nowhere.jsonl"),
    ],
)
def test_what_cannot_be_done_is_said(trained: Path, tmp_path: Path, more: list[str], why: str) -> None:
    write_pool(tmp_path, rows=3)
    out = [] if "--out" in more else ["--out", "bare"]
    done = flywheel("compress", str(trained), *more, *out, folder=tmp_path)
    assert done.returncode in (1, 2)
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "bare").exists()


@pytest.mark.slow
def test_gradients_tell_what_counts_better_than_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 2m model on documentation without 40 % of its channels, five draws of calibration rows, before any recovery."""
    folder = train_tiny([row["messages"] for row in docs(3, 1500)], "2m", tokens=300_000)
    base = LanguageModel.load(ModelSpec(hf=str(folder)))
    held = docs(1, 60)
    shape = [replace(blocks_of(base.model).shape, channels=272)]
    monkeypatch.setattr(pruning, "fitting", lambda blocks, share, layers: shape)

    def bits(by: Any, seed: int) -> float:
        rows = base.examples([row["messages"] for row in docs(5, 2000)][seed * 64 : (seed + 1) * 64])
        done = prune(base, 0.6, tmp_path / f"{by}-{seed}", rows, by=by, seed=seed)
        small = LanguageModel.load(ModelSpec(hf=str(done.folder)))
        value, weight = BitsPerByte().measure(small, [row["messages"] for row in held], table(held))
        return float(np.nansum(value) / weight[np.isfinite(value)].sum())

    measures = ("random", "magnitude", "taylor", "taylor_summed", "activation")
    found = {by: [bits(by, seed) for seed in range(5)] for by in measures}
    print({by: (round(float(np.mean(each)), 4), round(float(np.std(each)), 4)) for by, each in found.items()})
    assert max(found["taylor"]) < min(found["random"])
    assert np.mean(found["taylor"]) <= np.mean(found["magnitude"])
