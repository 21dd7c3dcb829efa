"""An evaluation that renews itself: variants keep slice and tier, are not trained on, and are told of apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.evolution.feedback.evaluate import Evaluate, RowScores
from dataflywheel.evolution.renewal.reworded import Reworded
from dataflywheel.recipe.context import Context, Renewed
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.inputs import renewed
from dataflywheel.recipe.inputs.ingest import ingest_target, slices_by_id, write_tiers
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.recipe.schema import Recipe
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.report.card.card import write_card
from dataflywheel.report.html import write_report
from dataflywheel.report.sections.renewed import renewed as drawn
from dataflywheel.report.why import as_text, why
from dataflywheel.rows.builder import build
from dataflywheel.rows.parts import PartWriter, read_rows
from dataflywheel.store.decisions import read_decisions
from dataflywheel.store.record import StepRecord
from dataflywheel.store.run import RunDirectory
from tests.enhancement.rewriting.support import MODEL, demand
from tests.evolution.renewal.sums import SOLVER, writer
from tests.support.endpoint import Endpoint

BEFORE = "A farmer counts the apples in two baskets that stand in the yard, and he needs their number. What is"


def asked(i: int) -> dict[str, Any]:
    return {"prompt": f"{BEFORE} {i} + {2 * i}?", "completion": f"#### {3 * i}", "tags": ["odd" if i % 2 else "even"]}


def recipe(folder: Path, url: str, steps: list[Any], rows: int = 12, **more: Any) -> Recipe:
    leaks = [
        {"prompt": f"{BEFORE} {i} and {2 * i} together?", "completion": f"{3 * i}, as told."} for i in range(1, 13)
    ]
    pool = [{"prompt": f"How high is hill number {i}?", "completion": f"It is {i} metres high."} for i in range(30)]
    (folder / "pool.jsonl").write_text("\n".join(map(json.dumps, [*pool, *leaks])), encoding="utf-8")
    (folder / "target.jsonl").write_text("\n".join(json.dumps(asked(i)) for i in range(1, rows + 1)), encoding="utf-8")
    value = {
        "name": "renewed",
        "pool": [{"path": str(folder / "pool.jsonl")}],
        "target": [{"path": str(folder / "target.jsonl"), "slice": "tag"}],
        "models": {
            "student": {"builtin": "tiny", "size": "0.5m"},
            "teacher": {"endpoint": url, "model": "m", "usd_per_mtok": {"in": 1.0, "out": 1.0}},
        },
        "steps": steps,
        **more,
    }
    return recipe_from(value)


STEPS: list[Any] = [
    {"renew": {"by": "reworded"}},
    {"renew": {"by": {"noised": {"share": 0.3}}}},
    {"decontaminate": {"semantic": None, "share_13": None, "share_8": None, "changed": None}},
]
TRAIN: list[Any] = [{"train": {"max_steps": 2, "max_length": 64, "batch_size": 4}}, "evaluate"]


def test_a_run_renews_verifies_guards_and_tells(tmp_path: Path, endpoint: Endpoint) -> None:
    endpoint.configure(rules=[{"rule": "solver", "slips": 0.3}])
    made = recipe(tmp_path, endpoint.url, STEPS)
    planned = plan(made)["steps"]
    assert [line["cost"]["calls"] for line in planned[:3]] == [25, 12, 0]
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    result = run(made, **where)
    first, second, guard = (result.path / "round-1" / name for name in ("01-renew", "02-renew", "03-decontaminate"))
    reworded = read_rows(first / "variants").to_pylist()
    assert 4 <= len(reworded) < 12  # those with a slip of the writer's are set aside
    for row in reworded:
        a, b = (int(word) for word in row["messages"][0]["content"].rstrip("?").split() if word.isdigit())
        assert row["messages"][1]["content"] == f"#### {a + b}"
        assert (b, row["tags"]) == (2 * a, ["odd" if a % 2 else "even"])
    assert len(read_rows(second / "variants")) == 12
    record = StepRecord.model_validate_json((first / "metrics.json").read_bytes())
    assert (record.rows_in, record.rows_out) == (12 + len(reworded), len(reworded))
    unverified = record.counts["kept: without a variant, not verified"]
    assert unverified == 12 - len(reworded)
    assert record.counts["added: variant by reworded"] == len(reworded)
    told = build_steps(made)[0].note(record)
    assert told.startswith(f"{len(reworded)} verified variants of 12 evaluation rows; lost most often: not verified")

    decided = read_decisions(guard / "decisions.parquet").to_pylist()
    leaked = {one["other"] for one in decided if one["action"] == "dropped"}
    assert leaked == {
        row["id"] for row in reworded
    }  # rows that ask what a variant asks, and no evaluation row as it was
    paid, before = len(endpoint.bill().charged), (first / "metrics.json").stat().st_mtime_ns
    run(made, **where)
    assert len(endpoint.bill().charged) == paid
    assert (first / "metrics.json").stat().st_mtime_ns == before
    life = as_text(why(result.path, reworded[0]["id"], tmp_path / "store"))
    assert "an evaluation row, which nothing is trained on" in life.splitlines()[0]
    assert f"made from {reworded[0]['parents'][0]}" in life
    assert "added, variant by reworded" in life
    page = write_report(result.path).read_text(encoding="utf-8")
    assert "not verified" in page
    card = write_card(result.path).read_text(encoding="utf-8")
    assert "2402.11443" in card
    assert f"{12 + len(reworded)} verified variants of its rows were kept out as well" in card


@pytest.mark.slow
def test_an_evaluation_tells_of_rows_and_variants_apart(tmp_path: Path, endpoint: Endpoint) -> None:
    endpoint.configure(rules=[{"rule": "solver", "slips": 0.3}])
    made = recipe(tmp_path, endpoint.url, [*STEPS, *TRAIN])
    assert plan(made)["steps"][-1]["cost"]["forward"] == 3 * 12
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    result = run(made, **where)
    reworded = read_rows(result.path / "round-1" / "01-renew" / "variants").to_pylist()
    assert result.evaluation is not None
    told = result.evaluation.as_dict()
    assert told["overall"]["n"] == 12
    assert {name: one["overall"]["n"] for name, one in told["renewed"].items()} == {
        "reworded": len(reworded),
        "noised": 12,
    }
    assert set(told["renewed"]["noised"]["change"]) == {"value", "low", "high", "n"}
    assert told["renewed"]["noised"]["change"]["n"] == 12
    assert run(made, **where).evaluation == result.evaluation
    assert "their verified variants" in write_report(result.path).read_text(encoding="utf-8")


def test_a_variant_stands_in_the_tier_and_the_slice_of_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = recipe(tmp_path, "http://localhost:1/v1", [{"select": {"by": "random", "keep": 5}}], rows=40)
    context = Context(made, RunDirectory(tmp_path / "run"), tmp_path / "store")
    context = ingest_target(context, divided=True)
    assert context.target is not None

    rows = read_rows(context.target).to_pylist()
    proposals = Reworded(model=MODEL).propose_between(writer(0.2), SOLVER, demand(rows))
    variants = [proposal.row for proposal in proposals if proposal.row]
    assert 20 < len(variants) < 40
    with PartWriter(tmp_path / "variants") as out:
        out.write(build(variants))
    before = context.target_digest
    context = renewed.admit(context, Renewed("reworded", "01-renew", tmp_path / "variants"), context.target)
    assert context.target_digest != before
    seen: list[str] = []

    def examined(model: Path, exam: Any) -> RowScores:
        ids = read_rows(exam.rows, ["id"])["id"].to_pylist()
        seen.extend(ids)
        slices = np.array(exam.slices, dtype=object)
        return RowScores(np.array(ids, dtype=object), slices, np.zeros(len(ids)), np.ones(len(ids)))

    monkeypatch.setattr(renewed, "examine", examined)
    tiers = write_tiers(context)
    parents = {row["id"]: row["parents"][0] for row in variants}
    slices = slices_by_id(context, context.target)
    for tier in ("steer", "sealed"):
        ids = read_rows(tiers[tier], ["id"])["id"].to_pylist()  # type: ignore[index]
        known = RowScores(np.array(ids, dtype=object), np.array([""] * len(ids)), np.ones(len(ids)), np.ones(len(ids)))
        seen.clear()
        found = renewed.of_renewed(context, tmp_path, Evaluate(smallest_slice=1), known, "final_answer")["renewed"]
        assert seen
        assert {parents[id] for id in seen} == set(ids) & set(parents.values())
        change = found["reworded"]["change"]
        assert (change["value"], change["n"]) == (-1.0, len(seen))  # a model that knew its answers by heart
        assert change["high"] < 0
        assert {n: s["n"] for n, s in found["reworded"]["slices"].items()} == {
            name: sum(slices[parents[id]] == name for id in seen) for name in {slices[parents[id]] for id in seen}
        }
        assert "worse on the variants" in drawn({**found["reworded"], "renewed": found})


@pytest.mark.parametrize(
    ("steps", "more", "said"),
    [
        ([{"deduplicate": {}}, {"renew": {"by": "reworded"}}], {}, "renew comes before all other steps"),
        ([{"renew": {"by": "revision"}}], {}, "revision may change what is right; .* by noised, perturbed, reworded"),
        ([{"renew": {"by": "reworded"}}, {"deduplicate": {}}], {"target": []}, "renew needs a target"),
        ([{"renew": {"by": "rewordet"}}], {}, "reworded"),
    ],
)  # fmt: skip
def test_a_renewal_that_cannot_be_is_refused_beforehand(
    tmp_path: Path, steps: list[Any], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        plan(recipe(tmp_path, "http://localhost:1/v1", steps, **more))
