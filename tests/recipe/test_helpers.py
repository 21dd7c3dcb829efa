"""Models that are trained first are priced beforehand, entered in the ledger once, and cost nothing where they are."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dataflywheel.cli.foretold import foretold
from dataflywheel.cli.main import app
from dataflywheel.models.embedding.static_embedder import static_folder
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.progress import Silent
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.untrained import UNTRAINED
from dataflywheel.store.plan import Plan

TOKENS = 40_000
"""Ten steps of 16 sequences of 256 tokens, less what is no whole step."""


class Told(Silent):
    def __init__(self) -> None:
        self.notes: dict[str, tuple[str, bool]] = {}

    def finished(self, step: str, note: str, reused: bool) -> None:
        self.notes[step] = (note, reused)


def scored(folder: Path, name: str = "job", keep: int = 5, **more: Any) -> Recipe:
    pool = folder / "pool.jsonl"
    if not pool.exists():
        rows = [{"prompt": f"Count to {i}.", "completion": " ".join(map(str, range(i)))} for i in range(20, 90)]
        pool.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        (folder / "target.jsonl").write_text(json.dumps({"prompt": "Name a bird.", "completion": "A wren."}))
    value = {
        "name": name,
        "pool": [{"path": str(pool)}],
        "models": {"scorer": {"builtin": "tiny", "size": "0.5m", "tokens": TOKENS}},
        "steps": [{"select": {"by": {"rated": {"score": "likelihood.loss_answer"}}, "keep": keep}}],
        **more,
    }
    return recipe_from(value)


def bills(run: Path) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = json.loads((run / "ledger.json").read_text(encoding="utf-8"))["steps"]
    return found


def test_the_making_of_the_static_embedder_is_priced_where_it_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYWHEEL_CACHE", str(tmp_path / "models"))

    def having(embedder: str, by: str = "k_center") -> Plan:
        steps = ["deduplicate", {"select": {"by": by, "keep": 5}}]
        return plan(scored(tmp_path, models={"embedder": embedder}, steps=steps), home=tmp_path / "home")

    found = having("static")
    (line,) = found.helpers
    assert (line.what, line.before, line.there) == ("make the static embedder", "02-select", False)
    assert line.cost.seconds > 1
    assert found.total.seconds >= line.cost.seconds
    assert foretold(found)[0].startswith("First, once: make the static embedder, about ")
    assert having("minilm").helpers == having("static", "longest").helpers == []
    static_folder().mkdir(parents=True)
    assert having("static").helpers == []


def test_a_scorer_is_priced_and_billed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_CACHE", str(tmp_path / "models"))
    options: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "home"}
    recipe, told = scored(tmp_path), Told()
    planned = plan(recipe, **options)
    (line,) = planned.helpers
    assert (line.what, line.before, line.there) == ("train scorer, 0.5m", "01-select", False)
    assert planned.total.tokens >= line.cost.tokens + planned.steps[0].cost.tokens

    began = time.perf_counter()
    first = run(recipe, watcher=told, **options)
    assert told.notes["train scorer"] == ("0.5m parameters, on the pool", False)
    (name,) = (name for name in bills(first.path) if name.startswith("helpers/"))
    assert name.startswith("helpers/scorer-tiny-0.5m-")
    bill = bills(first.path)[name]
    assert bill["seconds"] > 0
    for counted in ("tokens", "forward", "backward"):  # the plan takes the pool's tokens to be four characters long
        assert bill[counted] == pytest.approx(getattr(line.cost, counted), rel=0.1)
    assert 0 < TOKENS - bill["tokens"] < 16 * 256
    assert bill["seconds"] + bills(first.path)["round-1/01-select"]["seconds"] < time.perf_counter() - began

    run(scored(tmp_path, keep=7), watcher=told, **options)  # another process of the same run
    assert bills(first.path)[name] == bill
    second = run(scored(tmp_path, "other"), watcher=told, **options)
    assert not any(one.startswith("helpers/") for one in bills(second.path))
    assert told.notes["train scorer"][1]

    (line,) = plan(recipe, **options).helpers
    assert (line.there, line.cost.tokens, line.cost.seconds) == (True, 0, 0)
    (tmp_path / "recipe.yaml").write_text(recipe.model_dump_json(exclude_unset=True))
    where = ["--runs", str(tmp_path / "runs"), "--home", str(tmp_path / "home")]
    shown = CliRunner().invoke(app, ["plan", str(tmp_path / "recipe.yaml"), *where], terminal_width=150)
    assert "train scorer, 0.5m: there already" in shown.output

    pool = tmp_path / "pool.jsonl"
    pool.write_text(pool.read_text(encoding="utf-8") + '\n{"prompt": "One more?", "completion": "Yes."}')
    assert not plan(recipe, **options).helpers[0].there


def test_the_message_says_that_the_pool_was_cleaned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYWHEEL_CACHE", str(tmp_path / "models"))
    told = Told()
    select = {"select": {"by": {"rated": {"score": "likelihood.loss_answer"}}, "keep": 5}}
    target = [{"path": str(tmp_path / "target.jsonl")}]
    recipe = scored(tmp_path, target=target, steps=[{"decontaminate": {"semantic": None}}, select])
    run(recipe, runs=tmp_path / "runs", home=tmp_path / "home", watcher=told)
    said = "0.5m parameters, on the pool without what shares text with the target"
    assert told.notes["train scorer"] == (said, False)


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        ([{"distill": {"teacher": {"builtin": "tiny", "size": "5m"}}}], [("train teacher, 5m", "01-distill")]),
        ([{"train": {"sampler": "doremi"}}], [("train reference", "01-train")]),
        (
            [{"train": {"sampler": "rho_loss"}}, "evaluate"],
            [("train reference", "02-train"), (UNTRAINED, "03-evaluate")],
        ),
        (
            [{"enhance": {"by": {"revision": {"model": {"builtin": "tiny", "size": "2m"}}}, "gates": ["refusal"]}}],
            [("train teacher, 2m", "01-enhance")],
        ),
    ],
)
def test_every_model_that_is_trained_first_has_a_line(
    tmp_path: Path, steps: list[Any], lines: list[tuple[str, str]]
) -> None:
    more: dict[str, Any] = {}
    if "rho_loss" in str(steps):
        scored(tmp_path)
        more = {"target": [{"path": str(tmp_path / "target.jsonl")}]}
        steps = [{"decontaminate": {"semantic": None}}, *steps]
    found = plan(scored(tmp_path, steps=steps, **more), home=tmp_path / "home").helpers
    assert [(one.what, one.before) for one in found] == lines
    assert all((one.cost.backward > 0) == (one.what != UNTRAINED) and one.cost.tokens > 0 for one in found)
