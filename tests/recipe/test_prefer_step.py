"""The step `prefer`: pairs that state facts are learned, after a kill too, and what cannot be is refused beforehand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import FloatArray, UsageError
from dataflywheel.models.language.language_model import LanguageModel
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.progress import Silent
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.learning import row_ids
from dataflywheel.recipe.steps.prefer import Prefer, Preferring
from dataflywheel.rows.builder import build
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter, read_rows
from dataflywheel.rows.text import split_answer
from dataflywheel.store.run import RunDirectory
from tests.recipe.doing import done

METALS, STONES = ("iron", "zinc", "lead", "gold"), ("marble", "slate", "chalk", "flint")
PLACES = ("Arvo", "Belun", "Corta", "Dranik", "Estal", "Fenor", "Garda", "Holm", "Ister", "Jorun")
PAIRED, PLAIN = 60, 20
PREFER: dict[str, Any] = {"epochs": 3, "learning_rate": 1e-3, "batch_size": 8, "save_steps": 2, "dtype": "float32"}


def fact(i: int) -> str:
    return f"The mine of {PLACES[i % 10]} number {i} gives {METALS[i % 4]}."


def pool(folder: Path) -> Path:
    """Sixty questions with a true and a false answer, twenty with one answer."""
    lines = []
    for i in range(PAIRED + PLAIN):
        asked = f"What does the mine of {PLACES[i % 10]} number {i} give?"
        false = fact(i).replace(METALS[i % 4], STONES[i % 4])
        pair = {"prompt": asked, "chosen": fact(i), "rejected": false}
        lines.append(json.dumps(pair if i < PAIRED else {"prompt": asked, "completion": fact(i)}))
    path = folder / "mines.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def recipe(folder: Path, **more: Any) -> Recipe:
    train = {"max_steps": 6, "batch_size": 8, "dtype": "float32", "pairs": False}
    value = {
        "name": "mines",
        "pool": [{"path": str(pool(folder))}],
        "models": {"student": {"builtin": "tiny", "size": "0.5m"}},
        "steps": [{"train": train}, {"prefer": PREFER}],
        **more,
    }
    return recipe_from(value)


def margins(folder: Path, rows: list[Any]) -> FloatArray:
    """Log-likelihood of the true answer less that of the false one."""
    model = LanguageModel.load(ModelSpec(hf=str(folder)))
    good = model.answer_scores(model.encode([row["messages"] for row in rows])).total
    bad = [[*split_answer(row["messages"])[0], *row["rejected"]] for row in rows]
    return np.asarray(model.answer_scores(model.encode(bad)).total - good)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("mines")
    return folder, run(recipe(folder), runs=folder / "runs", home=folder / "store")


def metrics(result: Result, step: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((result.path / "round-1" / step / "metrics.json").read_text(encoding="utf-8"))
    return found


def test_true_answers_come_out_likelier_than_false_ones_by_more_than_before(calm: tuple[Path, Result]) -> None:
    result = calm[1]
    rows = [row for row in read_rows(result.path / "round-1" / "00-pool" / "rows").to_pylist() if row["rejected"]]
    assert len(rows) == PAIRED
    before, after = (margins(result.path / "models" / name, rows) for name in ("student-sft", "student"))
    assert after.mean() > before.mean() + 1
    assert (after > before).mean() >= 0.9


def test_pairs_are_for_prefer_and_rows_without_one_are_for_train(calm: tuple[Path, Result]) -> None:
    result = calm[1]
    trained, preferred = metrics(result, "01-train"), metrics(result, "02-prefer")
    assert (trained["rows_in"], trained["rows_out"], preferred["rows_in"]) == (PLAIN + PAIRED, PLAIN, PAIRED)
    assert (trained["details"]["model"], preferred["details"]["model"]) == ("models/student-sft", "models/student")
    details = preferred["details"]
    assert (details["pairs"], details["left_out"], details["steps"]) == (PAIRED, 0, 3 * 8)
    assert details["losses"][0][1] == pytest.approx(np.log(2), abs=1e-3)  # it begins at its reference
    assert details["margins"][-1][1] > 0 == details["margins"][0][1]
    assert result.model == result.path / "models" / "student"
    billed = json.loads((result.path / "ledger.json").read_text(encoding="utf-8"))["steps"]
    (bill,) = (cost for name, cost in billed.items() if name.endswith("02-prefer"))
    assert (bill["forward"], bill["backward"]) == (2 * 2 * 3 * PAIRED, 2 * 3 * PAIRED)
    assert bill["tokens"] == details["tokens"] > 0


class KilledError(Exception):
    pass


class Killing(Silent):
    """Ends the run in the middle of the preference training."""

    def advanced(self, step: str, what: str, done: int, total: int) -> None:
        if step == "02-prefer" and done == 13:
            raise KilledError


def test_a_kill_in_the_middle_gives_the_same_weights(calm: tuple[Path, Result], tmp_path: Path) -> None:
    places: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    with pytest.raises(KilledError):
        run(recipe(tmp_path), watcher=Killing(), **places)
    assert not (tmp_path / "runs" / "mines" / "models" / "student").exists()
    left = list((tmp_path / "store" / "models").glob(".dpo-*/checkpoint-*"))
    assert [path.name for path in left] == ["checkpoint-12"]
    result = run(recipe(tmp_path), **places)
    weights = [(path / "models" / "student" / "model.safetensors").read_bytes() for path in (calm[1].path, result.path)]
    assert weights[0] == weights[1]
    assert not list((tmp_path / "store" / "models").glob(".dpo-*"))


def test_the_same_again_does_nothing_and_a_replaced_model_is_put_back(calm: tuple[Path, Result]) -> None:
    folder, result = calm
    model = result.path / "models" / "student" / "model.safetensors"
    before = {path: path.stat().st_mtime_ns for path in result.path.rglob("*.safetensors")}
    run(recipe(folder), runs=folder / "runs", home=folder / "store")
    assert {path: path.stat().st_mtime_ns for path in result.path.rglob("*.safetensors")} == before
    right = model.read_bytes()
    model.write_bytes((result.path / "models" / "student-sft" / "model.safetensors").read_bytes())
    run(recipe(folder), runs=folder / "runs", home=folder / "store")
    assert model.read_bytes() == right
    plain = recipe(folder, steps=[{"train": {"max_steps": 6, "batch_size": 8, "dtype": "float32"}}])
    result = run(plain, runs=folder / "runs", home=folder / "store")  # without `prefer` the trained one is the result
    assert result.model is not None
    assert result.model.name == "student"
    assert model.read_bytes() != right


def test_rows_without_any_pair_are_a_plain_message(tmp_path: Path) -> None:
    rows = [prompt_answer_row(f"q{i}", "a") for i in range(3)]
    with PartWriter(tmp_path / "rows") as writer:
        writer.write(build(rows))
    context = Context(recipe(tmp_path), RunDirectory(tmp_path / "run"), tmp_path / "store")
    with pytest.raises(UsageError, match=r"none of 3 rows holds a worse answer.*spin.*proposals\.parquet"):
        done(Preferring(2, "prefer", Prefer()), context, tmp_path / "rows", tmp_path / "02-prefer", model=tmp_path)
    assert row_ids(tmp_path / "rows", pairs=False) == row_ids(tmp_path / "rows") == [row["id"] for row in rows]
    assert row_ids(tmp_path / "rows", pairs=True) == []


def test_a_training_without_any_row_of_its_own_is_a_plain_message(tmp_path: Path) -> None:
    only = tmp_path / "pairs.jsonl"
    only.write_text("\n".join(pool(tmp_path).read_text(encoding="utf-8").splitlines()[:PAIRED]), encoding="utf-8")
    job = recipe(tmp_path, pool=[{"path": str(only)}])
    with pytest.raises(UsageError, match="every row is a pair"):
        run(job, runs=tmp_path / "runs", home=tmp_path / "store")
