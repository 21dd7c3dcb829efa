"""Steps that ask a model, left out or asked again: one bill and one cap for the run and all its parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import FlywheelError
from dataflywheel.recipe.bill import account_of
from dataflywheel.recipe.comparing.leave_out import LeftOut
from dataflywheel.recipe.comparing.worth import charged
from dataflywheel.recipe.context import Context
from dataflywheel.recipe.steps import writing
from dataflywheel.recipe.steps.build import build_steps
from dataflywheel.recipe.walk import Walk
from dataflywheel.store.run import RunDirectory
from tests.evolution.planted_wheels import GATES
from tests.recipe.jobs import TRAIN, job
from tests.recipe.test_wheel import CLEANED
from tests.recipe.worths import shortened
from tests.support.endpoint import Endpoint

PRICE = {"in": 1.0, "out": 10.0}
STEPS: list[Any] = [
    CLEANED[1],
    {"filter": {"bounds": {"text.tokens_answer": [5, 30]}}},
    {"select": {"by": "random", "keep": 8}},
    {"enhance": {"by": {"revision": {"revise": "answer"}}, "gates": GATES}},
    *TRAIN,
]


def turned(folder: Path, endpoint: Endpoint, **budget: float) -> tuple[Context, int, list[LeftOut]]:
    """The run, how many answers were paid for it alone, and what came of it without each step."""
    models = {
        "student": {"builtin": "tiny", "size": "0.5m"},
        "teacher": {"endpoint": endpoint.url, "model": "writer", "usd_per_mtok": PRICE},
    }
    compare = {"arms": ["random"], "leave_one_out": ["filter", "enhance"]}
    made = job(folder, STEPS, models=models, compare=compare, budget=budget)
    context = Context(made, RunDirectory(folder / "runs" / "job"), folder / "store")
    with account_of(context, asks=True) as context:
        walk = Walk(context, [step for step in build_steps(made) if step.changes_rows])
        walk.take_steps()
        paid = len(endpoint.bill().charged)
        return context, paid, shortened(walk)


def test_only_other_rows_are_asked_about_and_all_is_on_one_bill(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "writer", "errors": 0.0}])
    context, paid, (no_filter, no_enhance) = turned(tmp_path, endpoint)
    total = len(endpoint.bill().charged)
    own = {name: bill for name, bill in context.run.ledger.steps.items() if bill.calls}
    assert set(own) <= {"round-1/04-enhance", "without/02-filter/round-1/04-enhance"}
    assert sum(bill.calls for bill in own.values()) == total
    assert charged(context.run, "04-enhance").calls == paid
    assert charged(context.run, "04-enhance").usd > 0
    assert len(no_filter.ids) == len(no_enhance.ids) == 8
    chosen = context.run.path / "round-1" / "03-select" / "metrics.json"
    assert json.loads(chosen.read_text())["rows_out"] == 8
    turned(tmp_path, endpoint)
    assert len(endpoint.bill().charged) == total  # all of it is there


def test_the_cap_holds_for_the_run_and_its_parts_together(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "writer", "errors": 0.0}])
    (tmp_path / "free").mkdir()
    (tmp_path / "capped").mkdir()
    _, alone, _ = turned(tmp_path / "free", endpoint)
    asked = len(endpoint.bill().charged) - alone
    assert asked > 1  # other rows are chosen without the filter
    endpoint.reset()
    endpoint.configure(rules=[{"rule": "writer", "errors": 0.0}])
    _, again, (no_filter, no_enhance) = turned(tmp_path / "capped", endpoint, calls=alone + asked - 1)
    assert again == alone
    assert len(endpoint.bill().charged) == alone + asked - 1
    assert "cap" in no_filter.stopped
    assert not no_filter.ids
    assert no_enhance.ids


def test_what_a_part_spent_before_it_failed_is_on_the_bill_too(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint.configure(rules=[{"rule": "writer", "errors": 0.0}])
    write, failed = writing.write_ledger, "without/02-filter"

    def fails(path: Path, entries: Any) -> None:
        if failed in str(path):
            raise FlywheelError("no space")
        write(path, entries)

    monkeypatch.setattr(writing, "write_ledger", fails)
    context, paid, (no_filter, _) = turned(tmp_path, endpoint)
    assert no_filter.needed == "no space"
    asked = len(endpoint.bill().charged) - paid
    assert asked > 0
    bills = context.run.ledger.steps
    assert bills[f"{failed}/round-1/04-enhance"].calls == asked
    assert charged(context.run, "04-enhance").calls == paid
    assert bills["round-1/04-enhance"].seconds > 0  # what was billed stays as it was
