"""Whether an answer's program passes the row's tests."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from pydantic import Field

from dataflywheel.contracts import Card, Mark, Metric
from dataflywheel.proposing.limited_process import Limits, run_limited
from dataflywheel.proposing.runnable_tests import UNRUNNABLE, UnrunnableError, runnable
from dataflywheel.proposing.tested_code import given_helpers, program_of
from dataflywheel.rows.text import fields_of, part_of

NO_TESTS = "no tests"
NO_PROGRAM = "no program in the answer"
NOT_RUN = "the tests made no assertion"


class UnitTests(Metric):
    """1 where the answer's program passes the row's tests in a limited process, else 0; with several samples an answer,
    `pass_at_k` of them.

    Tests are the row's field `tests`, `test` (with `entry_point`, as HumanEval has them) or `test_list` (with
    `test_setup_code` or `test_imports`, as MBPP). Where the question is the beginning of a program, its imports and
    helpers come before the answer's, and an answer that goes on from it is joined to it.
    """

    card: ClassVar[Card] = Card(
        title="Evaluating Large Language Models Trained on Code",
        authors="Chen et al.",
        year=2021,
        paper="2107.03374",
        category="evolution",
        subcategory="metrics",
        summary="Share of answers whose program passes unit tests; pass@k with several samples.",
        needs=("target",),
        cost="$",
        checked="the 164 reference solutions of HumanEval and their mutants; pass@k against enumeration",
        pays="Code with tests: several samples and pass@k tell more of a small student than one greedy answer.",
        fails="Weak tests call wrong programs right, slow or networked ones fail at the limits, and every sample "
        "costs a generation: read what failed by time.",
        evidence="benchmarks/gates.md: of 231 right programs of HumanEval among prose and drafts none fails, and all "
        "of 33 programs do that deceive their tests, which were looked at while the rules were written.",
    )

    waits: ClassVar[bool] = True

    limits: Limits = Field(default_factory=Limits)
    """What a program may use."""

    def mark(self, answer: str, row: Mapping[str, Any]) -> Mark:
        tests, entry = tests_of(row)
        if not tests:
            return Mark(None, NO_TESTS)
        prompt = part_of(row["messages"], "prompt")
        program = program_of(answer, prompt, entry)
        if not program.strip():
            return Mark(0.0, NO_PROGRAM)
        try:
            tests = runnable(tests)
        except UnrunnableError as error:
            return Mark(None, f"{UNRUNNABLE}: {error}")
        run = run_limited(program, given_helpers(prompt) + tests, self.limits)
        if run.reason:
            return Mark(0.0, run.reason)
        return Mark(1.0) if run.checked else Mark(None, NOT_RUN)

    def lacks(self, row: Mapping[str, Any]) -> str:
        return "" if tests_of(row)[0] else NO_TESTS


def tests_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """The tests of a row as one program, and the name that they are about where it is said."""
    extra = fields_of(row)
    entry = str(extra.get("entry_point") or "")
    parts: list[str] = []
    for name in ("test_setup_code", "test_imports"):
        parts += _lines(extra.get(name))
    found = [line for name in ("tests", "test", "test_list") for line in _lines(extra.get(name))]
    if not found:
        return "", entry
    code = "\n".join([*parts, *found])
    calls_itself = "check(" in code.replace("def check(", "")
    return (f"{code}\ncheck({entry})" if entry and "def check(" in code and not calls_itself else code), entry


def _lines(value: Any) -> list[str]:
    if isinstance(value, list):
        return [line for line in value if isinstance(line, str) and line.strip()]
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        try:
            return _lines(orjson.loads(value))
        except orjson.JSONDecodeError:
            pass
    return [value] if isinstance(value, str) and value.strip() else []


def pass_at_k(right: int, samples: int, k: int) -> float:
    """The chance that one of k samples is right, estimated without bias from `right` of `samples` (Chen et al. 2021).

    >>> pass_at_k(1, 2, 1), pass_at_k(1, 4, 2), pass_at_k(3, 4, 2)
    (0.5, 0.5, 1.0)
    """
    return 1.0 - math.comb(samples - right, k) / math.comb(samples, k)
