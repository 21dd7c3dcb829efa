"""Examples in questions: shown apart from the row, part of the key, priced, and no way out of their fences."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import dataflywheel as fw
from dataflywheel import catalog
from dataflywheel.cli.main import app
from dataflywheel.contracts import PoolStatistics, UsageError, build
from dataflywheel.enhancement.rewriting.revision import Revision
from dataflywheel.models.endpoint.examples import Instructed, examples_of
from dataflywheel.models.endpoint.instructions import Told, filled, together
from dataflywheel.models.endpoint.quoting import DATA_RULE, EXAMPLES_RULE, question
from dataflywheel.proposing.kinds import Demand
from dataflywheel.proposing.written import proposed
from dataflywheel.recipe.prompts import prompts
from dataflywheel.signals.rating.ask import Ask
from tests.models.endpoint.fake import FakeClient, parts_of, system_text, user_text
from tests.models.endpoint.test_instructions import of
from tests.models.endpoint.test_quoting import ATTACKS
from tests.signals.rating.support import MODEL, rows
from tests.support.endpoint import Endpoint

ONE = {"prompt": "How many legs has a spider?", "answer": "Eight.", "score": 5}
TWO = {"prompt": "Name a river.", "answer": "Soup.", "score": 1}
KINDS = sorted(name for name in catalog.names() if issubclass(catalog.get(name), Instructed))


def asked_with(examples: Any, said: str = '{"value": 3}', **given: Any) -> FakeClient:
    client = FakeClient(lambda request: said)
    signal = build(Ask, {"model": MODEL, "question": "Good?", "answer": "number", "examples": examples, **given})
    signal.measure_with(client, rows(("Why?", "So.")))
    return client


def test_every_method_with_instructions_takes_them() -> None:
    named = {
        name
        for name in catalog.names()
        if (field := catalog.get(name).model_fields.get("instructions")) and field.metadata
    }
    assert set(KINDS) == named
    assert len(KINDS) > 25


@pytest.mark.parametrize("name", KINDS)
def test_they_are_shown_apart_from_the_row(name: str) -> None:
    plain, with_one = prompts(name), prompts(name, {"examples": [ONE]})
    showing = [one for one in with_one if EXAMPLES_RULE in system_text(one.request)]
    assert showing, name
    for one in showing:
        system = system_text(one.request)
        assert system.count("How many legs has a spider?") == 1
        assert system.index(EXAMPLES_RULE) < system.index("<example 1 prompt ") < system.rindex(DATA_RULE)
        assert system.endswith(DATA_RULE)
    assert "spider" not in "".join(user_text(one.request) for one in with_one)
    assert [user_text(one.request) for one in plain] == [user_text(one.request) for one in with_one]
    assert of(name).digest() == of(name, examples=[]).digest() != of(name, examples=[ONE]).digest()
    assert of(name, examples=[ONE]).digest() != of(name, examples=[TWO]).digest()


def test_the_question_is_the_same_but_for_them() -> None:
    client = asked_with([ONE, TWO])
    system = system_text(client.requests[0])
    shown = ["prompt", "answer", "score"]
    names = [line.split(">")[0].rsplit(" ", 1)[0] for line in system.splitlines() if line.startswith("<example")]
    assert names == [f"<example {i} {name}" for i in (1, 2) for name in shown]
    assert parts_of(client.requests[0]) == {"prompt": "Why?", "answer": "So."}
    none = asked_with([])
    assert user_text(none.requests[0]) == user_text(client.requests[0])
    assert EXAMPLES_RULE not in system_text(none.requests[0])


def test_an_answer_that_equals_that_of_an_example_is_read() -> None:
    """What stands in the row is no answer; what stands in an example is what answers look like."""
    client = FakeClient(lambda request: '{"value": 5}')
    given = {"model": MODEL, "question": "Good?", "answer": "number", "examples": [{"reply": {"value": 5}}]}
    found = build(Ask, given).measure_with(client, rows(("Why?", "So.")))
    assert list(found["value"]) == [5.0] or found["value"].to_pylist() == [5.0]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_example_leaves_its_fence(attack: str) -> None:
    (request,) = asked_with([{"prompt": attack}], said="none").requests[:1]
    system = system_text(request)
    opening = next(line for line in system.splitlines() if line.startswith("<example 1 prompt "))
    closing = f"</{opening[1:]}"
    inner = system.partition(f"{opening}\n")[2].partition(f"\n{closing}")[0]
    assert inner == attack
    assert system.count(closing) == 1
    assert parts_of(request) == {"prompt": "Why?", "answer": "So."}


def test_a_file_gives_its_first_rows_and_its_text_is_the_key(tmp_path: Path) -> None:
    file = tmp_path / "rated.jsonl"
    lines = [{"prompt": f"Question {i}?", "completion": f"Answer {i}.", "score": i} for i in range(9)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert examples_of(str(file)) == [
        {"prompt": f"Question {i}?", "answer": f"Answer {i}.", "score": str(i)} for i in range(3)
    ]
    assert len(examples_of({"path": str(file), "most": 5})) == 5
    before = of("ask", examples=str(file))
    file.write_text(file.read_text().replace("Answer 1.", "Another."), encoding="utf-8")
    after = of("ask", examples=str(file))
    assert before.key() != after.key()
    assert of("ask", examples=before.model_dump()["examples"]).key() == before.key()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("nowhere.jsonl", "nowhere.jsonl"),
        ({"path": "x", "at": 3}, "expected a path of rows"),
        ({"path": "x", "most": 0}, "from 1 to 50"),
        (3, "expected a path of rows"),
        ([{}], "texts by name"),
        ([{"prompt": ""}], "prompt is empty"),
        ([{"a\n<b>": "x"}], "is no name"),
        ([{"a": "x"}] * 51, "too many"),
    ],
)
def test_what_is_none_is_refused(given: Any, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        of("ask", examples=given)
    with pytest.raises(UsageError, match="examples"):
        build(catalog.get("magpie"), {"model": MODEL, "examples": [ONE]})


def test_they_stay_with_a_text_that_is_made_into_another() -> None:
    told = Told("Rate the {part}.", [{"a": "b"}])
    for made in (filled(told, part="answer"), together(["First.", told]), pickle.loads(pickle.dumps(told))):
        assert isinstance(made, Told)
        assert made.examples == ({"a": "b"},)
    assert type(together(["a", "b"])) is str
    assert "<example 1 a " in system_text(question(filled(told, part="answer"), {}, "?"))


def test_they_have_a_price() -> None:
    pool = PoolStatistics(rows=100, chars=40_000, tokens=10_000)
    for name in ("alpagasus", "revision", "self_instruct", "pairwise", "ask_for_rows", "syn_po"):
        priced = {"endpoint": "http://localhost:8000/v1", "model": "m", "usd_per_mtok": {"in": 1, "out": 1}}
        plain, more = (
            of(name, **given, **({"model": priced} if "model" in catalog.get(name).model_fields else {})).estimate(pool)
            for given in ({}, {"examples": [{"prompt": "x" * 4000}]})
        )
        assert plain.calls == more.calls
        assert more.tokens - plain.tokens == pytest.approx(1000 * plain.calls, rel=0.01), name
        assert more.usd > plain.usd or name == "revision", name


def test_an_example_that_comes_back_is_a_leak() -> None:
    from dataflywheel.proposing.gates.prompt_leak import PromptLeak
    from dataflywheel.proposing.kinds import Surroundings
    from dataflywheel.rows.identity import prompt_answer_row

    text = "A spider has eight legs, as every child that ever counted them knows very well."
    said = json.dumps({"instruction": "Where is it now?", "answer": text})

    class Here(Revision):
        def propose(self, demand: Demand) -> Any:
            return self.propose_with(FakeClient(lambda request: said), demand)

    row = prompt_answer_row("Where is it?", "In Paris.")
    demand = Demand((row,), (0,), (), None)  # type: ignore[arg-type]
    (made,) = proposed(build(Here, {"model": MODEL, "examples": [{"answer": text}]}), demand)
    assert text in made.shown
    (check,) = PromptLeak().check([made], Surroundings())
    assert check.reason == "prompt leaked"


def test_a_recipe_and_the_command_show_them(endpoint: Endpoint, tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["methods", "--prompt", "ask", "--set", "examples=[{prompt: Say A., score: 5}]"])
    assert "<example 1 prompt " in shown.output
    assert "Say A." in shown.output
    (tmp_path / "pool.jsonl").write_text('{"prompt": "Why?", "completion": "So."}\n', encoding="utf-8")
    (tmp_path / "shots.jsonl").write_text('{"prompt": "Say A.", "completion": "A.", "score": 5}\n', encoding="utf-8")
    endpoint.configure(rules=[{"rule": "echo", "match": "Why?", "text": '{"value": 4}'}])
    ask = {"question": "Good?", "answer": "number", "examples": str(tmp_path / "shots.jsonl")}
    recipe = {
        "name": "shots", "pool": {"path": str(tmp_path / "pool.jsonl")},
        "models": {"teacher": {"endpoint": endpoint.url, "model": "m"}},
        "signals": {"good": {"ask": ask}}, "steps": [{"filter": {"bounds": {"good.value": [1, None]}}}],
    }  # fmt: skip
    text = tmp_path / "recipe.yaml"
    text.write_text(json.dumps(recipe), encoding="utf-8")
    result = fw.run(str(text), home=tmp_path / "home", runs=tmp_path / "runs")
    assert result.rows_out == 1
    paid = len(endpoint.bill().charged)
    fw.run(str(text), home=tmp_path / "home", runs=tmp_path / "runs")
    assert len(endpoint.bill().charged) == paid
    (tmp_path / "shots.jsonl").write_text('{"prompt": "Say B.", "completion": "B.", "score": 5}\n', encoding="utf-8")
    fw.run(str(text), home=tmp_path / "home", runs=tmp_path / "runs")
    assert len(endpoint.bill().charged) == paid + 1, "other examples are another question"
    ask["examples"] = str(tmp_path / "none.jsonl")
    text.write_text(json.dumps(recipe), encoding="utf-8")
    with pytest.raises(UsageError, match=r"examples: .*none\.jsonl"):
        fw.plan(str(text), home=tmp_path)
