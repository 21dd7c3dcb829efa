"""Rewrites that read worse: words of a learnt language in and out of order."""

from __future__ import annotations

import random

import numpy as np
import pytest

from dataflywheel.models.spec import ModelSpec
from dataflywheel.proposing.gates.fluent import Fluent
from dataflywheel.proposing.kinds import Check, Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.schema import Row
from tests.models.copy_skill import copy_model, copy_rows


@pytest.fixture(scope="module")
def gate() -> Fluent:
    return Fluent(model=ModelSpec(hf=str(copy_model())))


def checked(gate: Fluent, pairs: list[tuple[Row, Row]]) -> list[Check]:
    made = [Proposal((before["id"],), after, before=before) for before, after in pairs]
    return gate.check(made, Surroundings())


def test_texts_of_the_language_pass_and_broken_ones_do_not(gate: Fluent) -> None:
    draw = random.Random(0)
    said = [turns[1]["content"] for turns in copy_rows(40, seed=9)]
    others = [turns[1]["content"] for turns in copy_rows(40, seed=10)]
    broken = ["".join(draw.sample(text, len(text))) for text in said]
    old = [prompt_answer_row("repeat", text) for text in said]
    good = checked(gate, [(row, prompt_answer_row("repeat", text)) for row, text in zip(old, others, strict=True)])
    bad = checked(gate, [(row, prompt_answer_row("repeat", text)) for row, text in zip(old, broken, strict=True)])
    assert np.mean([check.passed for check in good]) > 0.8
    assert np.mean([check.passed for check in bad]) < 0.1
    assert {check.reason for check in bad if not check.passed} == {"less fluent"}
    assert all(check.facts["fluency"] > gate.most for check in bad if not check.passed)


def test_only_what_changed_is_read_and_what_does_not_fit_is_not_accepted(gate: Fluent) -> None:
    row, long = prompt_answer_row("repeat amber", "amber"), prompt_answer_row("repeat amber", "amber " * 4000)
    same, too_long = checked(gate, [(row, row), (row, long)])
    assert (same.passed, same.facts) == (True, {})
    assert (too_long.passed, too_long.reason) == (False, "fluency not measured")
    (new,) = gate.check([Proposal((), row)], Surroundings())
    assert new.passed
