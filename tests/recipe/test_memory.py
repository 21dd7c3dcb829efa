"""What cannot fit into memory is refused by the plan, with what it takes and the way out."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning import memory
from dataflywheel.recipe.planning.checks import check
from dataflywheel.recipe.steps.build import build_steps


@pytest.fixture
def seven(tmp_path: Path) -> Path:
    """A model of seven billion weights, as far as its files' headers say."""
    folder = tmp_path / "seven"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    for part in range(2):
        header = json.dumps({
            "__metadata__": {"format": "pt"},
            f"w{part}": {"dtype": "BF16", "shape": [35_000, 100_000], "data_offsets": [0, 7_000_000_000]},
        }).encode()  # fmt: skip
        (folder / f"model-{part}.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    return folder


def refused(folder: Path, model: Path, step: dict[str, Any], there: float, monkeypatch: pytest.MonkeyPatch) -> str:
    pool = folder / "pool.jsonl"
    pool.write_text('{"prompt": "a", "completion": "b"}\n' * 4)
    monkeypatch.setattr(memory, "memory", lambda: there * memory.GIB)
    made = {"name": "m", "pool": [{"path": str(pool)}], "models": {"student": {"hf": str(model)}}, "steps": [step]}
    recipe = recipe_from(made, "made")
    try:
        check(recipe, build_steps(recipe), False)
    except UsageError as error:
        return str(error)
    return ""


def test_weights_are_those_of_the_files(seven: Path, tmp_path: Path) -> None:
    assert memory.weights(ModelSpec(hf=str(seven))) == 7e9
    (seven / "model-0.safetensors").write_bytes(b"damaged")
    assert memory.weights(ModelSpec(hf=str(seven))) == 3.5e9
    assert memory.weights(ModelSpec(hf="acme/unknown-7b")) == 0
    assert memory.weights(ModelSpec(endpoint="http://localhost:1/v1", model="m")) == 0
    assert memory.weights(ModelSpec(builtin="tiny", size="1m")) == 1e6


def test_a_training_that_cannot_fit_is_refused_with_the_way_out(
    seven: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = refused(tmp_path, seven, {"train": {}}, 48, monkeypatch)
    assert "01-train: training 7 billion weights takes 104 GiB at least, and this machine has 48 GiB" in whole
    assert "train adapters (`lora: {}`: 26.1 GiB or more)" in whole
    small = refused(tmp_path, seven, {"train": {"lora": {}}}, 24, monkeypatch)
    assert "training adapters of 7 billion weights takes 26.1 GiB" in small
    assert "take a smaller model" in small
    taught = refused(tmp_path, seven, {"distill": {"teacher": {"hf": str(seven)}, "lora": {}}}, 48, monkeypatch)
    assert "beside a teacher of 7 billion takes 52.2 GiB" in taught


def test_what_fits_or_is_not_known_is_not_refused(seven: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "memory" not in refused(tmp_path, seven, {"train": {"lora": {}}}, 48, monkeypatch)
    assert "memory" not in refused(tmp_path, seven, {"train": {}}, 141, monkeypatch)
    assert "memory" not in refused(tmp_path, Path("acme/model"), {"train": {}}, 0.001, monkeypatch)


def test_this_machine_has_some() -> None:
    assert memory.GIB < memory.memory() < 2**50
