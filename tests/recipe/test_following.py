"""Wheels whose choice follows the model in training: what each round measures, and what it chooses by that."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import Cost
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.spec import ModelSpec
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.models.training.train_settings import TrainSettings
from dataflywheel.recipe.chosen import Chosen
from dataflywheel.recipe.comparing.arms import build_arms
from dataflywheel.recipe.comparing.reading import Reading
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.execute import Result, run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.schema import Recipe
from dataflywheel.report.card.used_methods import methods_of_run
from dataflywheel.report.rundir import load_run
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter, read_rows
from dataflywheel.rows.schema import table
from dataflywheel.selection.spec import Select
from dataflywheel.signals.model.hidden_state import HiddenState
from dataflywheel.store.run import RunDirectory
from tests.selection.dynamic.test_diverse_evol import plain

RNG = np.random.default_rng(0)
SAID = "the river is long and slow and wide in the summer"
EASY = [(f"What of river {i}?", SAID) for i in range(40)]
HARD = [(f"Key {i}:", " ".join(map(str, RNG.integers(0, 10, 12)))) for i in range(40)]


def write(path: Path, pairs: list[tuple[str, str]]) -> str:
    lines = [json.dumps({"prompt": prompt, "completion": answer}) + "\n" for prompt, answer in pairs]
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)


def wheel(folder: Path, select: dict[str, Any], steps: int, **more: Any) -> Recipe:
    target = [(f"Which hill is number {i}?", f"hill {i} of the northern range, as old maps have it") for i in range(30)]
    value = {
        "name": "wheel",
        "pool": {"path": write(folder / "pool.jsonl", EASY + HARD)},
        "target": {"path": write(folder / "target.jsonl", target)},
        "models": {"student": {"builtin": "tiny", "size": "0.5m"}, "embedder": "static", **more.pop("models", {})},
        "steps": [
            {"decontaminate": {"semantic": None}},
            {"select": select},
            {"train": {"max_steps": steps, "max_length": 64, "batch_size": 8, "learning_rate": 0.005}},
            "evaluate",
        ],
        "rounds": 2,
        "feedback": {"uniform": {}},
        "guards": {"patience": 5, "diversity_drop": 0.9},
        **more,
    }
    return recipe_from(value)


def ids(path: Path) -> list[str]:
    return list(read_rows(path / "rows", ["id"])["id"].to_pylist())


@pytest.fixture(scope="module")
def evolved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recipe, Result]:
    folder = tmp_path_factory.mktemp("evolved")
    recipe = wheel(folder, {"by": "diverse_evol", "keep": 16}, steps=3)
    return folder, recipe, run(recipe, runs=folder / "runs", home=folder / "store")


def test_diverse_evol_goes_on_from_its_rows_in_the_space_of_its_model(evolved: tuple[Path, Recipe, Result]) -> None:
    folder, _, result = evolved
    model = HiddenState(model=ModelSpec(hf=str(result.path / "models" / "round-1")), pooling="mean")
    vectors = {}
    for place in ("00-offer", "accumulate"):
        at = next(result.path.glob(f"round-{1 + (place == '00-offer')}/*{place}"))
        rows = read_rows(at / "rows").sort_by("id").combine_chunks()
        measured = model.measure(rows.to_batches()[0])["vector"]
        vectors[place] = rows["id"].to_pylist(), np.stack(measured.to_numpy(zero_copy_only=False))  # type: ignore[union-attr]
    (offered, pool), (_, known) = vectors["00-offer"], vectors["accumulate"]
    assert set(ids(result.path / "round-2" / "02-select")) == {offered[i] for i in plain(pool, known, 8)}
    kept = [name for name in os.listdir(folder / "store" / "signals") if name.startswith("hidden_state@")]
    assert len(kept) == 1, "measured with the model of round 1, and before it with none"


def test_what_each_round_did_is_told(evolved: tuple[Path, Recipe, Result]) -> None:
    path = evolved[2].path
    first, second = (json.loads((path / f"round-{r}" / "02-select" / "metrics.json").read_text()) for r in (1, 2))
    assert (first["details"]["by"], second["details"]["by"]) == ("random", "diverse_evol")
    assert second["details"]["notes"]["diverse_evol"]["centres"] == 8
    assert "followed" not in first["details"]
    assert second["details"]["followed"]["forward"] == 72 + 8
    assert {"diverse_evol", "hidden_state"} <= set(methods_of_run(load_run(path)))


def test_a_round_that_is_lost_is_made_again_alike_and_nothing_else(evolved: tuple[Path, Recipe, Result]) -> None:
    folder, recipe, result = evolved
    lost = result.path / "round-2" / "02-select"
    rows = ids(lost)
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in result.path.rglob("round-*/*/rows/*.parquet")}
    shutil.rmtree(lost)
    run(recipe, runs=folder / "runs", home=folder / "store")
    assert ids(lost) == rows
    assert all(p.read_bytes() == content for p, (_, content) in before.items())
    assert all(p.stat().st_mtime_ns == time for p, (time, _) in before.items() if p.is_relative_to(path_of(1, result)))


def path_of(round: int, result: Result) -> Path:
    return result.path / f"round-{round}"


@pytest.mark.slow
def test_diversify_and_conquer_spends_on_what_its_model_cannot_yet_do(tmp_path: Path) -> None:
    """Half of the pool says one thing and half noise. An untrained scorer knows neither, so that both get as much in
    the first round; the model that learned these rows lacks the noise alone."""
    tokenizer = pool_tokenizer([prompt_answer_row(*pair)["messages"] for pair in EASY + HARD])
    lacks = {"score": "text.chars_answer", "clusters": 2, "gap": "lately.loss_answer_given_prompt"}
    recipe = wheel(
        tmp_path,
        {"by": {"diversify_and_conquer": lacks}, "keep": 40},
        steps=60,
        models={"scorer": str(init_tiny(tokenizer, "0.5m", seed=1))},
        signals={"lately": {"likelihood": {"of": "trained"}}},
    )
    result = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    hard = []
    for round in (1, 2):
        rows = read_rows(path_of(round, result) / "02-select" / "rows", ["messages"]).to_pylist()
        hard.append(sum(row["messages"][0]["content"].startswith("Key") for row in rows))
    assert 7 <= hard[0] <= 13
    assert hard[1] >= 14


def of_tens(rows: Path) -> Reading:
    """Stands for a tokenizer that makes ten tokens of every row."""
    known = read_rows(rows, ["id"])["id"].to_pylist()
    return Reading(dict.fromkeys(known, 10), dict.fromkeys(known, 1))


def test_an_arm_is_chosen_once_before_any_training(tmp_path: Path) -> None:
    recipe = wheel(
        tmp_path, {"by": "diverse_evol", "keep": 8}, 1, compare={"arms": ["random", "one_round"], "seeds": 2}
    )
    context = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store")
    with PartWriter(tmp_path / "rows") as writer:
        writer.write(table([prompt_answer_row(*pair) for pair in EASY]))
    with PartWriter(tmp_path / "kept") as writer:
        writer.write(read_rows(tmp_path / "rows").slice(0, 8))
    followed, spec = Cost(seconds=2.5, forward=70), Select(by=["diverse_evol"], keep=8)
    context = replace(context, pool=tmp_path / "rows")
    chosen = Chosen(context.pool, context.pool, (), tmp_path / "kept", spec, 0.5, followed, label="the wheel")
    own, random, once = build_arms(context, chosen, [0, 1], TrainSettings(), of_tens)
    assert (own.select_cost.seconds, own.select_cost.forward) == (3.0, 70)
    assert once.select_cost.forward == random.select_cost.forward == 0
    assert len(once.ids[0]) == 8
    assert not [path for path in (tmp_path / "store" / "signals").iterdir() if path.name.startswith("hidden_state")]
