"""Rounds of attempts: what is shown, what is a copy, which pairs are learned, and what is told."""

from __future__ import annotations

import numpy as np
import pytest

from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.synthesis.adversarial.attempts import New, attempted, pairs_of, round_facts
from dataflywheel.synthesis.adversarial.instruction_writer import asked, instruction_of, lessons
from dataflywheel.synthesis.adversarial.seeking import Seeking
from dataflywheel.synthesis.adversarial.target_failure import Attempt
from tests.models.endpoint.fake import FakeClient, user_text
from tests.synthesis.support import seeds

ROWS = seeds(*((f"Tell of number {i}.", f"It is {i}.") for i in range(8)))


def attempt(text: str, failed: bool | None, prompt: str = "p", why: str = "") -> Attempt:
    return Attempt(prompt, ROWS[:3], text, why, failed)


def test_each_lesson_shows_three_others_and_asks_for_one() -> None:
    found = lessons(ROWS, 100, np.random.default_rng(0))
    assert sorted(turns[-1]["content"] for turns in found) == sorted(map(instruction_of, ROWS))
    for question, answer in found:
        shown = [row for row in ROWS if instruction_of(row) in question["content"]]
        assert len(shown) == 3
        assert answer["content"] not in question["content"]
    assert len(lessons(ROWS, 5, np.random.default_rng(0))) == 5


def test_attempts_are_several_draws_to_each_three_shown() -> None:
    writer = FakeClient(lambda request: "" if request.sample == 3 else f"Draw {request.sample}")
    found = attempted(Seeking(attempts=10, draws=4), writer, ROWS, np.random.default_rng(0))
    assert [request.sample for request in writer.requests] == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert len({user_text(request) for request in writer.requests}) == 3
    assert all(one.prompt == asked(one.shown) and len({row["id"] for row in one.shown}) == 3 for one in found)
    assert [one.why for one in found if not one.text] == ["no instruction was written: empty"] * 2
    cut = FakeClient(lambda request: Reply(Outcome.TRUNCATED, "Tell of"))
    (one, *_) = attempted(Seeking(attempts=4), cut, ROWS, np.random.default_rng(0))
    assert (one.text, one.why) == ("", "no instruction was written: truncated")


def test_copies_of_the_pool_and_of_earlier_attempts() -> None:
    new = New(["Name three rivers in France."], 0.7)
    first = [attempt(text, None) for text in ("name three rivers in france", "Sing a song of old.", "?!")]
    assert [one.text for one in new.among(first)] == ["Sing a song of old."]
    assert [one.why.partition(":")[0] for one in first] == [
        "copy of an instruction that is there", "", "no instruction was written",
    ]  # fmt: skip
    again = [attempt("Sing a song of old!", None), attempt("Bake a cake for me.", None)]
    assert [one.text for one in new.among(again)] == ["Bake a cake for me."]


def test_failing_is_preferred_to_not_failing_under_the_same_question() -> None:
    attempts = [
        attempt("bad a", True, "a"), attempt("good a", False, "a"), attempt("bad b", True, "b"),
        attempt("good b", False, "b"), attempt("good c", False, "c"), attempt("nobody knows", None, "a"),
    ]  # fmt: skip
    found = pairs_of(attempts, 2, np.random.default_rng(0))
    told = [(row["messages"][0]["content"], row["messages"][1]["content"], row["rejected"]) for row in found]
    pairs = [(prompt, better, worse[0]["content"]) for prompt, better, worse in told if worse]
    assert pairs[0] == ("a", "bad a", "good a")
    assert pairs[2] == ("b", "bad b", "good b")
    assert {pairs[1][2], pairs[3][2]} <= {"good a", "good b", "good c"}
    assert len(pairs) == 4
    assert pairs_of([attempt("x", True), attempt("y", True)], 2, np.random.default_rng(0)) == []
    assert pairs_of([attempt("x", False), attempt("y", None)], 2, np.random.default_rng(0)) == []


def test_what_is_told_of_a_round() -> None:
    attempts = [
        attempt("one two three", True), attempt("one two four", False, why="the target did not fail"),
        attempt("one two", None, why="copy of an instruction that is there: ROUGE-L 0.80"),
        attempt("five six", None, why="no verdict: x"), attempt("", None, why="no instruction was written: empty"),
    ]  # fmt: skip
    attempts[0].replies = [Reply(Outcome.ANSWERED, tokens_in=3, tokens_out=4, usd=0.5), Reply(Outcome.OVER_BUDGET)]
    found = round_facts(attempts)
    assert (found["attempts"], found["written"], found["copies"]) == (5, 4, 0.25)
    assert (found["judged"], found["failed"], found["failure_rate"], found["rows"]) == (2, 1, 0.5, 1)
    assert (found["calls"], found["tokens"], found["usd"]) == (1, 7, 0.5)
    assert found["distinct_2"] == pytest.approx(4 / 6)  # one two, two three, two four, five six
    nothing = round_facts([attempt("", None, why="no instruction was written: empty")])
    assert (nothing["failure_rate"], nothing["copies"], nothing["distinct_2"]) == (None, None, None)
