"""The elimination rules: planted positives and negatives, with precision and recall; false alarms on human answers."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson

from dataflywheel.synthesis.instruction.evol_elimination import could_not_answer, eliminated, leaks_prompt, says_nothing

LONG = "We are sorry for the delay of the parcel, and here is what we will do about it, step by step. " * 6
SORRY = [
    "I'm sorry, but I cannot help with that.",
    "Sorry! I do not have enough information to answer this question.",
    "Unfortunately I am not able to. Sorry for the inconvenience.",
    "I am SORRY, as a language model I have no access to the internet.",
]
NOT_SORRY = [LONG, "The capital is Paris.", "A sorrynote is no word.", "She apologised twice."]
NOTHING = ["", "...", "It is.", "This is what it was, and that's that.", "- \n - ?", "We do; they can't."]
SOMETHING = ["Paris", "It is 42.", "Yes, because of gravity.", "def f(): return 1", "\u662f\u7684\u5df4\u9ece"]
LEAKS = [
    "Rewritten Prompt: Name two birds of prey.",
    "#The Given Prompt# Name a bird.",
    "Name a bird. The rewritten prompt adds a constraint.",
    "As in the given instruction, name a bird, and say why it sings.",
    "Here is the evolved instruction: name a bird of the sea.",
    "You are a prompt creator. Name a bird.",
]
CLEAN = [
    "Name two birds of prey and say what they eat.",
    "Write a prompt letter to the tax office.",
    "Be prompt and name a bird.",
    "Given the list of birds, name the largest one.",
    "Write instructions for a prompt delivery.",
]


def test_each_rule_finds_what_was_planted_and_nothing_else() -> None:
    before = "Name a bird."
    told = {
        "sorry": ([could_not_answer(t) for t in SORRY], [could_not_answer(t) for t in NOT_SORRY]),
        "nothing said": ([says_nothing(t) for t in NOTHING], [says_nothing(t) for t in SOMETHING]),
        "leak": ([leaks_prompt(t, before) for t in LEAKS], [leaks_prompt(t, before) for t in CLEAN]),
    }
    for rule, (positives, negatives) in told.items():
        found, false = sum(positives), sum(negatives)
        print(f"{rule}: precision {found / (found + false):.2f}, recall {found / len(positives):.2f}")
        assert (found, false) == (len(positives), 0), rule


def test_words_that_the_instruction_had_before_are_no_leak() -> None:
    assert not leaks_prompt("Correct the given prompt twice.", "Correct the given prompt.")
    assert leaks_prompt("Correct the rewritten prompt.", "Correct the given prompt.")


def test_the_reason_is_that_of_the_first_rule_that_fits() -> None:
    assert [eliminated(t) for t in (SORRY[0], NOTHING[2], SOMETHING[0])] == [
        "could not be answered",
        "answer says nothing",
        "",
    ]


def test_false_alarms_on_human_rows_are_rare(data: Path) -> None:
    lines = gzip.decompress((data / "dolly" / "dolly_pool.jsonl.gz").read_bytes()).splitlines()
    rows = [orjson.loads(line) for line in lines]
    answers = [row["output"] for row in rows if row["output"].strip()]
    alarms = [eliminated(answer) for answer in answers]
    leaks = [leaks_prompt(row["instruction"], "") for row in rows]
    print(f"{len(answers)} human rows: {sum(map(bool, alarms))} answers and {sum(leaks)} instructions rejected")
    assert sum(map(bool, alarms)) < 0.01 * len(answers)
    assert sum(leaks) < 0.01 * len(rows)
