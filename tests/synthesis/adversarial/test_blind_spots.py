"""Blind spots with a scripted agent: slices never mix, hypotheses take turns, every row names its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.synthesis.adversarial.blind_spots import BlindSpots
from tests.models.endpoint.fake import FakeClient, system_text
from tests.signals.rating.support import MODEL
from tests.synthesis.support import demand, failures, pairs_of, parts_of, seeds, teacher

DIALECT = seeds(*((f"Dialect sentence {i}, is it praise?", "Yes.") for i in range(5)), tags=["dialect"])
NUMBERS = seeds(*((f"Is number {i} even?", "No.") for i in range(3)), tags=["numbers"])
MIXED = [row for pair in zip(DIALECT, (*NUMBERS, *NUMBERS), strict=False) for row in pair]


def agent(found: Any = None, again: Callable[[str], str] = lambda question: "Yes.") -> FakeClient:
    def write(parts: dict[str, str], request: Request) -> Any:
        if "answer 2" in parts:
            same = parts["answer 1"][:2] == parts["answer 2"][:2]
            return {"reasoning": "Compared.", "same": same}
        if "question" in parts:
            return {"reasoning": "Thought.", "answer": again(parts["question"])}
        if "hypothesis" in parts:
            return {"question": f"New: {parts['hypothesis']}", "answer": parts["row"].split("answer: ")[1]}
        about = "dialect" if "Dialect" in parts["row 1"] else "numbers"
        lists = {"abstraction": [f"{about} a0", f"{about} a1"], "extrapolation": [f"{about} e0"]}
        return lists if found is None else found

    return teacher(write)


def test_slices_never_mix_and_hypotheses_take_turns() -> None:
    client = agent()
    made = BlindSpots(model=MODEL, agree=0).propose_with(client, demand([*DIALECT, *NUMBERS]))
    assert [p.facts["hypothesis"] for p in made] == [
        *("dialect a0", "dialect e0", "dialect a1", "dialect a0", "dialect e0"),
        *("numbers a0", "numbers e0", "numbers a1"),
    ]
    assert [p.facts["kind"] for p in made[:3]] == ["abstraction", "extrapolation", "abstraction"]
    assert [p.row["tags"] for p in made if p.row] == [["dialect"]] * 5 + [["numbers"]] * 3
    assert pairs_of(made)[0] == ("New: dialect a0", "Yes.")
    assert [len(p.replies) for p in made] == [2, 1, 1, 1, 1, 2, 1, 1]
    for request in client.requests[:2]:
        kinds = {"Dialect" in text for text in parts_of(request).values()}
        assert len(kinds) == 1


def test_rows_come_in_the_order_of_their_seeds() -> None:
    made = BlindSpots(model=MODEL, agree=0).propose_with(agent(), demand(MIXED))
    assert [p.parents[0] for p in made] == [row["id"] for row in MIXED]


def test_no_more_rows_are_shown_than_asked_and_the_count_is_said() -> None:
    client = agent()
    BlindSpots(model=MODEL, agree=0, shown=2, hypotheses=4).propose_with(client, demand(DIALECT))
    assert set(parts_of(client.requests[0])) == {"row 1", "row 2"}
    assert "Give 4 of each" in system_text(client.requests[0])


def test_a_second_visit_takes_the_next_hypothesis() -> None:
    first, second = (
        BlindSpots(model=MODEL, agree=0).propose_with(agent(), demand(DIALECT[:1], turn))[0] for turn in (0, 1)
    )
    assert (first.facts["hypothesis"], second.facts["hypothesis"]) == ("dialect a0", "dialect e0")


def test_failures_are_those_of_the_slice_or_the_row() -> None:
    method = BlindSpots(model=MODEL, agree=0)
    refused = method.propose_with(agent(Reply(Outcome.REFUSED)), demand(DIALECT))
    assert failures(refused) == ["refused"] * 5
    assert [len(p.replies) for p in refused] == [1, 0, 0, 0, 0]
    assert failures(method.propose_with(agent({"abstraction": []}), demand(DIALECT))) == ["malformed"] * 5
    blank = {"abstraction": [" "], "extrapolation": [""]}
    assert failures(method.propose_with(agent(blank), demand(DIALECT))) == ["no hypothesis"] * 5


def test_a_label_counts_only_where_the_question_answered_anew_gets_it_too() -> None:
    answers = {"a0": "Yes.", "e0": "Yes, this is praise.", "a1": "No.", "a2": "no idea"}
    client = agent(again=lambda question: answers[question.split()[-1]])
    made = BlindSpots(model=MODEL).propose_with(client, demand(DIALECT[:3]))
    assert [p.row is not None for p in made] == [True, True, False]
    assert failures(made) == ["label not confirmed"]
    assert [len(p.replies) for p in made] == [3, 3, 3], "equal letter for letter needs no comparison"
    anew = [parts_of(r) for r in client.requests if "question" in parts_of(r) and "answer 2" not in parts_of(r)]
    assert all("answer" not in parts and "hypothesis" not in parts for parts in anew), (
        "no look at what it is to confirm"
    )


def test_confidence_that_nobody_measured_is_not_spoken_of() -> None:
    client = agent()
    BlindSpots(model=MODEL).propose_with(client, demand(DIALECT))
    said = " ".join([system_text(request) for request in client.requests] + [BlindSpots.card.summary])
    assert "sure" not in said
    assert "confiden" not in said
