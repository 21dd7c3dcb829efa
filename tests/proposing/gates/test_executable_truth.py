"""Executable truth against planted faults: reference solutions and their mutants, right and wrong sums, idle tests."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.proposing.gates.executable_truth import DISAGREE, OTHER_CODE, WRONG, ExecutableTruth
from dataflywheel.proposing.kinds import Check, Proposal, Surroundings
from dataflywheel.proposing.limited_process import Limits
from dataflywheel.rows.identity import prompt_answer_row
from tests.signals.rows import json_lines


def proposal(prompt: str, answer: str, **facts: Any) -> Proposal:
    return Proposal((), prompt_answer_row(prompt, answer), facts=facts)


def reasons(checks: Sequence[Check]) -> Counter[str]:
    return Counter(check.reason for check in checks)


def check(*proposals: Proposal) -> list[Check]:
    return ExecutableTruth(limits=Limits(seconds=3)).check(proposals, Surroundings())


def human_eval(data: Path, rows: int) -> tuple[list[Proposal], list[Proposal]]:
    """Reference solutions, and the same with every return broken."""
    right, wrong = [], []
    for row in json_lines(data / "human_eval_code" / "HumanEval.jsonl.gz")[:rows]:
        tests = f"{row['test']}\ncheck({row['entry_point']})"
        whole = row["prompt"] + row["canonical_solution"]
        right.append(proposal(row["prompt"], row["canonical_solution"], program=whole, tests=tests))
        tree = ast.parse(whole)
        function = next(node for node in tree.body if getattr(node, "name", "") == row["entry_point"])
        for node in ast.walk(function):
            if isinstance(node, ast.Return) and node.value is not None:
                node.value = ast.Tuple([node.value, ast.Constant("broken")], ast.Load())
        mutant = ast.unparse(ast.fix_missing_locations(tree))
        wrong.append(proposal(row["prompt"], f"```python\n{mutant}\n```", tests=tests))
    return right, wrong


def test_reference_solutions_pass_and_their_mutants_fail(data: Path) -> None:
    right, wrong = human_eval(data, 12)
    assert all(found.passed and found.facts["assertions"] > 0 for found in check(*right))
    assert not any(found.passed for found in check(*wrong))


@pytest.mark.slow
def test_all_reference_solutions_pass_and_their_mutants_fail(data: Path) -> None:
    right, wrong = human_eval(data, 164)
    assert reasons(check(*right)) == {"": 164}
    assert not any(found.passed for found in check(*wrong))


def test_published_worked_solutions_are_verified_and_wrong_ones_are_not(data: Path) -> None:
    rows = json_lines(data / "gsm8k" / "train.jsonl.gz")[::3]
    golds = [row["answer"].split("####")[1].strip() for row in rows]
    right = check(*(proposal(r["question"], r["answer"], gold=g) for r, g in zip(rows, golds, strict=True)))
    # Five worked solutions say "the answer" of a step as well.
    assert reasons(right)[""] >= len(rows) - 5
    off = [str(int(g.replace(",", "")) + 1) for g in golds]
    wrong = check(*(proposal(r["question"], r["answer"], gold=g) for r, g in zip(rows, off, strict=True)))
    assert not any(found.passed for found in wrong)


def test_published_equations_give_the_published_answers(data: Path) -> None:
    rows = json.loads((data / "svamp" / "SVAMP.json").read_text())
    found = check(*(proposal(r["Body"], str(r["Answer"]), program=r["Equation"], gold=r["Answer"]) for r in rows))
    assert reasons(found) == {"": 999, DISAGREE: 1}  # one equation of the set does not give its answer


def test_nothing_unverified_passes_among_thousands_of_noisy_sums() -> None:
    rng = np.random.default_rng(0)
    proposals, truths = [], []
    for _ in range(4_000):
        a, b, c = (int(x) for x in rng.integers(-999, 1000, 3))
        op = "+-*"[rng.integers(3)]
        value = Fraction(eval(f"({a} {op} {b})")) / (c or 1)
        noise = [0, 1, -2 * value, value * 9, Fraction(1, 7), value / 100][rng.integers(6)]
        said = value + noise
        dress = [
            "#### {}",
            "The answer is {}.",
            "\\boxed{{{}}}",
            "{}",
            "Somewhere around {}\nI think",
            "#### {}\n#### x",
        ]
        style = int(rng.integers(6))
        proposals.append(proposal("sum", dress[style].format(said), program=f"({a} {op} {b}) / {c or 1}"))
        truths.append(said == value and style < 4)
    found = check(*proposals)
    assert [one.passed for one in found] == truths
    assert 400 < sum(truths) < 1200


def test_what_cannot_be_checked_does_not_pass() -> None:
    tests = "def check(f):\n    assert f(1) == 2\n"
    code = "def f(x):\n    return x + 1\n"
    found = check(
        proposal("q", "72"),
        proposal("q", "I think it is about seventy-two or so.\nDone.", gold="72"),
        proposal("q", code, tests=tests),
        proposal("q", code, tests=tests + "check(f)"),
        proposal("q", code, tests="try:\n    assert f(1) == 3\nfinally:\n    pass"),
        proposal("q", code, program="def f(x):\n    return 2\n", tests=tests + "check(f)"),
        proposal(
            "def f(x):\n", "    return x + 1\n", program="def f(x):\n    return x + 1\n", tests=tests + "check(f)"
        ),
        proposal("q", "#### 5", program="answer = 2 + 3", gold="5"),
        proposal("q", "#### 5", program="answer = 2 + 4", gold="5"),
        proposal("q", "#### 5", program="answer = 2 + 4"),
        proposal("q", "#### 0.3", program="answer = 0.1 + 0.2"),
        proposal("q", "#### 5", program="import os\nos.fork()\nanswer = 5"),
        proposal("q", "#### 5", program="x = 5"),
    )
    assert [one.reason for one in found] == [
        "nothing to check", "no final answer", "nothing to check", "", "tests failed", OTHER_CODE, "", "", DISAGREE,
        WRONG, "", "started a process", "program gives no value",
    ]  # fmt: skip
