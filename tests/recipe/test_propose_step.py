"""What new rows are compared with before they are rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from dataflywheel.contracts import FlywheelError, UsageError
from dataflywheel.inline.write import generate
from dataflywheel.models.endpoint.request import Request
from dataflywheel.proposing.kinds import Proposer
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.steps.enhance import Enhance
from dataflywheel.report.card.card import write_card
from dataflywheel.report.html import write_report
from dataflywheel.rows.builder import build
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter, read_rows
from dataflywheel.rows.schema import Row
from dataflywheel.store.run import RunDirectory
from dataflywheel.synthesis.instruction.magpie import Magpie
from tests.models.endpoint.fake import FakeClient
from tests.recipe.doing import done

DOCUMENT = prompt_answer_row("", "A filter is a sieve that keeps sand out of the pump.\n")


def write(path: Path, rows: list[Row]) -> Path:
    with PartWriter(path) as writer:
        writer.write(build(rows))
    return path


@pytest.mark.parametrize("source", ["rows", "target"])
def test_new_rows_differ_from_the_pool_whatever_they_are_written_from(
    tmp_path: Path, source: Literal["rows", "target"]
) -> None:
    step = {"by": "grounded_rules", "rows": 1, "source": source, "gates": ["novelty"]}
    recipe = recipe_from({"name": "a", "pool": [{"builtin": "python_docs"}], "steps": [{"generate": step}]})
    context = Context(recipe, RunDirectory(tmp_path / "run"), tmp_path / "store")
    context = replace(context, guide=write(tmp_path / "steer", [DOCUMENT]))
    (made,) = _written(context, write(tmp_path / "other", [DOCUMENT]), tmp_path / "first")
    asked = prompt_answer_row(made["messages"][0]["content"], "It is there already.")
    rows = write(tmp_path / "rows", [asked] if source == "target" else [asked, DOCUMENT])
    assert _written(context, rows, tmp_path / "second") == []


def _written(context: Context, rows: Path, output: Path) -> list[Row]:
    (step,) = build_steps(context.recipe)
    context = replace(context, pool=rows)
    done(step, context, rows, output, "f")
    found: list[Row] = read_rows(output / "rows").to_pylist()
    return [row for row in found if row["made_by"]]


def test_gates_of_a_method_have_parameters_and_those_of_a_recipe_stand_in_their_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = {"language_kept": {}}
    own: type[Proposer] = Enhance.model_validate({"by": "revision"}).proposer()
    monkeypatch.setattr(own, "gates", ("refusal", {"meaning": {"additions": True, "least": None}}, "contamination"))
    for gates, expected in (
        (None, {"refusal": {}, "meaning": {"additions": True, "least": None}, **kept}),
        (["meaning"], {"meaning": {}}),
        ([{"meaning": {"least": 0.9}}, "refusal"], {"meaning": {"least": 0.9}, "refusal": {}}),
    ):
        step = Enhance.model_validate({"by": "revision", "gates": gates})
        assert step.gate_specs(False) == list(expected.items())
        assert dict(step.gate_specs(True)) == {**expected, "contamination": {}}


def test_one_gate_stands_twice_in_a_step_with_other_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    own: type[Proposer] = Enhance.model_validate({"by": "revision"}).proposer()
    twice = ({"meaning": {"least": 0.9}}, {"meaning": {"least": 0.5}}, {"meaning": {"least": 0.9}})
    for gates in (None, list(twice)):  # as a method's defaults, and as a recipe names them
        monkeypatch.setattr(own, "gates", twice if gates is None else ())
        monkeypatch.setattr(own, "rewrites", False)
        specs = Enhance.model_validate({"by": "revision", "gates": gates}).gate_specs(True)
        assert specs == [("meaning", {"least": 0.9}), ("meaning", {"least": 0.5}), ("contamination", {})]


def test_what_writes_from_nothing_needs_no_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []

    def said(request: Request) -> str:
        drawn.append(f"Name {len(drawn)} birds of {len(drawn) % 7} colours, please.")
        return drawn[-1]

    monkeypatch.setattr(Magpie, "propose", lambda self, demand: self.propose_with(client, demand))
    client = FakeClient(said, completion=True)
    model = {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "capabilities": {"completion": True}}
    magpie = {"magpie": {"template": "chatml"}}
    made = generate(
        None, magpie, 150, gates=[], models={"teacher": model}, runs=tmp_path / "runs", home=tmp_path / "store"
    )
    assert (made.rows_in, made.rows_out, made.path.name) == (0, 150, "generate-magpie")
    assert sum(1 for _ in (made.path / "dataset" / "train.jsonl").open(encoding="utf-8")) == 150
    assert "150" in write_report(made.path).read_text(encoding="utf-8")
    assert "magpie" in write_card(made.path).read_text(encoding="utf-8")
    client = FakeClient(lambda request: "", completion=True)
    with pytest.raises(FlywheelError, match=r"no row came of it: the yield is too low: 0 of the last 64 .*empty inst"):
        generate(None, magpie, 9, gates=[], models={"teacher": model}, runs=tmp_path / "none", home=tmp_path / "store")
    with pytest.raises(UsageError, match="writes from rows, and the recipe has no `pool`"):
        generate(None, "grounded_rules", 5, runs=tmp_path / "runs", home=tmp_path / "store")
    with pytest.raises(UsageError, match="there is no `pool`"):
        recipe_from({"name": "a", "steps": ["deduplicate"]})
