"""Plain functions of the user's: what they may say, where they may stand, and that one that fails ends nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import dataflywheel as fw
from dataflywheel import catalog
from dataflywheel.contracts import PYTHON, FlywheelError, Metric, UsageError, build
from dataflywheel.enhancement.preparation.filter import Filter
from dataflywheel.evolution.bridges.reward_of import reward_of
from dataflywheel.evolution.metrics.named import metric_of
from dataflywheel.plugins.functions import load, reason_of
from dataflywheel.plugins.named import code_of
from dataflywheel.proposing.gates.python_gate import PythonGate
from dataflywheel.proposing.kinds import Check, Gate, Proposal, Surroundings
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.load import recipe_from
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.store.decisions import read_decisions

CHECKS = """
from helper import LEAST

async def later(row):
    return True

class Judge:
    pass

number = 3

def answer(row):
    return row["messages"][-1]["content"]

def ok(row):
    if answer(row) == "raise":
        raise ValueError("no\\nidea")
    return {"true": True, "false": False, "none": None, "exit": 1}.get(answer(row), answer(row))

def longer(row, before):
    return before is None or len(answer(row)) > len(answer(before)), "not longer"

def keep(row):
    row["id"] = row["messages"] = "spoiled"
    return row["source"] != "bad"

def long_enough(row):
    said = answer(row)
    if said == "raise":
        raise SystemExit("stop")
    return len(said) >= LEAST or f"fewer than {LEAST} characters"

def score(answer, row):
    return len(answer) - LEAST
