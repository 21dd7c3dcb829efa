from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.pairs import cited
from benchmarks.pairs.lines import every_second
from dataflywheel.contracts import build
from dataflywheel.proposing.gates.grounded import Grounded
from dataflywheel.proposing.kinds import Surroundings
from dataflywheel.synthesis.knowledge.grounded_questions import GroundedQuestions
from tests.proposing.gates.proposals import check, new
from tests.signals.rows import json_lines

SOURCE = "The bridge was built in 1,932 by John Bradfield. It is 503 metres long and crosses Sydney Harbour."


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("It was finished in 1933 by an engineer.", "numbers not in the source"),
        ("It was built by the engineer Ralph Freeman.", "names not in the source"),
        ("In Melbourne", "names not in the source"),
        ("Melbourne", "answer not in the source"),
        ("", "no answer"),
    ],
)
def test_what_the_source_does_not_say_is_named(answer: str, reason: str) -> None:
    assert check(Grounded(), new("Tell.", answer, source=SOURCE)).reason == reason


@pytest.mark.parametrize(
    "answer",
    [
        "It was built in 1932.",
        "John Bradfield",
        "sydney harbour",
        "Five hundred and three metres",
        "Yes",
        "The bridge.",
    ],
)
def test_what_the_source_says_passes(answer: str) -> None:
    assert check(Grounded(), new("Tell.", answer, source=SOURCE)).passed


def test_nothing_rests_on_no_source() -> None:
    assert check(Grounded(), new("Tell.", "It is so.")).reason == "no source"


@pytest.mark.parametrize("span", [[0, 500], [-1, 4], [7, 7], "0:5", [0], [0.0, 5.0], [True, 5]])
def test_evidence_must_lie_inside_the_source(span: object) -> None:
    found = check(Grounded(), new("Tell.", "It was built in 1932.", source=SOURCE, facts={"span": span}))
    assert found.reason == "span outside the source"


def test_facts_of_another_sentence_are_not_in_the_span() -> None:
    first, second = [0, SOURCE.index("It is")], [SOURCE.index("It is"), len(SOURCE)]
    gate = Grounded(within="span")
    for span, passed in ((first, True), (second, False)):
        assert check(gate, new("Tell.", "It was built in 1932.", source=SOURCE, facts={"span": span})).passed is passed
    assert check(gate, new("Tell.", "It was built in 1932.", source=SOURCE)).reason == "no span"


def test_extractive_answers_stand_in_the_source() -> None:
    gate = Grounded(extractive=True)
    assert check(gate, new("Tell.", "503  metres long", source=SOURCE)).passed
    assert check(gate, new("Tell.", "503 meters long", source=SOURCE)).reason == "answer not in the source"


def test_the_share_of_words_is_that_of_distinct_words_with_a_meaning() -> None:
    answer = "The bridge crosses a harbour under blue skies"  # bridge, crosses, harbour of these and under, blue, skies
    found = check(Grounded(), new("Tell.", answer, source=SOURCE))
    assert found.passed
    assert found.facts["grounded_words"] == pytest.approx(3 / 6)
    rejected = check(Grounded(least_words=0.6), new("Tell.", answer, source=SOURCE))
    assert rejected.reason == "words not in the source"


WHEEL = (
    "The keeper turns the wheel every morning. The wheel feeds the lamp with oil from the tank below. "
    "It was built in 1904."
)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("The keeper turns the wheel every morning.", ""),
        ("Each morning the wheel is turned by the keeper, and oil from the tank feeds the lamp.", ""),
        ("Because the wheel would otherwise melt and poison everyone in the village.", "words not in the source"),
        (
            "The wheel feeds the lamp with oil from the tank. A jealous sailor stole it later.",
            "words not in the source",
        ),
        ("The wheel was built in 1904 and feeds the lamp.", "numbers not in the source"),
    ],
)
def test_documents_are_answered_from_the_cited_sentences_alone(answer: str, reason: str) -> None:
    gate = build(Grounded, dict(GroundedQuestions.own_gates())["grounded"])
    assert isinstance(gate, Grounded)
    span = [0, WHEEL.index(" It was built")]
    found = check(gate, new("Tell.", answer, source=WHEEL, facts={"span": span}))
    assert found.reason == reason


def test_scripts_without_spaces_are_compared_by_pairs_of_letters() -> None:
    source = "\u5b88\u5854\u4eba\u6bcf\u5929\u65e9\u4e0a\u8f6c\u52a8\u8f6e\u5b50\u3002"
    gate = Grounded(least_words=0.6)
    assert check(
        gate, new("Tell.", "\u5b88\u5854\u4eba\u65e9\u4e0a\u8f6c\u52a8\u8f6e\u5b50\u3002", source=source)
    ).passed
    assert not check(
        gate, new("Tell.", "\u6c34\u624b\u5077\u8d70\u4e86\u706f\u6cb9\u5356\u7ed9\u5546\u4eba\u3002", source=source)
    ).passed


def test_answers_of_people_pass_and_those_to_other_passages_do_not(data: Path) -> None:
    for language, least in (("en", 0.9), ("de", 0.95), ("zh", 0.95)):
        rows = json_lines(data / "xquad" / f"xquad.{language}.jsonl.gz")[::4]
        answers = [r["answers"][0] if isinstance(r["answers"][0], str) else r["answers"][0]["text"] for r in rows]
        own = [new(r["question"], a, source=r["context"]) for r, a in zip(rows, answers, strict=True)]
        turned = [*answers[100:], *answers[:100]]
        others = [new(r["question"], a, source=r["context"]) for r, a in zip(rows, turned, strict=True)]
        kept, alien = ([c.passed for c in Grounded().check(ps, Surroundings())] for ps in (own, others))
        print(f"{language}: own {np.mean(kept):.3f}, others {1 - np.mean(alien):.3f}")
        assert np.mean(kept) >= 0.99
        assert 1 - np.mean(alien) >= least


@pytest.mark.parametrize("passes", [False, True])
def test_facts_stay_with_those_whom_the_source_gives_them_to(passes: bool) -> None:
    """One pair is left out, whose names and numbers do not take turns: of such nothing is known."""
    given = every_second(cited.KEPT if passes else cited.BROKEN, 0)
    gate = Grounded(within="span", least_words=0.6)
    wrong = []
    for source, answer in (pair for some in given.values() for pair in some if "Turin" not in pair[0]):
        found = check(gate, new("?", answer, source=source, facts={"span": [0, len(source)]}))
        if found.passed is not passes:
            wrong.append((source, answer, found))
    assert wrong == []


@pytest.mark.parametrize("unit", ["Ann has 5 and Ben 7. ", "7 ", "a. ", "Ann is taller than Ben. "])
def test_long_answers_are_compared_in_a_time_that_grows_as_the_text(unit: str) -> None:
    seconds = []
    for size in (5_000, 50_000):
        text = (unit * size)[:size]
        began = time.process_time()
        check(Grounded(least_words=0.1), new("?", text, source=text))
        seconds.append(time.process_time() - began)
    assert seconds[1] < 60 * max(seconds[0], 0.05)
