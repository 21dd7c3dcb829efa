"""What is shown of a method's questions is what it sends."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from dataflywheel import catalog
from dataflywheel.cli.main import app
from dataflywheel.contracts import UsageError
from dataflywheel.evolution.judging.pointwise import Pointwise
from dataflywheel.models.endpoint.account import client_for, rehearsing, standing_in
from dataflywheel.models.endpoint.quoting import DATA_RULE
from dataflywheel.models.endpoint.recorder import Recorder, Tape
from dataflywheel.models.spec import ModelSpec
from dataflywheel.recipe.made_up_rows import SMALL, WORKED, cases
from dataflywheel.recipe.prompts import asks, prompts
from tests.models.endpoint.fake import FakeClient, system_text, user_text

ASKING = [name for name in catalog.names() if asks(catalog.get(name))]
PLAIN = {"magpie", "sequence_level", "spin"}
"""What they send is a row's own prompt, or no chat."""
ROWLESS = {"apigen", "attribute_grid", "condor", "magpie", "noised", "syn_po"}
HEAVY = {"failing_instructions"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in HEAVY else n for n in ASKING])
def test_every_method_that_asks_shows_its_questions(name: str) -> None:
    found = prompts(name)
    assert found, name
    kinds = {(one.to, system_text(one.request), user_text(one.request), one.schema) for one in found}
    assert len(kinds) == len(found) or name == "magpie"
    quoting = [one for one in found if DATA_RULE in system_text(one.request)]
    assert quoting or name in PLAIN | {"generate_verify_keep", "lean_proofs", "failing_instructions"}, name
    for one in quoting:
        assert "<" in user_text(one.request)
        assert not user_text(one.request).endswith(">")
        assert (one.schema is None) == ("Reply with one JSON object of this form" not in user_text(one.request))
    shown = "".join(user_text(one.request) + (one.request.prompt or "") for one in found)
    assert any(part[:12] in shown for row in (*SMALL, WORKED) for part in row) or name in ROWLESS


def test_all_that_ask_are_known_to_ask() -> None:
    ratings = {"alpagasus", "ask_llm", "deita", "ds2_rating", "instag", "qurating", "select_it", "clear_confidence"}
    ratings |= {"decision_tree_of_thought"}
    judges = {"pointwise", "pairwise", "rubric", "calibra_eval", "panel", "crowd_score", "judged", "win_rate"}
    writers = {"revision", "self_refine", "evol_instruct", "self_instruct", "grounded_questions", "llm2llm", "reworded"}
    assert ratings | judges | writers <= set(ASKING)
    assert not {"ifd", "ds2", "reverse_gen", "reward_model", "dsir", "python"} & set(ASKING)


def test_what_is_shown_is_what_is_sent() -> None:
    model = ModelSpec(endpoint="http://localhost:1/v1", model="m")
    client = FakeClient(lambda request: '{"score": 7}', json_schema=False)
    Pointwise(model=model).judge_with(client, cases(1))
    assert [one.request for one in prompts("pointwise")] == client.requests
    native = FakeClient(lambda request: '{"score": 7}', json_schema=True)
    Pointwise(model=model).judge_with(native, cases(1))
    assert [one.schema for one in prompts("pointwise")] == [request.schema for request in native.requests]


def test_further_questions_rest_on_earlier_answers() -> None:
    systems = [system_text(one.request) for one in prompts("self_refine")]
    assert [text.split(",")[0][:30] for text in systems] == [
        "The material is an instruction",
        "You examine an answer to an in",
        "The material is an instruction",
    ]
    assert [one.to for one in prompts("panel")] == ["models", "models"]


def test_questions_on_a_table_show_how_they_are_answered_again() -> None:
    first, again = prompts("source2synth")
    assert "`query` that answers the question" not in str(first.request.messages)
    assert "`query` that answers the question" in str(again.request.messages)


def test_parameters_change_the_question_and_are_checked() -> None:
    assert "analysis" in (prompts("pairwise", {"evidence": True})[0].schema or "")
    with pytest.raises(UsageError, match="evidenc"):
        prompts("pairwise", {"evidenc": True})
    with pytest.raises(UsageError, match="pointwise"):
        prompts("pointwis")


def test_nobody_is_asked_and_the_stand_in_goes() -> None:
    tape = Tape()
    with standing_in(lambda spec: Recorder("who", tape)):
        assert rehearsing()
        assert client_for(ModelSpec(hf="nowhere")).model.identity == "who"
    assert not rehearsing()
    with pytest.raises(UsageError, match="nothing is set up to ask"):
        client_for(ModelSpec(hf="nowhere"))


def test_the_command_prints_them() -> None:
    run = CliRunner().invoke
    said = run(app, ["methods", "--prompt", "ds2_rating"]).output
    assert "1 kind of question" in said
    assert DATA_RULE in said
    assert "[response_format" in said
    plain = json.loads(run(app, ["methods", "--prompt", "ds2_rating", "--json"]).output)
    assert plain[0]["messages"][1]["content"] in said
    assert plain[0]["sampling"]["max_tokens"] == 96
    assert plain[0]["schema"]["required"] == ["rarity", "complexity", "informativeness", "overall"]
    assert "asks no model itself; it reads ds2_rating" in run(app, ["methods", "--prompt", "ds2"]).output
    assert "asks no model itself." in run(app, ["methods", "--prompt", "ifd"]).output


def test_a_question_that_shows_fields_of_rows_has_them_made_up() -> None:
    given = {"instructions": "Write a question about {topic}.", "show": ["topic", "level"]}
    [one] = prompts("ask_for_rows", given)
    told = "\n".join(str(turn["content"]) for turn in one.request.messages)
    assert "made-up topic" in told
    assert "made-up level" in told