"""


@pytest.fixture(autouse=True)
def checks(tmp_path: Path) -> None:
    (tmp_path / "checks.py").write_text(CHECKS)
    (tmp_path / "helper.py").write_text("LEAST = 3\n")


def test_what_a_function_may_say() -> None:
    said: list[tuple[Any, str]] = [
        (True, ""), (np.True_, ""), ((True, ""), ""), ((True, "why not"), ""), ((True, None), ""),
        (False, "else"), (np.False_, "else"), ("too\n short", "too short"), ((False, "late"), "late"),
        ((False, ""), "else"), ((np.False_, None), "else"), ("x" * 999, "x" * 200),
    ]  # fmt: skip
    assert [reason_of(one, "else") for one, _ in said] == [reason for _, reason in said]
    for wrong in (
        None,
        "",
        " ",
        0,
        1,
        0.5,
        [],
        {},
        (True,),
        (1, "x"),
        ("x", "y"),
        (False, 3),
        object(),
        np.array([True]),
    ):
        with pytest.raises(TypeError, match=r"it gave .*, and True, False or a reason"):
            reason_of(wrong, "else")


def test_a_gate_tells_every_proposal_by_itself() -> None:
    said = ["true", "false", "too short", "raise", "none", "exit"]
    gate = build(catalog.get(PYTHON, Gate), {"function": "./checks.py:ok"})
    assert isinstance(gate, PythonGate)
    checks = gate.check([Proposal((), row=prompt_answer_row("a", text)) for text in said], Surroundings())
    assert [(one.passed, one.reason) for one in checks] == [
        (True, ""),
        (False, "turned away by checks.py:ok"),
        (False, "too short"),
        (False, "the function failed"),
        (False, "the function failed"),
        (False, "the function failed"),
    ]
    assert checks[3].detail == "ValueError: no idea (checks.py, line 17)"
    assert "it gave None" in checks[4].detail
    assert "it gave 1" in checks[5].detail


def test_a_gate_may_look_at_the_row_before() -> None:
    before, longer = prompt_answer_row("a", "four"), prompt_answer_row("a", "fives")
    gate = PythonGate(function="./checks.py:longer")
    rewritten = [
        Proposal((), row=longer, before=before),
        Proposal((), row=before, before=longer),
        Proposal((), row=before),
    ]
    assert gate.check(rewritten, Surroundings()) == [Check(True), Check(False, "not longer"), Check(True)]


def test_what_is_no_function_is_said_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("x = 1\nimport not_installed_anywhere\n")
    wrong = {
        "./checks.py:absent": "holds no function 'absent'",
        "./checks.py:number": "holds no function 'number'",
        "./checks.py:later": "later in checks.py is async; write a plain function",
        "./checks.py:Judge": "Judge in checks.py is a class",
        "./checks.py": "names no function",
        "./absent.py:ok": "is not there",
        "./broken.py:ok": "broken.py cannot be run, line 2: ModuleNotFoundError",
    }
    for function, why in wrong.items():
        said = "(?s)" + why
        for make in (lambda f: PythonGate(function=f), lambda f: Filter(python=f), lambda f: metric_of(f"python:{f}")):
            with pytest.raises(UsageError, match=said):
                make(function)
    (tmp_path / "pool.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    step = {"enhance": {"by": "redact_personal_data", "gates": [{"python": "./checks.py:absent"}]}}
    recipe = recipe_from({"name": "x", "pool": {"path": "pool.jsonl"}, "steps": [step]})
    with pytest.raises(UsageError, match=r"gate: python: .*holds no function 'absent'"):
        plan(recipe)


def test_code_beside_a_function_counts_and_is_run_as_it_stands(tmp_path: Path) -> None:
    metric = metric_of("python:./checks.py:score")
    assert isinstance(metric, Metric)
    assert metric.score("four", {}) == 1.0
    named = {"gates": [{"python": {"function": "./checks.py:ok"}}], "python": "./checks.py:keep", "no": "./x.py:y"}
    first = metric.contents(), code_of(named)
    assert first[1] == [first[0]] * 2
    (tmp_path / "helper.py").write_text("LEAST = 4\n")
    assert metric.score("four", {}) == 0.0
    assert (metric.contents(), code_of(named)) != first
    assert load("./checks.py:ok", "gate") is load("checks.py:ok", "gate")


def test_a_filter_keeps_what_the_function_keeps(tmp_path: Path) -> None:
    said = {"long": "kept", "": "dropped", "abc": "kept", "ab": "dropped", "raise": "kept"}
    rows = "".join(f'{{"prompt": "{n}", "completion": "{text}"}}\n' for n, text in enumerate(said))
    (tmp_path / "pool.jsonl").write_text(rows + '{"prompt": "6", "completion": "other", "source": "bad"}\n')
    steps: list[Any] = [{"filter": {"python": "./checks.py:long_enough"}}, {"filter": {"python": "./checks.py:keep"}}]
    value = {"name": "own", "pool": {"path": "pool.jsonl"}, "steps": steps}
    where: dict[str, Any] = {"runs": tmp_path / "runs", "home": tmp_path / "store"}
    done = run(recipe_from(value), **where)
    first = tmp_path / "runs" / "own" / "round-1" / "01-filter"
    reasons = {one["reason"] for one in read_decisions(first / "decisions.parquet").to_pylist()}
    assert {
        "kept by the function",
        "fewer than 3 characters",
        "unmeasured: python.reason (failed: SystemExit: stop (checks.py, line 30))",
    } == reasons
    assert "python.reason" in pq.read_schema(first / "columns.parquet").names
    text = (first / "metrics.json").read_text()
    assert "checks.py:long_enough failed at 1 rows, first: SystemExit: stop (checks.py, line 30)" in text
    assert done.rows_out == sum(action == "kept" for action in said.values()) + 1
    before = (first / "metrics.json").stat().st_mtime_ns
    run(recipe_from(value), **where)
    assert (first / "metrics.json").stat().st_mtime_ns == before
    (tmp_path / "helper.py").write_text("LEAST = 4\n")
    assert run(recipe_from(value), **where).rows_out == done.rows_out - 1
    value["steps"] = [{"filter": {"python": "./checks.py:long_enough", "unmeasured": "drop"}}]
    assert run(recipe_from(value), **where).rows_out == 2  # with 4 characters or more; the one that fails goes


def test_what_cannot_give_an_answer_is_refused_before_anything_is_spent(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(
        "def none(): return 1\n\ndef more(a, b, c): return 1\n\ndef one_by_one(row):\n    yield True\n\n"
        "async def stream(row):\n    yield True\n\nclass Later:\n    async def __call__(self, row): return True\n\n"
        "later = Later()\ndef optional(row, least=3): return True\ndef any_of(*a, **k): return True\n"
        "def pair(row, before): return True\ndef trl(completions, **rest): return [1.0]\n"
    )
    for name, said in {
        "none": r"none in .*odd\.py, line 1, cannot be called with \(row\): too many",
        "more": r"more in .*odd\.py, line 3, cannot be called with \(row\): missing .* 'b'",
        "one_by_one": "is a generator",
        "stream": "is async",
        "later": "is async",
    }.items():
        with pytest.raises(UsageError, match=rf"gate: python: .*{said}"):
            build(catalog.get(PYTHON, Gate), {"function": f"odd.py:{name}"})
    for name in ("optional", "any_of", "pair", "trl"):
        load(f"odd.py:{name}", "reward", ["answer"])


def test_a_failure_names_the_line_of_the_user_s_file(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(
        "from beside import deep\ndef score(answer, row):\n    return deep(row)\n\n"
        "def keep(row):\n    return row['no']\n"
    )
    (tmp_path / "beside.py").write_text("def deep(row):\n    return row['no']\n")
    row = prompt_answer_row("a", "b")
    assert metric_of("python:odd.py:score").mark("b", row).note == ("the function failed: KeyError (beside.py, line 2)")
    reward = reward_of({"python": "odd.py:score"})
    assert [mark.note for mark in reward.marks(["b"], [row])] == [
        "the function failed: KeyError: 'no' (beside.py, line 2)"
    ]
    with pytest.raises(UsageError, match="gate: python: "):  # and not as a metric
        fw.check([{"prompt": "a", "completion": "b"}], gate="python:odd.py:absent")
    (tmp_path / "pool.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    steps = [{"filter": {"python": "odd.py:keep"}}]
    with pytest.raises(FlywheelError, match=r"failed at all 1 rows; the first: KeyError: 'no' \(odd\.py, line 6\)"):
        run(recipe_from({"name": "all", "pool": {"path": "pool.jsonl"}, "steps": steps}))
