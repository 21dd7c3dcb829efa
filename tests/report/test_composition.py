"""What the report says of the data set beside the pool agrees with a count by hand."""

from __future__ import annotations

import re
from pathlib import Path

from dataflywheel.report.rundir import Run, load_run
from dataflywheel.report.sections.composition import composition, content
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import PartWriter
from dataflywheel.rows.schema import Row, table
from dataflywheel.store.record import StepRecord


def row(i: int, source: str, tags: list[str], made_by: str = "") -> Row:
    made = prompt_answer_row("é" * i, "a" * (2 * i), source=source, tags=tags)
    return {**made, "made_by": made_by}


def run_of(folder: Path, before: list[Row], after: list[Row]) -> Run:
    for index, name, rows in ((0, "pool", before), (1, "select", after)):
        step = folder / "round-1" / f"{index:02d}-{name}"
        with PartWriter(step / "rows") as writer:
            writer.write(table(rows))
        StepRecord(step=name, rows_in=len(before), rows_out=len(rows)).write(step)
    (folder / "recipe.yaml").write_text("name: a\n", encoding="utf-8")
    return load_run(folder)


def cells(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    return [re.findall(r">([^<]*)</t[hd]>", one) for one in rows if "<td" in one]


def test_shares_before_and_after_are_those_of_the_rows(tmp_path: Path) -> None:
    before = [row(i, "web", ["x"] if i % 2 else []) for i in range(1, 9)] + [row(i, "<b>", ["y"]) for i in range(9, 11)]
    after = [*before[:1], *before[-1:], row(30, "web", [], made_by="grounded_rules"), row(31, "new", [])]
    shown = composition(run_of(tmp_path, before, after))
    assert "4 rows, out of 10 in the pool" in shown
    assert cells(shown) == [
        ["web", "8", "80%", "2", "50%", "0.625"],
        ["&lt;b&gt;", "2", "20%", "1", "25%", "1.25"],
        ["new", "0", "0%", "1", "25%", "new"],
        ["x", "4", "40%", "1", "25%", "0.625"],
        ["y", "2", "20%", "1", "25%", "1.25"],
        ["grounded_rules", "1", "25%"],
    ]


def test_lengths_are_characters_of_prompts_and_answers(tmp_path: Path) -> None:
    rows = [row(i, "web", []) for i in (3, 1, 2)]
    run_of(tmp_path, rows, rows[:1])
    found = content(tmp_path / "round-1" / "00-pool" / "rows")
    assert (found.rows, found.prompts.tolist(), found.answers.tolist()) == (3, [3, 1, 2], [6, 2, 4])


def test_a_run_that_changed_nothing_yet_has_no_such_section(tmp_path: Path) -> None:
    run = run_of(tmp_path, [row(1, "web", [])], [])
    assert "holds no row" in composition(run)
