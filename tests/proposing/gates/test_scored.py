"""A metric as a gate: rewrites against the row they replace, new rows against what they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataflywheel.contracts import UsageError, build
from dataflywheel.proposing.gates.scored import NOTHING, TOO_LITTLE, Scored
from dataflywheel.proposing.kinds import Check, Proposal, Surroundings
from dataflywheel.rows.identity import prompt_answer_row


def check(gate: Scored, *proposals: Proposal) -> list[Check]:
    return gate.check(proposals, Surroundings())


def rewrite(before: str, after: str) -> Proposal:
    return Proposal((), prompt_answer_row("Q", after), before=prompt_answer_row("Q", before))


def test_rewrites_keep_their_final_answer() -> None:
    found = check(
        Scored(),
        rewrite("So 4.\n#### 4", "Two and two make four: the answer is 4."),
        rewrite("So 4.\n#### 4", "The answer is 5."),
        rewrite("So 4.\n#### 4", "Nobody knows.\nReally."),
        rewrite("A story.\nThe end.", "The answer is 4."),
    )
    assert [(one.passed, one.reason, one.detail) for one in found] == [
        (True, "", ""), (False, TOO_LITTLE, "0"), (False, TOO_LITTLE, "no final answer"),
        (False, NOTHING, "no reference with a final answer"),
    ]  # fmt: skip


def new(answer: str, **facts: Any) -> Proposal:
    return Proposal((), prompt_answer_row("Q", answer, extra={"note": 1}), facts=facts)


def test_a_new_row_is_never_its_own_reference() -> None:
    found = check(Scored(), new("#### 4"), new("#### 4", gold="4"), new("#### 4", gold="5"))
    assert [one.passed for one in found] == [False, True, False]
    tested = Scored(by={"unit_tests": {}})
    right, wrong = (f"def f(x): return x + {n}" for n in (1, 2))
    checks = check(tested, new(right, tests="assert f(1) == 2"), new(wrong, tests="assert f(1) == 2"), new(right))
    assert [one.reason for one in checks] == ["", TOO_LITTLE, NOTHING]


def test_a_users_function_and_a_bound(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def short(answer, row):\n    return 1 / len(answer)\n")
    gate = Scored(by={"python": {"function": f"{tmp_path}/m.py:short"}}, least=0.3)
    assert [one.passed for one in check(gate, new("abc"), new("abcd"))] == [True, False]
    with pytest.raises(UsageError, match="no metric 'final_anwser' that scores answers; did you mean 'final_answer'"):
        build(Scored, {"by": "final_anwser"})
