"""Every path in a recipe is read from one place: the working directory, or the home where it begins with `~`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataflywheel.enhancement.rewriting.coach_lm import CoachLM
from dataflywheel.models.files import resolve_folder
from dataflywheel.proposing.gates.no_toxicity import NoToxicity
from dataflywheel.recipe.execute import run
from dataflywheel.rows.parts import read_rows
from dataflywheel.signals.safety.toxicity_labels import ToxicityLabels
from tests.signals.toxic_words import INSULTS, label_file, sentences


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory that is not the recipe's folder."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def lines(path: Path, texts: list[str]) -> None:
    rows = [{"prompt": f"Say sentence {i}:", "completion": text} for i, text in enumerate(texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_pool_target_and_labels_are_all_read_from_the_working_directory(tmp_path: Path, away: Path) -> None:
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    texts = [text for text, _ in sentences(40, seed=6)]
    lines(away / "pool.jsonl", texts)
    lines(away / "target.jsonl", ["Good evening."])
    label_file(away / "labels.jsonl")
    for name in ("pool", "labels"):  # with these beside the recipe nothing could be masked
        lines(jobs / f"{name}.jsonl", ["Not this file."])
    step = {
        "by": {"mask_toxicity": {"labels": "labels.jsonl", "drop": False}},
        "gates": [{"contamination": {"semantic": None}}],
    }
    recipe = {
        "name": "job",
        "pool": [{"path": "pool.jsonl"}],
        "target": [{"path": "target.jsonl"}],
        "steps": [{"enhance": step}],
    }
    (jobs / "job.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    result = run(Path("../jobs/job.yaml"))
    made = read_rows(result.path / "round-1" / "01-enhance" / "rows", ["messages"])["messages"].to_pylist()
    said = [messages[-1]["content"] for messages in made]
    assert len(said) == result.rows_in == len(set(texts))
    before, after = (sum(any(word in text for word in INSULTS) for text in found) for found in (texts, said))
    assert before > 10
    assert after <= 0.1 * before


def digest_of_labels(path: str) -> str:
    return ToxicityLabels(labels=path).labels_digest()


def digest_of_pairs(path: str) -> str:
    return CoachLM(pairs=path).digest()


def labels_of_gate(path: str) -> Any:
    return NoToxicity(labels=path).labels


@pytest.mark.parametrize("found", [digest_of_labels, digest_of_pairs, labels_of_gate])
def test_files_of_methods_may_lie_in_the_home(
    away: Path, monkeypatch: pytest.MonkeyPatch, found: Callable[[str], Any]
) -> None:
    monkeypatch.setenv("HOME", str(away))
    there = label_file(away / "rows.jsonl")
    assert found("~/rows.jsonl") == found(str(there))


def test_a_model_folder_may_lie_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve_folder("~/model") == tmp_path / "model"
