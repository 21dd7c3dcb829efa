"""What a verb says that it cost is what its ledger holds."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from dataflywheel.cli.asked import asked_model, paid, told
from dataflywheel.cli.main import app
from dataflywheel.cli.run import gain
from dataflywheel.contracts import Cost, UsageError
from dataflywheel.store.ledger import Ledger
from dataflywheel.store.scoreboard import Against, ArmScore, Scoreboard
from tests.support.endpoint import Endpoint


def test_the_bill_is_the_ledgers_with_what_was_cut_and_asked_again(tmp_path: Path) -> None:
    funnel = {
        **dict.fromkeys(("rejected", "left", "surplus"), 0),
        **{"accepted": 3, "proposed": 5, "rejections": [], "calls": 3, "tokens": 307, "usd": 0.1},
        **{
            "failed": 5,
            "failures": [
                {"reason": "truncated", "rows": 3},
                {"reason": "no better, the judge's marks are too near", "rows": 2},
            ],
        },
    }
    step = tmp_path / "round-1" / "01-enhance"
    step.mkdir(parents=True)
    (step / "metrics.json").write_text(json.dumps({"details": {"funnel": funnel, "gates": [], "shortfall": ""}}))
    asked, trained = {"calls": 4, "tokens": 445, "usd": 0.15}, {"tokens": 9000, "forward": 30, "backward": 30}
    total = {**asked, **trained, "tokens": 9445}
    steps = {"round-1/01-enhance": asked, "round-1/02-train": trained}
    (tmp_path / "ledger.json").write_text(json.dumps({"total": total, "steps": steps}))
    lines = told(SimpleNamespace(path=tmp_path, rows_out=3), "in all")
    assert "Cost: 4 calls, 445 tokens, $0.1500." in lines
    ledger = Ledger(tmp_path / "ledger.json")
    ledger.enter("round-1/01-enhance", Cost(calls=4, tokens=445, usd=0.15))
    ledger.doubt(Cost(calls=1, tokens=120, usd=0.05))
    ledger.enter("round-1/02-select", Cost(seconds=1.0))
    assert Ledger(ledger.path).maybe == ledger.maybe
    doubted = told(SimpleNamespace(path=tmp_path, rows_out=3), "in all")
    expected = "Cost: 4 calls, 445 tokens, $0.1500, of which may have been paid: 1 call, 120 tokens, $0.0500."
    assert expected in doubted
    assert paid(tmp_path) == {**asked, "maybe_paid": {"calls": 1, "tokens": 120, "usd": 0.05}}
    # What was written and is no row by the method's own rules was readable all the same.
    assert lines[0].endswith("; 5 gave no row.")
    assert "  3 gave no row: truncated; cut at the token limit: raise it, --set max_tokens=..." in lines
    assert "  2 gave no row: no better, the judge's marks are too near" in lines


def test_the_gain_says_by_how_much_the_arms_differ_in_training_tokens() -> None:
    def said(own: int, random: int, raw: int) -> str:
        arms = [
            ArmScore(name="selection", rows=40, train_tokens=own, mean=2.0, raw=Against(verdict="better than random")),
            ArmScore(name="random", rows=40, train_tokens=random),
            ArmScore(name="random_raw", rows=44, train_tokens=raw),
        ]
        return gain(SimpleNamespace(comparison=Scoreboard(metric="bits_per_byte", seeds=[0, 1, 2], arms=arms)))

    assert said(14566, 14500, 14600).endswith(". Same training tokens, 3 seeds, 95 % intervals.")
    unlike = said(14566, 12455, 14600)
    assert "from the same cleaned pool (same rows, +17 % tokens). 3 seeds" in unlike
    assert "from the raw pool;" in unlike
    assert "from the raw pool (-9 % tokens);" in said(14566, 14500, 16000)


def test_json_has_the_bill(endpoint: Endpoint, tmp_path: Path) -> None:
    endpoint.configure(rules=[{"rule": "echo", "match": "Why", "text": "3"}, {"rule": "echo", "text": "So it is."}])
    pool = tmp_path / "pool.jsonl"
    pool.write_text('{"prompt": "Why?", "completion": "So."}\n{"prompt": "Why not?", "completion": "Or so."}\n')
    places = ["--runs", str(tmp_path / "runs"), "--home", str(tmp_path / "home"), "--json"]
    asked = ["--model", "m", "--price", "1/1"]
    rated = ["--by", "rated", "--set", "score=alpagasus.score", "--set", "at_least=1", "--keep", "1"]
    for command in (
        ["answer", endpoint.url, str(pool), "--out", str(tmp_path / "out.jsonl"), *asked, *places],
        ["select", str(pool), *rated, "--ask", endpoint.url, *asked, *places],
    ):
        before = len(endpoint.bill().charged)
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, (done.output, done.exception)
        cost = json.loads(done.stdout.splitlines()[-1])["cost"]
        assert cost["calls"] == len(endpoint.bill().charged) - before > 0
        assert cost["usd"] > 0
        assert cost["maybe_paid"] == {"calls": 0, "tokens": 0, "usd": 0.0}
    longest = CliRunner().invoke(app, ["select", str(pool), "--by", "longest", "--keep", "1", *places])
    assert json.loads(longest.stdout.splitlines()[-1])["cost"]["calls"] == 0


def test_an_endpoint_without_a_model_is_told_by_its_flag() -> None:
    with pytest.raises(UsageError, match=r"http://x/v1: name the model that is asked there.*--model NAME"):
        asked_model("http://x/v1", "", "", "", [], {})
