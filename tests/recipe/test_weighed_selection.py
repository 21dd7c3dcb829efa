"""Selections whose rows count differently, and selectors on other vectors, from the recipe to the report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
from dataflywheel.models.training.tiny import init_tiny
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.report.card.card import write_card
from dataflywheel.report.html import write_report
from dataflywheel.report.why import as_text, why
from dataflywheel.rows.parts import read_rows
from dataflywheel.store.record import StepRecord
from tests.models.copy_skill import copy_rows
from tests.recipe.test_targeted import FRUIT, fruit, metal, write_rows

CACHE = Path(os.environ["FLYWHEEL_CACHE"])
CLEAN = {"decontaminate": {"semantic": None}}
SHORT = {"max_steps": 2, "max_length": 64, "batch_size": 4, "dtype": "float32"}


def recipe_of(folder: Path, *steps: Any, **more: Any) -> dict[str, Any]:
    pool = write_rows(folder / "pool.jsonl", [fruit(i) for i in range(20)] + [metal(i) for i in range(60)])
    return {
        "name": "weighed",
        "pool": {"path": str(pool)},
        "target": {"path": str(write_rows(folder / "fruit.jsonl", [ripe(name) for name in FRUIT]))},
        "models": {"student": {"builtin": "tiny", "size": "0.5m"}, "embedder": "static"},
        "steps": list(steps),
        **more,
    }


def ripe(name: str) -> tuple[str, str]:
    return f"when is the sweet fruit {name} ripe", f"a {name} is ripe when autumn comes to the trees"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("weighed")
    # 8 rows of a dozen or more that have a probability: a draw, with weights.
    steps = [CLEAN, {"select": {"by": {"tsds": {"C": 1}}, "keep": 8}}, {"train": SHORT}]
    recipe = recipe_of(folder, *steps, format="trl")
    found = plan(recipe_from(recipe), runs=folder / "runs", home=folder / "store")
    return run(recipe_from(recipe), runs=folder / "runs", home=folder / "store").path, folder, found


def test_the_plan_says_who_learns_by_weights_and_who_does_not(made: tuple[Path, Path, dict[str, Any]]) -> None:
    _, folder, found = made
    assert found["notes"] == [
        "02-select: the rows that tsds keeps have weights, and 03-train learns by them.",
        "trl does not know weights either: the data set has them in a column `weight`, for a loss of your own; all "
        "rows count alike where that is not read.",
    ]
    learn = [{"train": SHORT}, {"generate": {"by": "spin", "rows": 4}}, {"prefer": SHORT}]
    pairs = recipe_of(folder, CLEAN, {"select": {"by": "tsds", "keep": 8}}, *learn)
    told = plan(recipe_from(pairs))["notes"]
    assert "05-prefer does not know weights: all rows count alike there." in told
    hidden = recipe_of(folder, {"select": {"by": "tsds", "then": "facility_location", "keep": 8}})
    assert plan(recipe_from(hidden))["notes"] == [
        "01-select: the weights of tsds are not used, since it does not alone decide which rows are kept."
    ]


def test_weights_reach_rows_training_why_report_and_card(made: tuple[Path, Path, dict[str, Any]]) -> None:
    path, folder, _ = made
    step = path / "round-1" / "02-select"
    rows = read_rows(step / "rows", ["id", "weight"])
    weights = np.array(rows["weight"].to_pylist())
    assert len(weights) == 8
    assert weights.mean() == pytest.approx(1)
    assert weights.std() > 0
    told = StepRecord.read(step).details["notes"]["weights"]
    assert told["greatest"] == pytest.approx(weights.max(), abs=1e-4)
    assert StepRecord.read(path / "round-1" / "03-train").details["weights"] == told
    first = rows["id"][0].as_py()
    life = as_text(why(path, first, folder / "store"))
    assert f"counts {weights[0]:.3g} times where it is learned" in life
    assert f"by tsds; weight {weights[0]:.3g}" in life
    card = write_card(path).read_text(encoding="utf-8")
    assert "Rows do not count alike: `weight` goes from" in card
    assert "2410.11303" in card
    assert "Rows count by weights from" in write_report(path).read_text(encoding="utf-8")


def test_a_second_selection_multiplies_and_the_same_command_gives_the_same(tmp_path: Path) -> None:
    steps = [{"select": {"by": {"tsds": {"C": 1}}, "keep": 12}}, {"select": {"by": {"tsds": {"C": 1}}, "keep": 6}}]
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    path = run(recipe_from(recipe_of(tmp_path, *steps)), **where).path
    first, second = (weights_in(path / "round-1" / name / "rows") for name in ("01-select", "02-select"))
    ratios = [second[id] / first[id] for id in second]
    assert len(second) == 6
    assert np.mean(ratios) == pytest.approx(1)
    data = (path / "dataset" / "train.jsonl").read_bytes()
    assert run(recipe_from(recipe_of(tmp_path, *steps)), **where).path == path
    assert (path / "dataset" / "train.jsonl").read_bytes() == data
    again = run(recipe_from(recipe_of(tmp_path, *steps)), runs=tmp_path / "other", home=tmp_path / "new").path
    assert (again / "dataset" / "train.jsonl").read_bytes() == data


def weights_in(rows: Path) -> dict[str, float]:
    held = read_rows(rows, ["id", "weight"])
    return dict(zip(held["id"].to_pylist(), held["weight"].to_pylist(), strict=True))


def test_k_center_covers_gradients(tmp_path: Path) -> None:
    select = {"by": {"k_center": {"vector": "gradient_projection.vector"}}, "keep": 5}
    signals = {"gradient_projection": {"dimension": 64, "epochs": 1, "share": 0.2}}
    recipe = recipe_of(tmp_path, {"select": select}, signals=signals)
    texts = copy_rows(60, seed=6)
    scorer = init_tiny(pool_tokenizer(texts, cache_dir=CACHE), "0.5m", cache_dir=CACHE)
    recipe["models"] = {"scorer": {"hf": str(scorer)}}
    path = run(recipe_from(recipe), runs=tmp_path / "runs", home=tmp_path / "store").path
    record = StepRecord.read(path / "round-1" / "01-select")
    assert record.rows_out == 5
    assert record.details["by"] == "k_center"
    assert list((tmp_path / "store" / "signals").glob("gradient_projection@*"))


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        ("text.tokens_answer", "holds no vectors"),
        ("embeding.vector", "embedding"),
        ("embedding.vektor", "embedding.vector"),
        ("mine.vector", ""),
        ("hashed_ngrams.buckets", "holds no vectors"),
        ("embedding", "does not fit the pattern"),
    ],
)
def test_what_holds_no_vectors_is_refused_before_anything_is_measured(tmp_path: Path, vector: str, said: str) -> None:
    recipe = recipe_of(
        tmp_path,
        {"select": {"by": {"k_center": {"vector": vector}}, "keep": 5}},
        signals={"mine": {"embedding": {"part": "prompt"}}},
    )
    if not said:
        assert plan(recipe_from(recipe))["steps"][0]["rows"] == 5
        return
    with pytest.raises(UsageError, match=said):
        plan(recipe_from(recipe))
