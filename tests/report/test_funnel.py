"""Rows by step: what a bar shows adds up, and added rows are never drawn as dropped ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dataflywheel.report.rundir import Run, load_run
from dataflywheel.report.sections.appendix import quarantine
from dataflywheel.report.sections.costs import costs
from dataflywheel.report.sections.funnel import funnel, parts, scales
from dataflywheel.report.sections.wheel import moved
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import table
from dataflywheel.store.atomic import write_json
from dataflywheel.store.record import StepRecord


def run_of(folder: Path, *records: StepRecord) -> Run:
    for index, record in enumerate(records):
        step = folder / "round-1" / f"{index:02d}-{record.step}"
        with PartWriter(step / "rows") as writer:
            writer.write(table([prompt_answer_row("a", "b")]))
        record.write(step)
    (folder / "recipe.yaml").write_text("name: a\n", encoding="utf-8")
    return load_run(folder)


def record(name: str, came: int, went: int, **counts: int) -> StepRecord:
    told = {f"{action}: for a reason": n for action, n in counts.items()}
    return StepRecord(step=name, rows_in=came, rows_out=went, counts=told)


@pytest.mark.parametrize(
    ("step", "found"),
    [
        (record("pool", 120, 100, kept=100, dropped=20), (100, 0, 0, 20)),
        (record("enhance", 100, 100, kept=90, changed=10), (90, 10, 0, 0)),
        (record("generate", 130, 130, kept=100, added=30), (100, 0, 30, 0)),
        (record("generate", 100, 130), (100, 0, 30, 0)),
        (record("mixed", 110, 90, kept=75, changed=5, added=10, dropped=20), (75, 5, 10, 20)),
    ],
)
def test_parts_of_a_bar_are_what_became_of_the_rows(tmp_path: Path, step: StepRecord, found: tuple[int, ...]) -> None:
    (read,) = run_of(tmp_path, step).steps
    assert tuple(parts(read).values()) == found
    assert sum(found[:3]) == step.rows_out


def test_added_rows_have_their_own_colour_and_legend(tmp_path: Path) -> None:
    run = run_of(tmp_path, record("pool", 100, 100, kept=100), record("generate", 130, 130, kept=100, added=30))
    html = funnel(run)
    bar = html[html.index("generate") :]
    assert re.findall(r'<rect class="(\w+)"', bar) == ["kept", "added"]
    assert '<span class="change added">+30 (30%)</span>' in bar
    assert '<span class="key added"></span> added here' in html
    assert "changed here" not in html
    assert "added here" not in funnel(run_of(tmp_path / "b", record("pool", 100, 100, kept=100)))


def test_small_steps_are_drawn_on_a_scale_that_is_said(tmp_path: Path) -> None:
    select = record("select", 1000, 20, kept=20, dropped=980)
    run = run_of(tmp_path, record("pool", 1000, 1000, kept=1000), select, record("generate", 25, 25, kept=20, added=5))
    assert list(scales(run.steps).values()) == [1000, 1000, 25]
    assert funnel(run).count("bar drawn 40 times as wide") == 1
    assert 'class="added" x="80.00%" y="0" width="20.00%"' in funnel(run)


def test_bills_stand_in_the_order_of_the_run(tmp_path: Path) -> None:
    names = ["compare", "without/03-filter", "round-2/01-a", "helpers/x", "round-10/01-a", "sealed", "round-1/00-pool"]
    write_json(tmp_path / "ledger.json", {"total": {}, "steps": {name: {"seconds": 1} for name in sorted(names)}})
    shown = costs(run_of(tmp_path, record("pool", 1, 1)))
    order = ["helpers/x", "round-1/00-pool", "round-2/01-a", "round-10/01-a", "sealed", "without/03-filter", "compare"]
    assert sorted(order, key=lambda name: shown.index(f'scope="row" data-label="step">{name}<')) == order


def test_how_far_feedback_moved_a_budget() -> None:
    assert "0.3% of the budget moved to other slices. The feedback hardly" in moved(
        {2: {"a": 503, "b": 497}, 3: {"a": 500, "b": 500}}
    )
    told = moved({1: {}, 2: {"a": 10}, 3: {"b": 10}})
    assert "Between round 2 and round 3, 100% of the budget" in told
    assert "hardly" not in told
    assert moved({1: {"a": 5}}) == ""


def test_shares_that_were_asked_for_stand_beside_those_reached(tmp_path: Path) -> None:
    told = {"values": {"<forum>": {"asked": 0.4, "reached": 0.434}}, "off": 0.034}
    notes = {"raked": {"truncated": 0, "margins": {"row.source": told}}, "by": "raked"}
    selected = record("select", 100, 30, kept=30, dropped=70).model_copy(update={"details": {"notes": notes}})
    assert "row.source: &lt;forum&gt; 40% asked, 43.4% reached." in funnel(run_of(tmp_path, selected))


def test_rows_that_are_held_apart_are_told_beside_lines_that_could_not_be_read(tmp_path: Path) -> None:
    run = run_of(tmp_path, record("pool", 100, 100, kept=100), record("quarantine", 100, 98, kept=98, dropped=2))
    assert "held apart" not in quarantine(run)
    (tmp_path / "quarantine").mkdir()
    (tmp_path / "quarantine" / "rows.jsonl").write_text('{"text":"a"}\n{"text":"b"}\n', encoding="utf-8")
    assert "2 rows held apart, each with its reason: quarantine/rows.jsonl." in quarantine(run)
