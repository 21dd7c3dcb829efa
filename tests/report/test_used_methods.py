"""Everybody whose method took part in a run is cited: steps, what they name, gates, signals, trainers, policies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataflywheel.report.card.used_methods import methods_of, methods_of_run
from dataflywheel.report.rundir import Run, Step
from dataflywheel.store.plan import Plan
from dataflywheel.store.record import StepRecord


def step(name: str, params: dict[str, Any], **details: Any) -> Step:
    return Step(1, 1, name, Path("runs/a/round-1/01-x"), StepRecord(params=params, details=details))


CASES: list[tuple[Step, set[str]]] = [
    (step("select", {"by": [{"ifd": {}}], "then": {"k_center": {}}}), {"ifd", "likelihood", "k_center", "embedding"}),
    (
        step(
            "enhance", {"by": {"revision": {}}, "where": {"alpagasus.score": [None, 3]}}, gates=["meaning", "refusal"]
        ),
        {"revision", "meaning", "refusal", "alpagasus"},
    ),
    (step("generate", {"by": {"llm2llm": {}}, "gates": None}, gates=["novelty"]), {"llm2llm", "novelty"}),
    (step("generate", {"by": {"magpie": {}}, "gates": [{"no_toxicity": {}}]}), {"magpie", "no_toxicity"}),
    (step("generate", {"gates": [{"scored": {"by": {"final_answer": {}}}}]}), {"scored", "final_answer"}),
    (step("evaluate", {}, metric='unit_tests:{"seconds": 2}'), {"unit_tests"}),
    (step("evaluate", {}, metric="python:./metrics.py:score"), set()),
    (step("filter", {"bounds": {"toxicity.toxic": [None, 0]}}), {"filter", "toxicity"}),
    (step("filter", {"bounds": {"lately.margin": [None, 0.5]}}), {"filter", "likelihood"}),
    (step("train", {"sampler": {"doremi": {}}}), {"doremi"}),
    (step("train", {"sampler": None}), set()),
    (step("distill", {"by": {"uld": {}}, "sampler": None}), {"uld"}),
    (step("prefer", {"beta": 0.1}), {"dpo"}),
    (step("evaluate", {"judge": {"pairwise": {}}}), {"pairwise"}),
    (step("deduplicate", {"near": 0.8}), {"deduplicate", "near_duplicate"}),
]


OWN = {"prompts": "embedding", "lately": "likelihood"}


@pytest.mark.parametrize(("made", "expected"), CASES)
def test_what_a_step_rests_on(made: Step, expected: set[str]) -> None:
    assert expected <= set(methods_of(made, OWN))
    assert expected or not methods_of(made, OWN)


def test_a_run_names_its_trainers_and_its_policies_too() -> None:
    steps = [step("pool", {}), step("train", {"sampler": "rho_loss"}), step("prefer", {}), step("evaluate", {})]
    recipe = "feedback: {weakest_slices: {}, thompson: {}}\n"
    run = Run(Path("runs/a"), steps, Plan(), {}, None, recipe, [])
    assert methods_of_run(run) == ["rho_loss", "dpo", "weakest_slices", "thompson"]
