"""Who fails at what: verdicts by a checked reference and by entropy, and all that is no verdict."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from math import log
from typing import Any

import pytest

from dataflywheel.models.endpoint.request import Outcome, Reply, Request, Sampling
from dataflywheel.synthesis.adversarial.seeking import Seeking
from dataflywheel.synthesis.adversarial.target_failure import Attempt, Examiner
from tests.models.endpoint.fake import FakeClient, user_text

TRUNCATED = Reply(Outcome.TRUNCATED, "#### 4")


def says(**answers: Any) -> FakeClient:
    """A model with one answer to each question, or several in turn."""
    turns: dict[str, Iterator[Any]] = {
        name: cycle(said if isinstance(said, list) else [said]) for name, said in answers.items()
    }
    return FakeClient(lambda request: next(turns[user_text(request)]))


def examined(target: FakeClient, teacher: FakeClient, *texts: str, **given: Any) -> list[Attempt]:
    attempts = [Attempt("", [], text) for text in texts]
    Examiner(Seeking(**given), target, teacher, Sampling(0.7), "Work it out.").examine(attempts)
    return attempts


def test_wrong_against_a_reference_that_the_teacher_repeats() -> None:
    target = says(right="#### 4", wrong="#### 5", other="7", unsure="#### 1")
    teacher = says(right="2 + 2\n#### 4.0", wrong="so\n#### 4", other=r"So \boxed{8}.", unsure=["#### 2", "#### 3"])
    right, wrong, other, unsure = examined(target, teacher, "right", "wrong", "other", "unsure")
    assert (right.failed, right.why) == (False, "the target did not fail")
    assert (wrong.failed, wrong.why, wrong.said, wrong.reference) == (True, "", "#### 5", "so\n#### 4")
    assert (other.failed, other.why) == (True, "")
    assert (unsure.failed, unsure.why) == (None, "no verdict: the teacher's answers disagree")
    asked = [user_text(request) for request in teacher.requests]
    assert asked == ["right", "wrong", "other", "unsure", "wrong", "other", "unsure"]  # again only where it matters
    assert [len(one.replies) for one in (right, wrong)] == [2, 3]


def test_what_cannot_be_read_is_no_failure() -> None:
    prose = "It could be four,\nor it could be five, who knows."
    target = says(a=prose, b=TRUNCATED, c="#### 5", d="#### 5", e=" ", f=Reply(Outcome.REFUSED))
    teacher = says(a="#### 4", c=prose, d=Reply(Outcome.SERVER_ERROR))
    found = examined(target, teacher, *"abcdef")
    assert [one.failed for one in found] == [None] * 6
    assert {one.why.partition(":")[0] for one in found} == {"no verdict"}
    assert "truncated" in found[1].why
    assert "server error" in found[3].why


def test_trusting_the_first_answer_asks_once() -> None:
    teacher = says(q=["#### 2", "#### 3"])
    (one,) = examined(says(q="#### 1"), teacher, "q", agree=0)
    assert (one.failed, len(teacher.requests)) == (True, 1)


def test_by_exact_match() -> None:
    target, teacher = says(a="Paris.", b="London"), says(a="paris", b="Paris")
    found = examined(target, teacher, "a", "b", metric="exact_match")
    assert [one.failed for one in found] == [False, True]


def test_entropy_of_answers_that_mean_the_same() -> None:
    target = says(sure=["#### 4", "so 4.\n#### 4.0"], torn=["#### 1", "#### 2"], lost="Who knows,\nreally?")
    teacher = says(torn="#### 2")
    sure, torn, lost = examined(target, teacher, "sure", "torn", "lost", entropy=0.5, samples=4)
    assert (sure.failed, sure.value) == (False, 0.0)
    assert torn.failed
    assert torn.value == pytest.approx(log(2))
    assert (torn.why, torn.reference) == ("", "#### 2")
    assert (lost.failed, lost.why) == (None, "no verdict: 0 of 4 answers of the target could be read")
    assert {user_text(request) for request in teacher.requests} == {"torn"}
    samples = [request.sample for request in target.requests if user_text(request) == "torn"]
    assert samples == [0, 1, 2, 3]


def test_a_failure_without_a_checked_answer_stays_one() -> None:
    target = says(torn=["#### 1", "#### 2"])
    (one,) = examined(target, says(torn=["#### 2", "#### 3"]), "torn", entropy=0.5, samples=4)
    assert (one.failed, one.why) == (True, "no checked answer: the teacher's answers disagree")


def test_the_teacher_hears_its_instructions_and_the_target_does_not() -> None:
    target, teacher = says(q="#### 1"), says(q="#### 2")
    examined(target, teacher, "q")

    def roles(request: Request) -> list[Any]:
        return [turn["role"] for turn in request.messages]

    assert [roles(request) for request in target.requests] == [["user"]]
    assert [roles(request) for request in teacher.requests] == [["system", "user"]] * 2


def test_parameters_that_do_not_fit() -> None:
    for given, why in [
        ({"metric": "bits_per_byte"}, "does not say of one answer whether it is right"),
        ({"metric": "unit_tests"}, "needs more than the teacher's answer"),
        ({"metric": "final_anser"}, "final_answer"),
        ({"prefer": "kto"}, "learn from pairs"),
        ({"prefer": "fine_tuning"}, "learn from pairs"),
        ({"proposer": {"endpoint": "http://localhost:1/v1", "model": "m"}}, "it is trained"),
        ({"attempts": 2}, "draws"),
    ]:
        with pytest.raises(ValueError, match=why):
            Seeking(**given)  # type: ignore[arg-type]
