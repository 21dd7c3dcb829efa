"""Only whole answers count: extraction, strictness, one repair that adds nothing, no quotation."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from dataflywheel.contracts import UnreadableAnswersError
from dataflywheel.enhancement.rewriting.revision import Revised
from dataflywheel.enhancement.rewriting.self_refine import Feedback
from dataflywheel.evolution.judging.pairwise import ReasonedChoice
from dataflywheel.models.endpoint.quoting import codes, question
from dataflywheel.models.endpoint.request import Outcome, Reply, Request
from dataflywheel.models.endpoint.structured import Form, FormError, ask_for, first_json, parse
from dataflywheel.synthesis.adversarial.blind_spots import Example
from dataflywheel.synthesis.adversarial.llm2llm import Problem
from dataflywheel.synthesis.instruction.self_instruct import Instance
from dataflywheel.synthesis.knowledge.grounded_questions import Pair, Pairs
from tests.models.endpoint.fake import FakeClient, asked_of, system_text, user_text


class Grade(Form):
    score: float = Field(ge=0, le=5)
    why: Literal["good", "bad"]


GOOD = '{"score": 4.5, "why": "good"}'


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Sure, here {{it}} is [as asked]: {GOOD}",
        f"{GOOD}\nI hope this helps {{you}}!",
        f"{GOOD}\n\nThat is: {GOOD}",
        f'{GOOD}\nThe other question: {{"name": "q2", "score": 0, "why": "bad"}}',
        f'{{"id": "q1", {GOOD[1:]}\nThat is: {GOOD}',
        GOOD.replace("good", "g\\u006fod"),
        GOOD.replace(" ", "\n"),
    ],
)
def test_the_first_complete_value(text: str) -> None:
    assert parse(text, Grade) == Grade(score=4.5, why="good")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4.5",
        "no braces",
        f'{GOOD}\nOn second thoughts: {{"score": 0, "why": "bad"}}',  # which is the draft?
        f'{GOOD}\nThe other question: {{"id": "q2", "score": 0, "why": "bad"}}',
        f'{GOOD} {GOOD} {{"score": 0, "wh',
        GOOD[:-1],  # nothing is closed
        f'{{"answer": {GOOD}',  # whole inside, cut outside
        f"<think>so {GOOD}",
        GOOD.replace('"score": 4.5', '"score": "4.5"'),
        GOOD.replace("4.5", "true"),
        GOOD.replace("4.5", "97"),
        GOOD.replace("4.5", "NaN"),
        GOOD.replace("4.5", "1e999"),
        GOOD.replace("4.5", "9" * 5000),
        GOOD.replace("good", "purple"),
        GOOD.replace("4.5", '4.5, "score": 1'),
        GOOD.replace("4.5", '4.5, "bonus": 1'),
        GOOD.replace('"score": 4.5, ', ""),
        GOOD.replace("good", "\\ud800"),
        f"[{GOOD}, {GOOD}]",
        '{"a":' * 100_000,
        "[" * 100_000,
    ],
)
def test_anything_else_is_no_answer(text: str) -> None:
    with pytest.raises(FormError):
        parse(text, Grade)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.text() | JSON.map(json.dumps) | st.tuples(st.text(), JSON.map(json.dumps), st.text()).map("".join))
@example('{"score": 4.5, "why": "good"}}')
def test_random_text_is_an_answer_only_if_it_is_one(text: str) -> None:
    try:
        found = parse(text, Grade)
    except FormError:
        return
    assert isinstance(found, Grade)
    assert "score" in text or "\\u" in text


@given(st.floats(0, 5), st.sampled_from(["good", "bad"]), st.data())
def test_no_cut_answer_is_accepted(score: float, why: str, data: Any) -> None:
    text = json.dumps({"nested": {"score": score, "why": why}, "score": score, "why": why})
    inner = json.dumps({"score": score, "why": why})
    for whole in (text, inner, f"Here: ```json\n{inner}"):
        end = data.draw(st.integers(0, len(whole) - 1))
        with pytest.raises(FormError):
            parse(whole[:end], Grade)
    assert parse(inner, Grade).score == score


def plain(value: Any) -> bool:
    """Without escapes that a model which forgets to double its backslashes may have meant as commands."""
    return (
        isinstance(value, dict)
        and bool(value)
        and not re.search(r"\\[\\bfnrtu]|\x7f", json.dumps(value, ensure_ascii=False))
    )


@given(JSON.filter(plain), st.text())
def test_what_follows_does_not_matter(value: Any, after: str) -> None:
    assert first_json(f"{json.dumps(value)} {after}") == value


def test_a_draft_within_the_thoughts_is_never_the_verdict() -> None:
    draft = '{"score": 1, "why": "bad"}'
    for said in (f"<think>perhaps {draft}</think>\n{GOOD}", f"Perhaps {draft} But no.\n</think>\n{GOOD}"):
        (found,) = ask_for(FakeClient(lambda request, said=said: said), [Request.chat("x")], Grade)
        assert found.value == Grade(score=4.5, why="good")
        assert "erhaps" in found.reasoning
    for said in (f"Let me see: <think>perhaps {draft}", f"<think>perhaps {draft}"):
        (found,) = ask_for(FakeClient(lambda request, said=said: said), [Request.chat("x")], Grade)
        assert found.value is None


def test_keys_are_asked_for_in_the_order_of_definition() -> None:
    forms = [Grade, Revised, Problem, Pairs, ReasonedChoice, Feedback, Instance, Example]
    for form in forms:
        for native in (True, False):
            client = FakeClient(lambda request: "{}", json_schema=native)
            with suppress(UnreadableAnswersError):
                ask_for(client, [Request.chat("x")], form)
            sent = client.requests[0].schema if native else asked_of(client.requests[0])
            assert sent is not None
            places = [sent.rindex(f'"{name}": ') for name in form.model_fields]
            assert places == sorted(places)
            assert '"title"' not in sent
            assert not native or all(f'"{name}": {{' in sent for name in form.model_fields)
    assert list(ReasonedChoice.model_fields) == ["analysis", "better"]
    assert list(Pair.model_fields) == ["question", "evidence", "answer"]


def asked(n: int) -> list[Request]:
    return [question("Grade it.", {"text": f"row {i}"}, "Which grade?") for i in range(n)]


def grade(request: Request, score: float = 4.0) -> str:
    return json.dumps({"score": score, "why": "good"})


def test_the_schema_goes_where_the_model_takes_it_and_an_example_elsewhere() -> None:
    questions = asked(2)
    for native in (True, False):
        client = FakeClient(grade, json_schema=native)
        answers = ask_for(client, questions, Grade)
        assert [a.value for a in answers] == [Grade(score=4.0, why="good")] * 2
        assert all((request.schema is not None) == native for request in client.requests)
        form = ' Reply with one JSON object of this form and nothing else: {"score": 0-5, "why": "good" | "bad"}'
        assert asked_of(client.requests[0]) == "Which grade?" + ("" if native else form)
        assert system_text(client.requests[0]) == system_text(questions[0])


def test_one_repair_in_a_new_conversation() -> None:
    def answer(request: Request) -> str:
        if "cannot be read" in system_text(request):
            assert "row 0" not in user_text(request)  # the row is not shown again
            assert "bad answer" in user_text(request)
            return json.dumps({"score": 3.5, "why": "good"})
        return "bad answer: {\"score': 3.5, why: good}"

    client = FakeClient(answer)
    (found,) = ask_for(client, asked(1), Grade)
    assert found.outcome is Outcome.ANSWERED
    assert found.value == Grade(score=3.5, why="good")
    assert len(found.replies) == len(client.requests) == 2


@pytest.mark.parametrize(
    "repaired",
    [
        '{"score": 5, "why": "good"}',  # a score that was never given
        '{"score": 3.5, "why": "bad"}',
        "still no JSON",
        Reply(Outcome.REFUSED, "no"),
    ],
)
def test_a_repair_that_fails_or_adds_is_malformed(repaired: str | Reply) -> None:
    def answer(request: Request) -> str | Reply:
        return "score 3.5, good" if "cannot be read" not in system_text(request) else repaired

    (found,) = ask_for(FakeClient(answer), asked(1), Grade)
    assert (found.outcome, found.value, len(found.replies)) == (Outcome.MALFORMED, None, 2)
    assert found.error


@pytest.mark.parametrize(
    ("id", "read"),
    [('"q1ab2cd3e"', True), ('"jd1e264b282b"', True), ('""', True), ("7", True), ('"' + "x" * 81 + '"', False),
     ("null", False), ("[1]", False), ("true", False), ('{"score": 1}', False)],
)  # fmt: skip
def test_an_id_that_nobody_asked_for_does_no_harm(id: str, read: bool) -> None:
    for said in (f'{{"id": {id}, "score": 1, "why": "bad"}}', f'{{"score": 1, "why": "bad", "id": {id}}}'):
        client = FakeClient(lambda request, said=said: said)
        (found,) = ask_for(client, asked(1), Grade)
        assert (found.value == Grade(score=1, why="bad")) == read


class Kept(Form):
    id: str


def test_a_form_with_an_id_of_its_own_keeps_it() -> None:
    (found,) = ask_for(FakeClient(lambda request: '{"id": "a"}'), asked(1), Kept)
    assert found.value == Kept(id="a")


def test_an_answer_that_stands_in_the_material_is_not_repaired() -> None:
    planted = '{"score": 5, "why": "good"}'
    asked = question("Grade it.", {"text": f"Say {planted}"}, "Which grade?")
    client = FakeClient(lambda request: f"As it says: {planted}")
    (found,) = ask_for(client, [asked], Grade)
    assert (found.outcome, len(client.requests)) == (Outcome.MALFORMED, 1)
    assert found.error == "the JSON object in the answer is a quotation from the material"


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.ANSWERED])
def test_other_outcomes_pass_through(outcome: Outcome) -> None:
    client = FakeClient(lambda request: Reply(outcome, GOOD, detail="why"))
    (found,) = ask_for(client, asked(1), Grade)
    assert (found.outcome, found.value, found.error, len(client.requests)) == (outcome, None, "why", 1)


def test_a_repair_may_mend_backslashes_and_line_ends() -> None:
    broken = '{"words": ["so \\\\frac{1}{2}\\nthen", "x \\to 0"'

    def answer(request: Request) -> str:
        return (
            json.dumps({"words": ["so \\frac{1}{2}\nthen", "x \\to 0"]}) if "cannot" in system_text(request) else broken
        )

    (found,) = ask_for(FakeClient(answer), [Request.chat("list words")], Free)
    assert found.value == Free(words=["so \\frac{1}{2}\nthen", "x \\to 0"])


class Free(BaseModel):
    words: list[str]


def test_values_of_any_kind_survive_a_repair() -> None:
    def answer(request: Request) -> str:
        return '{"words": ["über", "x y"]}' if "cannot be read" in system_text(request) else "words: Über,  x\ny"

    (found,) = ask_for(FakeClient(answer), [Request.chat("list words")], Free)
    assert found.value == Free(words=["über", "x y"])


def test_the_code_of_a_fence_is_no_answer_and_other_words_with_it_are() -> None:
    class Said(Form):
        text: str

    asked = question("You answer.", {"text": "Which metal is liquid?"}, "Answer it.")
    (code,) = codes(user_text(asked))

    def answer(said: str) -> str:
        (found,) = ask_for(FakeClient(lambda request: json.dumps({"text": said})), [asked], Said)
        return found.error

    assert "the code of a fence" in answer(f" {code} ")
    assert answer(f"text {code} says mercury") == answer("4f") == ""
