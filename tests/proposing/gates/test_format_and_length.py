from __future__ import annotations

from pathlib import Path

import pytest

from dataflywheel.contracts import UsageError
from dataflywheel.contracts.method import build
from dataflywheel.models.endpoint.request import Outcome, Reply
from dataflywheel.proposing.gates.format_and_length import FormatAndLength, cut_short
from dataflywheel.proposing.kinds import Surroundings
from tests.proposing.gates.proposals import check, new, rewrite
from tests.signals.rows import json_lines

GATE = FormatAndLength()


@pytest.mark.parametrize(
    ("prompt", "answer", "reason"),
    [
        ("Say it.", "", "answer empty"),
        (" \n", "Said.", "prompt empty"),
        ("Say hello!", "say  HELLO", "answer repeats the prompt"),
        ("List them.", "These are:", "answer cut short"),
        ("List them.", "Red, green, and", "answer cut short"),
        ("List them.", "Red (like blood, green", "answer cut short"),
        ("Code it.", "```py\nx = 1\n", "answer cut short"),
        ("Say it.", "x" * 20_001, "answer too long"),
    ],
)
def test_faults_are_named(prompt: str, answer: str, reason: str) -> None:
    found = check(GATE, new(prompt, answer))
    assert (found.passed, found.reason) == (False, reason)


@pytest.mark.parametrize(
    "answer",
    [
        "Yes",
        "Red, green",
        "a) red\nb) green",
        "```py\nf(\n```",
        "It is [0, 1).",
        "So :)",
        "The end (at last).",
        "x = {1}",
    ],
)
def test_whole_answers_pass(answer: str) -> None:
    assert check(GATE, new("List them.", answer)).passed


def test_an_answer_that_ran_into_its_limit_is_cut_short() -> None:
    cut = Reply(Outcome.ANSWERED, "All is well.", finish="length")
    whole = Reply(Outcome.ANSWERED, "All is well.", finish="stop")
    assert check(GATE, new("Tell.", "All is well.", replies=(cut,))).detail == "stopped at the limit of tokens"
    assert check(GATE, new("Tell.", "All is well.", replies=(whole,))).passed
    assert check(FormatAndLength(complete=False), new("Tell.", "All is well.", replies=(cut,))).passed


def test_a_rewrite_is_no_copy_and_of_like_length() -> None:
    assert check(GATE, rewrite(("Say it.", "It is so."), ("Say  it.", "It is so. "))).reason == "unchanged copy"
    assert check(GATE, rewrite(("Say it.", "It is so."), ("Say it.", "It is not so."))).passed
    assert check(GATE, rewrite(("Say it.", "word " * 400), ("Say it.", "Short."))).reason == "answer shrank"
    grown = check(GATE, rewrite(("Say it.", "No."), ("Say it.", "word " * 201)))
    assert (grown.reason, grown.facts["ratio"]) == ("answer grew", pytest.approx(10.04))  # 1,004 letters to 100
    assert check(FormatAndLength(ratio=None), rewrite(("Say it.", "No."), ("Say it.", "word " * 201))).passed
    assert check(GATE, rewrite(("Say it.", " "), ("Say it.", "word " * 201))).passed, "there was no answer to be like"


def test_bounds_are_the_users() -> None:
    assert check(FormatAndLength(answer=(5, 9)), new("Say it.", "four")).reason == "answer too short"
    assert check(FormatAndLength(answer=(4, 9)), new("Say it.", "four")).passed
    assert check(FormatAndLength(prompt=(0, 9)), new("", "four")).passed
    with pytest.raises(UsageError, match="expected bounds"):
        build(FormatAndLength, {"answer": [9, 5]})


def test_rows_that_people_wrote_pass(data: Path) -> None:
    rows = json_lines(data / "dolly" / "dolly_pool.jsonl.gz")
    checks = GATE.check([new(r["instruction"], r["output"]) for r in rows], Surroundings())
    rejected = sum(not found.passed for found in checks)
    print(f"rejected {rejected} of {len(rows)}")
    assert rejected < 0.01 * len(rows)


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "The answer is A",
        "vitamin A",
        "x = a",
        "On $(0, 1]$ it holds for x",
        "Dear Sir,\nI am ill.\nYours,",
        "````md\n```py\nx\n```\n````",
        "~~~\nx = 1\n~~~",
    ],
)
def test_letters_intervals_farewells_and_nested_fences_are_whole(text: str) -> None:
    assert cut_short(text) == ""


@pytest.mark.parametrize("text", ["It consists of a", "~~~\nx = 1", "```py\nx = 1\n``", "She has (among others"])
def test_what_stops_within_is_cut(text: str) -> None:
    assert cut_short(text)
