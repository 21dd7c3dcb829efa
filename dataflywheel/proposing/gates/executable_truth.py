"""Executable truth: only what a checker verified passes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from typing import Any, ClassVar

from pydantic import Field

from dataflywheel.contracts import Card
from dataflywheel.proposing.answer_code import MAX_ANSWER, answer_code
from dataflywheel.proposing.answers.compare import number_of, same_answer
from dataflywheel.proposing.exact_numbers import NotArithmeticError, evaluate
from dataflywheel.proposing.final_answer import NoAnswerError, final_answer
from dataflywheel.proposing.kinds import PASSED, Check, Gate, Proposal, Surroundings
from dataflywheel.proposing.limited_process import SLOW, Limits, run_limited
from dataflywheel.proposing.runnable_tests import UNRUNNABLE, UnrunnableError, runnable
from dataflywheel.proposing.tested_code import given_helpers
from dataflywheel.rows.schema import Row
from dataflywheel.rows.text import answer_said, part_of

NOTHING = Check(False, "nothing to check", decided=False)
NO_CODE = replace(NOTHING, decided=True)
WRONG = "wrong answer"
NO_VALUE = "program gives no value"
LONG = "the answer is too long"
OTHER_CODE = "tested code is not the answer"
DISAGREE = "gold and program disagree"
FLOAT_TOLERANCE = Fraction(1, 10**9)
"""Relative; values of a program that ran may carry the rounding of floating point."""


class ExecutableTruth(Gate):
    """Checks an answer by what can be computed; what nothing can be computed for is rejected.

    - With the fact `tests`: they run against the program, each in a limited process (`limited_process` says what that
      keeps out), and must come to their end with at least one assertion made. The program is the code of the answer,
      as `answer_code` finds it; the fact `program` may put code of the prompt before it, but nothing that the answer
      does not hold.
    - Without tests: the final answer (`####`, `\\boxed{}`, "the answer is", or the whole answer where it is one short
      line) must equal the fact `gold`, or the value of the fact `program`, or both where there are both. A program that
      is an expression is computed exactly without running anything; any other runs in the limited process.

    Answers are compared as `same_answer` says: as exact values, with their units, else as text.
    """

    version: ClassVar[int] = 3
    card: ClassVar[Card] = Card(
        title="APIGen: Automated Pipeline for Generating Verifiable and Diverse Function-Calling Datasets",
        authors="Liu et al.",
        year=2024,
        paper="2406.18518",
        category="proposing",
        subcategory="gates",
        summary="Only answers that a computation, a limited run of their code or an exact comparison verified pass.",
        checked="reference solutions and their mutants; programs that fork, sleep, write outside or eat memory",
        pays="Mathematics, code and whatever else has a result or tests: the verdict costs no model and is the same "
        "each time.",
        fails="It sees results and no steps, weak tests let wrong programs through, and what has nothing to compute "
        "by is turned away: for that `answers_agree` or `judged`.",
        evidence="benchmarks/gates.md: of 7,473 worked solutions of gsm8k 1 is turned away and of 164 reference "
        "programs of HumanEval none, with the answer off by one or another task's tests all are.",
    )

    limits: Limits = Field(default_factory=Limits)
    """What a program may use."""

    def lacks(self, facts: Mapping[str, Any]) -> str:
        return "" if any(facts.get(name) for name in ("tests", "program", "gold")) else NOTHING.reason

    def check(self, proposals: Sequence[Proposal], around: Surroundings) -> list[Check]:
        with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as threads:
            return list(threads.map(self.check_one, proposals))

    def check_one(self, proposal: Proposal) -> Check:
        assert proposal.row is not None
        tests, program, gold = (_text(proposal, name) for name in ("tests", "program", "gold"))
        if tests:
            return self._tested(proposal.row, program, tests)
        if not gold and not program:
            return NOTHING
        try:
            given = final_answer(answer_said(proposal.row["messages"]))
        except NoAnswerError as error:
            return Check(False, str(error))
        if gold and not same_answer(given, gold):
            return Check(False, WRONG)
        return self._computed(given, program, bool(gold)) if program else PASSED

    def _tested(self, row: Row, program: str, tests: str) -> Check:
        answer = answer_said(row["messages"])
        if len(answer) > MAX_ANSWER:
            return Check(False, LONG, f"{len(answer):,} characters")
        code = answer_code(answer)
        if program and not _holds(program, part_of(row["messages"], "prompt"), code):
            return Check(False, OTHER_CODE)
        if not code.strip():
            return NO_CODE
        try:
            tests = given_helpers(part_of(row["messages"], "prompt")) + runnable(tests)
        except UnrunnableError as error:
            return Check(False, UNRUNNABLE, str(error), decided=False)
        run = run_limited(program or code, tests, self.limits)
        if run.reason:
            return Check(False, run.reason, run.detail, decided=run.reason != SLOW)
        return Check(True, facts={"assertions": run.checked}) if run.checked else NOTHING

    def _computed(self, given: str, program: str, agrees: bool) -> Check:
        """`agrees`: the answer is the gold one already."""
        wrong = DISAGREE if agrees else WRONG
        try:
            value = evaluate(program)
        except NotArithmeticError:
            run = run_limited(program, limits=self.limits)
            if run.reason:
                return Check(False, run.reason, run.detail, decided=False)
            if run.value is None:
                return Check(False, NO_VALUE, decided=False)
            return PASSED if _near(given, run.value) else Check(False, wrong, decided=not agrees)
        return PASSED if number_of(given) == value else Check(False, wrong, decided=not agrees)


def _holds(program: str, prompt: str, code: str) -> bool:
    """Whether the program is the answer's code, with at most lines of the prompt before it."""
    lines, own = _lines(program), _lines(code)
    if not own or lines[-len(own) :] != own:
        return False
    before = lines[: -len(own)]
    asked = _lines(prompt)
    return any(asked[i : i + len(before)] == before for i in range(len(asked) - len(before) + 1))


def _lines(code: str) -> list[str]:
    return [line.rstrip() for line in code.splitlines() if line.strip()]


def _near(given: str, value: str) -> bool:
    if same_answer(given, value):
        return True
    one, other = number_of(given), number_of(value)
    return one is not None and other is not None and abs(one - other) <= FLOAT_TOLERANCE * abs(other)


def _text(proposal: Proposal, name: str) -> str:
    value = proposal.facts.get(name)
    return "" if value is None else str(value)
