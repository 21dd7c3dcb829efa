"""Rows by a prompt of one's own: what is shown, what is read, and that no row gives orders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import dataflywheel as fw
from dataflywheel.cli.main import app
from dataflywheel.contracts import PoolStatistics, UsageError, build
from dataflywheel.models.endpoint.quoting import DATA_RULE
from dataflywheel.models.endpoint.request import Request
from dataflywheel.proposing.kinds import Proposal
from dataflywheel.rows.identity import make_row
from dataflywheel.rows.schema import Row, message
from dataflywheel.synthesis.instruction.ask_for_rows import AskForRows
from tests.models.endpoint.fake import FakeClient, asked_of, parts_of, system_text
from tests.models.endpoint.test_quoting import ATTACKS
from tests.signals.rating.support import MODEL
from tests.support.endpoint import Endpoint
from tests.synthesis.support import demand, failures, pairs_of, seeds, teacher

SAID = {"prompt": "Why is the sea salt?", "answer": "Rivers bring salt to it."}
ONE = seeds(("Why is the sky blue?", "Air scatters blue light most."))
FIELDS = {
    "question": "text",
    "thoughts": "text",
    "solution": "text",
    "hard": {"type": "integer", "minimum": 1, "maximum": 5},
    "topic": ["sums", "prose"],
    "safe": "yes_no",
}
WHOLE = {"question": "2 + 2?", "thoughts": "Two and two.", "solution": "4", "hard": 1, "topic": "sums", "safe": "yes"}


def method(**given: Any) -> AskForRows:
    return build(AskForRows, {"model": MODEL, **given})


def made(given: dict[str, Any], said: object, rows: tuple[Row, ...] = ONE) -> tuple[Proposal, FakeClient]:
    client = teacher(lambda parts, request: said if isinstance(said, str) else dict(said))  # type: ignore[call-overload]
    (proposal,) = method(**given).propose_with(client, demand(rows))
    return proposal, client


def test_fields_are_a_row_and_the_others_stay_beside_it() -> None:
    given = {"fields": FIELDS, "columns": {"prompt": "question", "answer": "solution"}, "tags": ["topic"]}
    row = made(given, WHOLE)[0].row
    assert row is not None
    assert [(turn["role"], turn["content"]) for turn in row["messages"]] == [("user", "2 + 2?"), ("assistant", "4")]
    assert row["tags"] == ["skill", "sums"]
    assert json.loads(row["extra"]) == {"thoughts": "Two and two.", "hard": 1, "safe": True}
    assert (row["parents"], row["made_by"], row["source"]) == ([ONE[0]["id"]], "ask_for_rows", "test")


def test_a_system_text_a_label_and_joined_fields() -> None:
    fields = {"system": "text", "task": "text", "given": "text", "answer": "text", "good": "yes_no"}
    said = {"system": "Be short.", "task": "Sum up.", "given": "A text.", "answer": "Text.", "good": "no"}
    row = made({"fields": fields, "columns": {"prompt": ["task", "given"], "label": "good"}}, said)[0].row
    assert row is not None
    assert [turn["content"] for turn in row["messages"]] == ["Be short.", "Sum up.\n\nA text.", "Text."]
    assert row["label"] == "false"
    document = made({"fields": {"text": "text"}, "columns": {"answer": "text"}}, {"text": "Once upon a time."})[0].row
    assert document is not None
    assert [turn["role"] for turn in document["messages"]] == ["assistant"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({**WHOLE, "hard": 6}, "malformed"),
        ({**WHOLE, "hard": "1"}, "malformed"),
        ({**WHOLE, "topic": "verse"}, "malformed"),
        ({**WHOLE, "more": "x"}, "malformed"),
        ({name: WHOLE[name] for name in WHOLE if name != "safe"}, "malformed"),
        ({**WHOLE, "solution": " "}, "empty answer"),
        ({**WHOLE, "question": ""}, "empty prompt"),
        ("I had rather not.", "malformed"),
    ],
)
def test_what_does_not_fit_is_no_row(said: object, why: str) -> None:
    proposal, _ = made({"fields": FIELDS, "columns": {"prompt": "question", "answer": "solution"}}, said)
    assert failures([proposal]) == [why]
    assert proposal.replies, "and it is paid for"


def test_what_is_shown_is_named_in_the_prompt_and_stands_among_the_material() -> None:
    seed = make_row([message("user", "Sum 2 and 3."), message("assistant", "5")], extra={"topic": "sums", "level": 2})
    _, client = made({"instructions": "Make {prompt} harder."}, SAID, (seed,))
    assert system_text(client.requests[0]) == f"Make `prompt` harder.\n\n{DATA_RULE}"
    assert parts_of(client.requests[0]) == {"prompt": "Sum 2 and 3."}
    assert asked_of(client.requests[0]) == "Write `prompt` and `answer` of one new row."
    _, client = made({"instructions": "Write about {{ topic }}.", "show": ["topic", "level"]}, SAID, (seed,))
    assert parts_of(client.requests[0]) == {"topic": "sums", "level": "2"}
    assert parts_of(made({}, SAID, (seed,))[1].requests[0]) == {"prompt": "Sum 2 and 3.", "answer": "5"}
    lacking, client = made({"show": ["colour"]}, SAID, (seed,))
    assert failures([lacking]) == ["no colour in the row"]
    assert not client.requests
    long, client = made({"max_chars": 100}, SAID, seeds(("Why?", "so " * 50)))
    assert failures([long])[0].startswith("longer than the 100 characters")
    assert not client.requests


def test_several_rows_are_shown_and_none() -> None:
    rows = seeds(*((f"Question {i}?", f"Answer {i}.") for i in range(9)))
    client = teacher(lambda parts, request: SAID)
    first, second = method(seeds=3).propose_with(client, demand(rows[:2]))
    parts = parts_of(client.requests[0])
    assert list(parts) == ["prompt 1", "answer 1", "prompt 2", "answer 2", "prompt 3", "answer 3"][: len(parts)]
    assert parts["prompt 1"] == "Question 0?"
    assert first.row is not None
    assert first.row["parents"][0] == rows[0]["id"]
    assert list(first.parents) == first.row["parents"] == list(dict.fromkeys(first.parents))
    assert second.parents[0] == rows[1]["id"]
    client = teacher(lambda parts, request: SAID)
    (alone,) = method(seeds=0, instructions="Write a riddle.").propose_with(client, demand(ONE))
    assert (client.requests[0].messages[0]["content"], parts_of(client.requests[0])) == ("Write a riddle.", {})
    assert alone.row is not None
    assert (alone.parents, alone.row["parents"], alone.row["source"], alone.row["tags"]) == ((), [], "ask_for_rows", [])


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_row_leaves_its_fence(attack: str) -> None:
    given = {"instructions": "Answer {prompt} as {answer} does.", "max_chars": 1 << 21}
    client = FakeClient(lambda request: "none")
    method(**given).propose_with(client, demand(seeds(("Where?", attack))))
    assert parts_of(client.requests[0]) == {"prompt": "Where?", "answer": attack}
    assert system_text(client.requests[0]) == f"Answer `prompt` as `answer` does.\n\n{DATA_RULE}"
    assert asked_of(client.requests[0]).startswith("Write `prompt` and `answer` of one new row.")


def test_an_answer_that_stands_in_the_row_is_never_read() -> None:
    planted = json.dumps(SAID)
    for told in (planted, f"It says {planted}.", f"```json\n{planted}\n```"):
        proposal, _ = made({}, told, seeds(("Where?", f"Paris. {planted}")))
        assert failures([proposal]) == ["malformed"]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"instructions": " "}, "are blank"),
        ({"instructions": "About {topic}."}, r"\{topic\} stands for no part of a row .* `show: \[topic\]`"),
        ({"instructions": "Like {prompt}.", "seeds": 0}, "shows no row, and prompt"),
        ({"fields": {"prompt": "text"}}, "no field becomes the answer"),
        ({"fields": {"prompt": "text", "answer": "texts"}}, "no kind of answer"),
        ({"fields": {"a b": "text"}}, "no name"),
        ({"columns": {"prompt": "question"}}, "no field 'question'"),
        ({"columns": {"title": "prompt"}}, "none of these"),
        ({"columns": {"answer": ["prompt", "answer"]}}, "only prompt and system"),
        ({"tags": ["topic"]}, "no field 'topic'"),
        ({"show": ["a <b>"]}, "no name of a field"),
        ({"feilds": {}}, "fields"),
    ],
)
def test_what_makes_no_sense_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        method(**given)


def test_braces_of_other_things_are_left_alone() -> None:
    text = r'End with \boxed{answer}, 2^{n}, {1, 2} or {"answer": "x"}.'
    assert made({"instructions": text}, SAID)[1].requests[0].messages[0]["content"] == f"{text}\n\n{DATA_RULE}"


def test_the_price_is_of_the_prompt_and_the_rows_shown() -> None:
    pool = PoolStatistics(rows=100, chars=40_000, tokens=10_000)
    plain, three = method().estimate(pool), method(seeds=3).estimate(pool)
    assert plain.calls == three.calls == 100
    assert three.tokens - plain.tokens == 2 * pool.tokens
    longer = method(instructions="x" * 4000).estimate(pool)
    assert longer.tokens > plain.tokens + 90_000


def write(path: Path, rows: int = 6) -> Path:
    lines = [{"prompt": f"Question {i}?", "completion": f"Answer {i}.", "topic": f"topic {i}"} for i in range(rows)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_a_recipe_writes_rows_that_pass_the_gates(endpoint: Endpoint, tmp_path: Path) -> None:
    pool = write(tmp_path / "pool.jsonl")
    said = [{"prompt": f"What of {kind}?", "answer": f"Much is known of {kind} today."} for kind in ("tea", "oak")]
    endpoint.configure(
        rules=[
            *(
                {"rule": "echo", "match": f"topic {i}\n", "text": json.dumps(one)}
                for i, one in enumerate([*said, {**SAID, "answer": "I am sorry, but I cannot help with that."}])
            ),
            {"rule": "echo", "text": "no row"},
        ]
    )
    by = {"ask_for_rows": {"instructions": "Write a question about {topic}.", "show": ["topic"]}}
    spec = {"endpoint": endpoint.url, "model": "m", "usd_per_mtok": {"in": 1, "out": 1}}
    recipe = {"name": "own", "pool": {"path": str(pool)}, "models": {"teacher": spec}}
    step = {"generate": {"by": by, "rows": 4, "visits": 1}}
    text = tmp_path / "own.yaml"
    text.write_text(json.dumps({**recipe, "steps": [step]}), encoding="utf-8")
    priced = fw.plan(str(text), home=tmp_path)
    assert priced.steps[0].cost.calls == 4 + 1, "and whether the endpoint obeys a schema"
    assert priced.steps[0].cost.usd > 0
    result = fw.run(str(text), home=tmp_path, runs=tmp_path / "runs")
    new = [row["messages"] for row in result.rows if row["messages"][0]["content"].startswith("What of")]
    assert sorted(turns[0]["content"] for turns in new) == ["What of oak?", "What of tea?"]
    step["generate"]["by"]["ask_for_rows"]["show"] = ["topics"]
    by["ask_for_rows"]["instructions"] = "Write a question about {topics}."
    text.write_text(json.dumps({**recipe, "steps": [step]}), encoding="utf-8")
    with pytest.raises(UsageError, match="can write from none of the first 6 rows: no topics in the row"):
        fw.plan(str(text), home=tmp_path)


def test_the_plan_says_no_less_than_the_bill(endpoint: Endpoint, tmp_path: Path) -> None:
    pool = write(tmp_path / "pool.jsonl")
    said = [{"prompt": f"What of number {i}?", "answer": f"It is {i} and no other."} for i in range(6)]
    endpoint.configure(
        rules=[{"rule": "echo", "match": f"Question {i}?", "text": json.dumps(one)} for i, one in enumerate(said)]
    )
    shots = [{"prompt": "A long example. " * 50, "answer": "It ends."}]
    by = {"ask_for_rows": {"instructions": "Write one like {prompt}.", "examples": shots}}
    spec = {"endpoint": endpoint.url, "model": "m", "usd_per_mtok": {"in": 1, "out": 1}}
    step = {"generate": {"by": by, "rows": 4, "visits": 1, "gates": []}}
    given = {"name": "own", "pool": {"path": str(pool)}, "models": {"teacher": spec}, "steps": [step]}
    text = tmp_path / "own.yaml"
    text.write_text(json.dumps(given), encoding="utf-8")
    told = fw.plan(str(text), home=tmp_path).total
    result = fw.run(str(text), home=tmp_path, runs=tmp_path / "runs")
    paid = json.loads((result.path / "ledger.json").read_text(encoding="utf-8"))["total"]
    assert len(result.rows) == 6 + 4
    assert 0 < paid["calls"] <= told.calls
    assert paid["tokens"] <= told.tokens
    assert paid["usd"] <= told.usd < 5 * paid["usd"]
    assert told.tokens > 4 * 200, "the example is in every question"


def test_the_command_line_and_python_write_from_nothing(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "echo", "text": json.dumps(SAID)}])
    (tmp_path / "prompt.txt").write_text("Write a riddle: any, but new.\n", encoding="utf-8")
    places = ["--runs", str(tmp_path / "runs"), "--home", str(tmp_path / "home")]
    own = ["--set", f"instructions=@{tmp_path / 'prompt.txt'}", "--set", "seeds=0", "--gate", "refusal"]
    asked = ["--by", "ask_for_rows", "--ask", endpoint.url, "--model", "m", "--rows", "1", *own, *places]
    done = CliRunner().invoke(app, ["generate", *asked])
    assert done.exit_code == 0, (done.output, done.exception)
    assert " proposals accepted by refusal" in done.output
    (run,) = (tmp_path / "runs").iterdir()
    asked_of_it = fw.why(run, SAID["prompt"], tmp_path / "home")["written"][0]["answers"][0]
    assert asked_of_it["request"]["messages"][0]["content"] == "Write a riddle: any, but new."
    by = {"ask_for_rows": {"instructions": "Write a riddle: any, but new.", "seeds": 0}}
    written = fw.generate(
        None, by, 1, gates=["refusal"], models={"teacher": {"endpoint": endpoint.url, "model": "m"}},
        home=tmp_path / "home", runs=tmp_path / "runs2",
    )  # fmt: skip
    assert [row["messages"][0]["content"] for row in written.added] == [SAID["prompt"]]


def test_through_propose_every_pair_comes_back() -> None:
    rows = seeds(("A?", "B."), ("C?", "D."))
    client = teacher(lambda parts, request: {"prompt": parts["prompt"] + "!", "answer": number(request)})
    assert pairs_of(method().propose_with(client, demand(rows))) == [("A?!", "number 0"), ("C?!", "number 0")]


def number(request: Request) -> str:
    return f"number {request.sample}"
