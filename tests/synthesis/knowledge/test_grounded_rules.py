"""Questions by rules: planted sections are asked about, answers stand in the document, sections take turns."""

from __future__ import annotations

import gzip
from pathlib import Path

import orjson
import pytest

from dataflywheel.proposing.fulfil import Terms, fulfil
from dataflywheel.proposing.kinds import Surroundings
from dataflywheel.rows.python_docs import python_docs
from dataflywheel.rows.schema import Row
from dataflywheel.synthesis.knowledge.grounded_rules import GroundedRules
from dataflywheel.synthesis.knowledge.question_rules import questions_of
from dataflywheel.synthesis.knowledge.sections import sections
from dataflywheel.synthesis.knowledge.subject import subject_of
from tests.synthesis.support import demand, failures, pairs_of, seeds

PAGE = """mix(base, share=0.5) -> colour

Returns the colour between base and white. The share argument is the part of white in the result.

If share is larger than one, the colour is clipped to plain white.

Raises ValueError when the share is a negative number.

A colour is a triple of numbers between 0 and 255. It prints as a hexadecimal code.
"""
PROMPT = "What does the function `paint.mix` do?"
EXPECTED = {
    "How is the function `paint.mix` called?": "mix(base, share=0.5) -> colour",
    "What does the function `paint.mix` return?": "Returns the colour between base and white.",
    "What happens with the function `paint.mix` if share is larger than one?": (
        "If share is larger than one, the colour is clipped to plain white."
    ),
    "Which errors does the function `paint.mix` raise, and when?": (
        "Raises ValueError when the share is a negative number."
    ),
    "In the context of the function `paint.mix`, what is a colour?": (
        "A colour is a triple of numbers between 0 and 255."
    ),
}


def test_planted_sections_are_asked_about() -> None:
    (document,) = seeds((PROMPT, PAGE))
    found = GroundedRules(questions=20, least_words=3).propose(demand([document]))
    assert EXPECTED.items() <= dict(pairs_of(found)).items()
    for proposal in found:
        assert proposal.row is not None
        start, end = proposal.facts["span"]
        assert proposal.source == PAGE
        assert proposal.row["messages"][-1]["content"] == PAGE[start:end]
        assert (proposal.row["parents"], proposal.row["made_by"]) == ([document["id"]], "grounded_rules")
        assert (proposal.row["source"], proposal.row["tags"]) == ("test", ["skill"])


def test_a_sentence_that_leans_on_the_one_before_is_answered_with_both() -> None:
    (document,) = seeds((PROMPT, PAGE))
    answers = [answer for _, answer in pairs_of(GroundedRules(questions=20).propose(demand([document])))]
    assert PAGE[PAGE.index("A colour is") :].strip() in answers
    assert not any(answer.startswith("It prints") for answer in answers)


def test_every_section_is_visited_before_any_twice() -> None:
    text = "\n\n".join(f"If the light number {i} is red, the train number {i} has to wait." for i in range(200))
    (document,) = seeds(("Describe the railway.", text))
    spans = []
    for turn in range(200):
        (proposal,) = GroundedRules().propose(demand([document], turn))
        spans.append(tuple(proposal.facts["span"]))
    assert spans == [(s.start, s.end) for s in sections(text)]
    (proposal,) = GroundedRules().propose(demand([document], 200))
    assert proposal.failure == "all questions of the document were asked"


def test_no_answer_is_given_twice_in_whichever_document_it_stands() -> None:
    first, second = seeds((PROMPT, PAGE), ("What does the function `paint.blend` do?", PAGE))
    made = GroundedRules().propose(demand([first, second]))
    assert [p.failure for p in made] == ["", "the same answer was given before"]
    accepted = [p.row for p in made if p.row]
    assert failures(GroundedRules().propose(demand([second], accepted=accepted))) == [
        "the same answer was given before"
    ]


def test_nothing_is_asked_of_nothing() -> None:
    documents = seeds((PROMPT, "Yes."), (PROMPT, ""), ("", "| a | b |\n|---|---|\n| 1 | 2 |"))
    assert failures(GroundedRules().propose(demand(documents))) == ["no question can be asked of the document"] * 3


def test_a_document_without_a_subject_is_asked_what_needs_none() -> None:
    text = "Osmosis is a movement of water through a membrane. It evens out the strength of two solutions."
    (document,) = seeds(("", text))
    found = dict(pairs_of(GroundedRules(questions=9).propose(demand([document]))))
    assert found["What is Osmosis?"] == "Osmosis is a movement of water through a membrane."


@pytest.fixture(scope="module")
def documentation() -> list[Row]:
    """Each text once."""
    return list({row["messages"][-1]["content"]: row for row in python_docs()}.values())


def test_the_documentation_pool_gives_distinct_questions_with_whole_answers(documentation: list[Row]) -> None:
    method = GroundedRules(questions=1000)
    made = [p for p in method.propose(demand(documentation)) if p.row is not None]
    pairs = pairs_of(made)
    words = [len(answer.split()) for _, answer in pairs]
    asked = [question for question, _ in pairs]
    named = sum("`" in question for question in asked)
    print(
        f"{len(made)} questions from {len(documentation)} documents, {sorted(words)[len(words) // 2]} words an answer"
    )
    assert len(made) > 1.5 * len(documentation)
    assert len({answer for _, answer in pairs}) == len(pairs)
    assert len(set(asked)) > 0.97 * len(asked)
    assert min(words) >= 5
    assert named > 0.99 * len(asked)
    assert all(p.source[slice(*p.facts["span"])] == answer for p, (_, answer) in zip(made, pairs, strict=True))
    for parent in {p.parents for p in made}:
        spans = [tuple(p.facts["span"]) for p in made[:2000] if p.parents == parent]
        assert len(set(spans)) == len(spans)
        if len(spans) > 40:
            break


def test_medical_pages_are_covered(data: Path) -> None:
    """On prose of another kind: most pages are asked about, and names of things asked for by definition come first."""

    lines = gzip.decompress((data / "medquad" / "medquad.jsonl.gz").read_bytes()).splitlines()[:600]
    pages = [orjson.loads(line) for line in lines]

    counts = [len(questions_of(p["answer"] or "", subject_of(p["question"]))) for p in pages if p["answer"]]
    assert sum(count > 0 for count in counts) > 0.95 * len(counts)


def test_through_the_engine_a_quota_is_filled_from_many_documents(documentation: list[Row]) -> None:
    terms = Terms(quotas={"argparse": 12, "email": 20}, visits=5)
    done = fulfil(GroundedRules(), [], documentation, terms, Surroundings(), 0)
    assert (done.shortfall, done.missing) == ("", {})
    tags = [p.row["tags"][0] for p in done.accepted if p.row]
    assert (tags.count("argparse"), tags.count("email")) == (12, 20)
