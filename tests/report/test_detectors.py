"""The table of detectors from files: by function, by command, with a model that answers and one that runs out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import dataflywheel as fw
from dataflywheel.cli.main import app
from dataflywheel.contracts import FlywheelError, UsageError
from tests.signals.toxic_words import INSULTS, label_file, sentences
from tests.support.endpoint import Endpoint

MODEL = {"model": "rater", "usd_per_mtok": {"in": 1, "out": 1}}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    label_file(tmp_path / "own.jsonl")
    lines = [{"text": t, "label": "toxic" if bad else "fine"} for t, bad in sentences(80, seed=4)]
    (tmp_path / "other.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "words.txt").write_text("\n".join(INSULTS))
    return tmp_path


def test_every_detector_is_tried_on_texts_that_none_has_seen(files: Path) -> None:
    own, words = str(files / "own.jsonl"), {"lexicon": {"words": str(files / "words.txt")}}
    other = {"toxicity": {"labels": str(files / "other.jsonl")}}
    found = fw.detectors(
        own, ["toxicity", words, other], cross=[str(files / "other.jsonl"), own], home=files, false_positive_rate=0.1
    )
    assert [one.name for one in found.detectors] == ["toxicity", "lexicon", "toxicity 2"]
    assert found.training + found.apart + found.held_out == 400
    for one in found.detectors:
        assert one.own is not None
        assert one.own.value > 0.95
        assert one.own.judged == found.held_out
        assert list(one.cross) == [str(files / "other.jsonl")], "the pool itself is its own kind"
    plain = json.loads(json.dumps(found.as_dict()))
    assert plain["detectors"][1]["own"]["value"] == 1
    assert plain["detectors"][1]["calls"] == 0


def test_the_command_prints_the_table(files: Path) -> None:
    words = json.dumps({"lexicon": {"words": str(files / "words.txt")}})
    told = CliRunner().invoke(app, ["profile", str(files / "own.jsonl"), "--detector", "toxicity", "--detector", words])
    assert told.exit_code == 0, told.output
    for line in ("area under the curve", "counter-speech", "muslim", "toxic texts found", "texts: ok"):
        assert line in told.output
    bad = CliRunner().invoke(app, ["profile", str(files / "own.jsonl"), "--detector", "[1, 2]"])
    assert bad.exit_code != 0


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("toxicty", "toxicity"),
        ("text", "neither `score` nor `value`"),
        ({"lexicon": {}}, "words"),
        ({"lexicon": {"words": "nowhere.txt"}}, "cannot be read"),
        ({"classifier": {"hf": "./nowhere"}}, "no config.json"),
    ],
)
def test_what_is_no_detector_is_refused(files: Path, by: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        fw.detectors(str(files / "own.jsonl"), [by], home=files)


def test_too_few_labels_are_refused(files: Path) -> None:
    label_file(files / "few.jsonl", 30)
    with pytest.raises(UsageError, match="must hold 10 toxic texts and 10 others"):
        fw.detectors(str(files / "few.jsonl"), ["toxicity"], home=files)
    (files / "none.jsonl").write_text('{"text": "a"}\n')
    with pytest.raises(FlywheelError, match="no row has a label"):
        fw.detectors(str(files / "none.jsonl"), ["toxicity"], home=files)


def test_a_model_behind_an_endpoint_is_tried_and_paid_once(files: Path) -> None:
    said = json.dumps({"reason": "r", "verdict": "not toxic", "sure": 9, "quotes": []})
    with Endpoint(rules=[{"rule": "echo", "text": said}]) as endpoint:
        by = {"decision_tree_of_thought": {"model": {"endpoint": endpoint.url, **MODEL}}}
        first = fw.detectors(str(files / "own.jsonl"), [by], limit=40, home=files, usd=1)
        sent = len(endpoint.bill().charged)
        again = fw.detectors(str(files / "own.jsonl"), [by], limit=40, home=files, usd=1)
        assert len(endpoint.bill().charged) == sent
        with pytest.raises(FlywheelError):
            fw.detectors(str(files / "own.jsonl"), [by], limit=60, home=files / "fresh", calls=0)
    one = first.detectors[0]
    assert one.own is not None
    assert (one.own.value, one.found.called) == (0.5, 0)
    assert one.statuses["ok"] == one.calls
    assert again.as_dict() == first.as_dict()
