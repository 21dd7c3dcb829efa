from __future__ import annotations

from pathlib import Path
from typing import Any

from dataflywheel.report.rundir import Step
from dataflywheel.report.sections.mixture import mixture, mixture_of
from dataflywheel.store.record import StepRecord

FOUND = {
    "steps": [0, 10, 20],
    "weights": {"sums": [0.5, 0.6, 0.75], "<b>": [0.5, 0.4, 0.25]},
    "losses": {"sums": [4.0, 3.5, 3.0], "<b>": [2.0, 2.0, 1.5]},
    "graph": {"sums": {"sums": 1.0, "<b>": 0.25}, "<b>": {"<b>": 1.0}},
    "drawn": {"sums": 70, "<b>": 30},
    "without_skill": 3,
}


def step(params: dict[str, Any], details: dict[str, Any]) -> Step:
    return Step(1, 3, "train", Path("03-train"), StepRecord(step="train", params=params, details=details))


def test_weights_over_time_and_edges_are_told_and_names_are_text() -> None:
    told = mixture_of(step({"sampler": {"skill_it": {}}}, {"sampler": FOUND}))
    for part in (
        "step 20",
        "0.750",
        "0.250",
        "4.000 to 3.000",
        "3 rows have no skill",
        "1 of 2 possible edges",
        "0.25",
    ):
        assert part in told, part
    assert "&lt;b&gt;" in told
    assert "<b>" not in told
    assert "hardly any order" not in told
    found = mixture(step({"sampler": {"skill_it": {}}}, {"sampler": FOUND}))
    assert found is not None
    assert found.moved() == (
        "skill_it drew 2 skills by weights that it set anew: that of sums from 0.5 to 0.75, "
        "that of <b> from 0.5 to 0.25"
    )
    full = {**FOUND, "graph": {"sums": {"<b>": 0.25}, "<b>": {"sums": 0.1}}}
    assert "hardly any order" in mixture_of(step({"sampler": {"skill_it": {}}}, {"sampler": full}))


def test_other_samplers_and_trainings_have_no_weights_over_time() -> None:
    for params, details in [
        ({}, {}),
        ({"sampler": None}, {}),
        ({"sampler": {"doremi": {}}}, {"sampler": {"weights": {"a": 0.5}}}),
    ]:
        assert mixture_of(step(params, details)) == ""
