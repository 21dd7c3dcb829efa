"""Shares of answer words, read from log-probabilities."""

from __future__ import annotations

import pytest

from dataflywheel.models.endpoint.request import Outcome, Reply, TokenLogprob
from dataflywheel.signals.rating.token_shares import Shares, shares
from tests.models.endpoint.fake import first_token

ONE_TO_SIX = tuple("123456")


def test_all_spellings_of_a_digit_count() -> None:
    reply = first_token({"4": 0.3, " 4": 0.2, "\u25814": 0.1, "5": 0.2, "\n6": 0.1, "the": 0.06, "44": 0.04})
    found = shares(reply, ONE_TO_SIX)
    assert isinstance(found, Shares)
    assert found.mass == pytest.approx(0.9)
    assert found.share == pytest.approx({"1": 0, "2": 0, "3": 0, "4": 0.6 / 0.9, "5": 0.2 / 0.9, "6": 0.1 / 0.9})


@pytest.mark.parametrize(
    "reply",
    [
        first_token({"1": 1.0}, "0"),  # ten
        first_token({"4": 1.0}, ".", "5"),
        first_token({"4": 1.0}, ".5"),
        first_token({"The": 0.95, "4": 0.05}),
        first_token({"\n": 1.0}),
        Reply(Outcome.ANSWERED, "4"),  # no log-probabilities came
        Reply(Outcome.REFUSED, "no", detail="why"),
    ],
)
def test_no_digit_no_shares(reply: Reply) -> None:
    assert isinstance(shares(reply, ONE_TO_SIX), str)


@pytest.mark.parametrize("after", [(), (".",), ("\n", "1"), (" ", "because")])
def test_a_digit_may_be_followed_by_other_things(after: tuple[str, ...]) -> None:
    assert isinstance(shares(first_token({"4": 0.9, "5": 0.1}, *after), ONE_TO_SIX), Shares)


def test_blank_tokens_before_the_word_are_passed_over() -> None:
    tail = first_token({"2": 0.75, "3": 0.25}).logprobs
    blank = first_token({"\n": 0.9, "6": 0.1}).logprobs
    found = shares(Reply(Outcome.TRUNCATED, "\n2", logprobs=(*blank, *tail)), ONE_TO_SIX)
    assert isinstance(found, Shares)
    assert found.share["2"] == pytest.approx(0.75)


def test_a_model_that_only_thought_is_told_how_to_answer() -> None:
    found = shares(
        Reply(Outcome.ANSWERED, "<think>Is it", logprobs=(TokenLogprob("<think>", -0.1),)).spoken(), ("yes", "no")
    )
    assert isinstance(found, str)
    assert "turn thinking off" in found
