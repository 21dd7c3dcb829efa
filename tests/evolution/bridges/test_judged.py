"""A judge as the gate of a generator: a scripted endpoint that knows how good each answer is."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

import dataflywheel as fw
from dataflywheel.contracts import Case, FlywheelError, UsageError, build
from dataflywheel.evolution.bridges.judged import TOO_LOW, Judged
from dataflywheel.evolution.bridges.known_judge import UNREADABLE
from dataflywheel.evolution.judging.rubric import Rubric
from dataflywheel.evolution.judging.self_test import KNOWN
from dataflywheel.inline.write import generate
from dataflywheel.models.endpoint import account
from dataflywheel.models.endpoint.pace import Pace
from dataflywheel.proposing.kinds import Proposal, Surroundings
from dataflywheel.recipe.load import recipe_from
from dataflywheel.report.html import write_report
from dataflywheel.rows.identity import prompt_answer_row
from tests.evolution.judging.asking import MODEL, Scripted
from tests.evolution.judging.scripted import spec
from tests.models.endpoint.fake import user_text
from tests.support.endpoint import Endpoint

MANUAL = {
    "pump": "The pump is a machine of rank [[truth:5]] that moves water.",
    "filter": "The filter is a sieve of rank [[truth:2]] that keeps sand out.",
    "tank": "The tank is a box of rank [[truth:4]] that holds water.",
    "valve": "The valve is a lid of no rank that stops water.",
}
GATES = [{"judged": {"by": "rubric", "at_least": 3}}, {"judged": {"by": "rubric", "at_least": 5}}]


def known(right: int = 5, wrong: int = 1) -> list[dict[str, Any]]:
    """Rules of an endpoint that marks the answers of the self-test, one by one."""
    judge, rules = Rubric(model=MODEL), []
    for place, (prompt, *answers) in enumerate(KNOWN):
        for which, answer in enumerate(answers):
            for criterion in judge.criteria:
                asked = judge._ask(Case("", prompt, (answer,)), answer, criterion)
                text = json.dumps({"score": right if which == place % 2 else wrong})
                rules.append({"rule": "echo", "match": user_text(asked), "text": text})
    return rules


RATES = {"rule": "rater", "unknown": "refuse"}


def written(folder: Path, endpoint: Endpoint, **more: Any) -> fw.Result:
    lines = [orjson.dumps({"text": text}) for text in MANUAL.values()]
    (folder / "manual.jsonl").write_bytes(b"\n".join(lines))
    return generate(
        str(folder / "manual.jsonl"), "grounded_rules", 4, gates=GATES, models={"teacher": spec(endpoint)},
        runs=folder / "runs", home=folder / "home", **more,
    )  # fmt: skip


def ledger(made: fw.Result) -> dict[str, dict[str, Any]]:
    """Lines of the ledger by the word that the row is about."""
    lines = pq.read_table(made.path / "round-1" / "01-generate" / "proposals.parquet").to_pylist()
    return {next(word for word in MANUAL if word in line["row"]): line for line in lines}


def test_a_rubric_judges_what_a_generator_writes(
    endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "Pace", partial(Pace, attempts=1, backoff=0.01))
    down = [{"fault": "http_500", "match": "The tank", "attempts": []}]
    endpoint.configure(rules=[*known(), RATES], script=down)
    found = ledger(written(tmp_path, endpoint))
    assert found["tank"]["detail"].startswith("server error")
    endpoint.configure(rules=[*known(), RATES])
    made = written(tmp_path, endpoint)  # the same command asks again what the endpoint failed at, and nothing else
    found = ledger(made)
    told = {word: (line["fate"], line["gate"], line["reason"]) for word, line in found.items()}
    assert told == {
        "pump": ("accepted", "", ""),
        "filter": ("rejected", "judged (at_least: 3.0)", TOO_LOW),
        "tank": ("rejected", "judged (at_least: 5.0)", TOO_LOW),
        "valve": ("rejected", "judged (at_least: 3.0)", UNREADABLE),
    }
    assert [found[word]["detail"] for word in ("filter", "tank")] == [
        "2 (substance 2, style 2)",
        "4 (substance 4, style 4)",
    ]
    facts = {word: orjson.loads(line["facts"]) for word, line in found.items()}
    assert facts == {"pump": {"score": 5.0}, "filter": {"score": 2.0}, "tank": {"score": 4.0}, "valve": {}}
    calls = {word: line["calls"] for word, line in found.items()}
    assert calls == {"pump": 2, "filter": 2, "tank": 2, "valve": 3}  # the second gate finds the answers to the first
    bill = endpoint.bill()
    step = orjson.loads((made.path / "round-1" / "01-generate" / "metrics.json").read_bytes())
    assert step["cost"]["calls"] == len(bill.charged) == 24 + sum(calls.values())
    assert bill.paid_twice == {}
    write_report(made.path)
    page = (made.path / "report.html").read_text(encoding="utf-8")
    assert "judged (at_least: 5.0)" in page
    assert UNREADABLE in page


def test_a_budget_that_ends_among_verdicts_stops_the_step_and_rejects_nothing(
    endpoint: Endpoint, tmp_path: Path
) -> None:
    endpoint.configure(rules=[*known(), RATES])
    made = written(tmp_path, endpoint, budget={"calls": 27})
    assert made.stopped is not None
    assert "the cap on dollars, tokens or calls was reached" in made.stopped
    assert not (made.path / "round-1" / "01-generate" / "proposals.parquet").exists()
    made = written(tmp_path, endpoint, budget={"calls": 40})
    assert ledger(made)["pump"]["fate"] == "accepted"
    assert endpoint.bill().paid_twice == {}


def test_a_judge_that_misses_obvious_pairs_is_no_gate(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[*known(1, 5), RATES])
    with pytest.raises(FlywheelError, match="rubric by m got 0 of 6 obvious pairs right"):
        written(tmp_path, endpoint)


def test_the_plan_prices_and_refuses(tmp_path: Path) -> None:
    (tmp_path / "manual.jsonl").write_bytes(orjson.dumps({"text": MANUAL["pump"]}))

    def planned(gates: list[Any], teacher: Any = None) -> dict[str, Any]:
        model = teacher or {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "usd_per_mtok": {"in": 1, "out": 2}}
        step = {"by": "grounded_rules", "rows": 10, "gates": gates}
        models = {"teacher": model} if model != "none" else {}
        pool = [{"path": str(tmp_path / "manual.jsonl")}]
        return fw.plan(recipe_from({"name": "a", "pool": pool, "models": models, "steps": [{"generate": step}]}))

    one = planned(GATES[:1])["steps"][0]["cost"]
    two = planned(GATES)["steps"][0]["cost"]
    assert (one["calls"], two["calls"]) == (21, 41)  # substance and style of ten rows, and whether it obeys a schema
    assert one["usd"] > 0
    assert two["usd"] == pytest.approx(2 * one["usd"], rel=0.02)
    for gate, message in (
        ({"by": "rubric", "at_least": 9}, "rubric scores from 1 to 5, and at_least is 9"),
        (
            {"by": "pairwise", "at_least": 1},
            "pairwise compares 2 answers, and here each is scored by itself: pointwise, rubric",
        ),
        ({"by": "rubrik", "at_least": 1}, "there is no judge 'rubrik'; did you mean 'rubric'?"),
        ({"by": {"rubric": {"modell": 1}}, "at_least": 1}, "unknown parameter 'modell'"),
        ({"by": {"rubric": {"model": "m"}}, "at_least": 1}, "the model that judges is named beside it"),
        ({"by": "rubric"}, "at_least"),
    ):
        with pytest.raises(UsageError, match=message):
            planned([{"judged": gate}])
    with pytest.raises(UsageError, match="judged asks a model: name one"):
        planned(GATES, "none")


def test_what_a_judge_cannot_see_is_turned_away_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Scripted(lambda parts, told: {"score": 5 if "<think>" not in parts["answer"] else 1})
    monkeypatch.setattr(Rubric, "judge", lambda self, cases: self.judge_with(client, cases))
    monkeypatch.setattr("dataflywheel.evolution.bridges.judged.require_able", lambda judge: None)
    gate = build(Judged, {"at_least": 4, "model": MODEL})
    rows = [prompt_answer_row("Q", text) for text in ("Yes.", "<think>Hm.</think>Yes.", "  ", "<think>Hm.</think>")]
    rows.append({**prompt_answer_row("Q", "Yes."), "media": [{"kind": "image", "ref": "a.png"}]})  # type: ignore[list-item]
    found = gate.check([Proposal((), row) for row in rows], Surroundings())
    assert [(one.passed, one.decided, one.reason) for one in found] == [
        (True, True, ""), (True, True, ""), (False, False, "no answer in words"), (False, False, "no answer in words"),
        (False, False, "the judge cannot see its images or sounds"),
    ]  # fmt: skip
    assert len(client.asked) == 4
