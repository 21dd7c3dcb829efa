"""Instructions of one's own: part of digest and question, and no way for a row's text to give orders."""

from __future__ import annotations

from typing import Any

import pytest

from dataflywheel import catalog
from dataflywheel.contracts import UsageError, build
from dataflywheel.enhancement.rewriting.revision import Revision
from dataflywheel.models.endpoint.instructions import filled, own_text
from dataflywheel.models.endpoint.quoting import DATA_RULE
from dataflywheel.recipe.prompts import asks, prompts
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.signals.rating.alpagasus import AlpaGasus
from dataflywheel.signals.rating.ask_llm import INSTRUCTIONS, AskLLM
from dataflywheel.signals.rating.ds2_rating import DS2Rating
from tests.models.endpoint.fake import FakeClient, asked_of, parts_of, system_text
from tests.models.endpoint.test_quoting import ATTACKS
from tests.signals.rating.support import MODEL, rows

OWN = "Look at {1, 2} and at the tone alone, as a retired sailor would."
OPEN = {"best_of_n", "magpie", "sequence_level", "spin", "judged", "noised", "deita", "failing_instructions"}
"""What they send is a prompt of a row, or the instructions of a judge that they are told, or have other names."""
NAMING = "ask_for_rows"
"""Names in braces say what is shown, and stay names: see its own test."""
ASKING = [name for name in catalog.names() if asks(catalog.get(name)) and name not in OPEN]

PLAIN = {"generate_verify_keep", "lean_proofs"}
"""They send a row's question as it is, without fences."""


def of(name: str, **given: Any) -> Any:
    """The method with all that it must have."""
    from dataflywheel.recipe.prompts import usual as usual_of

    tables = {"database": "recipes/planets.csv", "others": "recipes/planets.csv"}
    files = {"anchors": "anchors.jsonl", "labels": "labels.jsonl", **tables}
    return build(catalog.get(name), {**usual_of(catalog.get(name), files), **given})


@pytest.mark.parametrize("name", ASKING)
def test_every_method_takes_instructions(name: str) -> None:
    usual = catalog.get(name).model_fields["instructions"].default
    plain, told, other = of(name), of(name, instructions=usual), of(name, instructions=OWN)
    assert told == plain
    assert told.digest() == plain.digest() != other.digest()
    sent = [system_text(one.request) for one in prompts(name, {"instructions": OWN})]
    assert any(OWN in text for text in sent)
    assert all(text.endswith(DATA_RULE) for text in sent if OWN in text) or name in PLAIN
    before = {one.request.key("m") for one in prompts(name)}
    assert {one.request.key("m") for one in prompts(name, {"instructions": OWN})} - before


@pytest.mark.parametrize("name", ["deita", "noised", *(n for n in ASKING if n != NAMING)])
def test_further_texts_are_as_safe(name: str) -> None:
    kind = catalog.get(name)
    texts = [n for n, f in kind.model_fields.items() if f.annotation is str and f.metadata and f.default]
    assert texts or name in PLAIN
    for field in texts:
        with pytest.raises(UsageError, match=r"\{answer\} stands for a text of the row"):
            of(name, **{field: "Grade {answer}."})


def test_other_instructions_have_other_columns_in_the_store() -> None:
    keys = {AlpaGasus(model=MODEL, **given).key() for given in ({}, {"instructions": "Grade it."})}  # type: ignore[arg-type]
    assert len(keys) == 2


def test_about_texts_the_usual_instructions_are_others() -> None:
    text = AskLLM(model=MODEL, about="text")
    assert text.instructions == INSTRUCTIONS["text"] != AskLLM(model=MODEL).instructions
    assert text == AskLLM(model=MODEL, about="text", instructions=INSTRUCTIONS["text"])
    assert AskLLM(model=MODEL, about="text", instructions="Own.").instructions == "Own."


@pytest.mark.parametrize("text", ["", " \n", "Rate {answer}.", "Rate {{ prompt }}!", "{instruction}: good?"])
def test_a_text_that_wants_a_row_in_it_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"blank|as material between marks"):
        own_text(text)


def test_other_braces_are_left_alone() -> None:
    for text in (r"Give it in \boxed{answer}.", 'Such as {"answer": 1}', "a set {x}", "f{text}"):
        assert own_text(text) == text
    assert filled("{a} {b} {a}", a="{b}", b=2) == "{b} 2 {b}", "what is put in is not looked at again"


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_text_of_a_row_comes_into_them(attack: str) -> None:
    client = FakeClient(lambda request: "no answer")
    DS2Rating(model=MODEL, instructions=OWN, max_chars=1 << 20).measure_with(client, rows(("Where?", attack)))
    (asked,) = client.requests[:1]
    assert system_text(asked) == f"{OWN}\n\n{DATA_RULE}"
    assert parts_of(asked) == {"instruction": "Where?", "answer": attack}
    assert asked_of(asked).startswith("Give the four whole numbers")


def test_what_the_writer_was_told_may_not_come_back() -> None:
    """The gate `prompt_leak` looks for the text that was sent, not for the usual one."""
    from dataflywheel.proposing.kinds import Demand

    said = '{"instruction": "Where is it now?", "answer": "In Paris, so it seems."}'
    row = prompt_answer_row("Where is it?", "In Paris.")
    demand = Demand((row,), (0,), (), None)  # type: ignore[arg-type]
    (made,) = Revision(model=MODEL, instructions=OWN).propose_with(FakeClient(lambda request: said), demand)
    assert made.shown == (OWN,)
