"""Judging two files of answers against the scripted endpoint: planted truth, planted faults, caps, panels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dataflywheel as fw
from dataflywheel.contracts import FlywheelError, OverBudgetError, UsageError, Verdict
from dataflywheel.evolution.judging.pairing import read_gold, read_pairs
from dataflywheel.evolution.judging.self_test import RIGHT, known_cases
from dataflywheel.report.judging import beats
from dataflywheel.rows.schema import message
from tests.evolution.judging.scripted import KNOWS, answers, knows, labels, script, spec, two_files, write
from tests.support.endpoint import Endpoint


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return two_files(tmp_path)


def test_a_truthful_judge(endpoint: Endpoint, files: tuple[Path, Path], tmp_path: Path) -> None:
    script(endpoint)
    found = fw.judge(*files, spec(endpoint), home=tmp_path, resamples=200)
    assert found.verdicts == {"first": 30, "second": 6, "tie": 4, "invalid": 0}
    assert found.win_rate["value"] == pytest.approx(32 / 40)
    assert found.win_rate["low"] < 0.8 < found.win_rate["high"]
    assert (found.consistency, found.first_position, found.invalid) == (1, 0.5, 0)
    assert (found.pairs, found.only_in_a, found.only_in_b) == (40, 1, 0)
    assert found.longer["value"] == pytest.approx(6 / 36)
    assert found.self_test.right == 6
    assert found.length_controlled is None
    assert "two other models or more" in found.length_note
    assert found.cost["calls"] == 2 * 46 == len(endpoint.bill().charged)
    again = fw.judge(*files, spec(endpoint), home=tmp_path, resamples=200)
    assert again.as_dict() == found.as_dict()
    assert len(endpoint.bill().charged) == 2 * 46


def test_an_order_biased_judge_fails_the_self_test(
    endpoint: Endpoint, files: tuple[Path, Path], tmp_path: Path
) -> None:
    endpoint.configure(rules=[{"rule": "judge", "position_bias": 30.0}])
    with pytest.raises(FlywheelError, match=r"got 0 of 6 obvious pairs right .*name another judge"):
        fw.judge(*files, spec(endpoint), home=tmp_path)
    assert len(endpoint.bill().lines) <= 2 * 6 * 2


def test_an_order_bias_on_the_pairs_gives_only_ties(
    endpoint: Endpoint, files: tuple[Path, Path], tmp_path: Path
) -> None:
    script(endpoint, position_bias=30.0, accuracy=0.6, ties=False)
    found = fw.judge(*files, spec(endpoint), home=tmp_path, resamples=100)
    assert found.verdicts == {"first": 0, "second": 0, "tie": 40, "invalid": 0}
    assert (found.consistency, found.first_position) == (0, 1)


def test_broken_replies_are_invalid(endpoint: Endpoint, files: tuple[Path, Path], tmp_path: Path) -> None:
    endpoint.configure(
        rules=[*KNOWS, {"rule": "echo", "match": "question number 7", "text": "Both are nice."}, {"rule": "judge"}],
    )
    found = fw.judge(*files, spec(endpoint), home=tmp_path, resamples=100)
    assert found.verdicts["invalid"] == 1
    assert found.reasons == {"malformed": 1}
    assert found.invalid == pytest.approx(2 / 80)
    assert found.win_rate["n"] == 39
    (line,) = (j for j in found.judgements if j["verdict"] == "invalid")
    assert line["won"] is None or line["won"] != line["won"]
    assert found.as_dict()["judgements"][7]["won"] is None


def test_a_cap_ends_with_a_partial_result(endpoint: Endpoint, files: tuple[Path, Path], tmp_path: Path) -> None:
    script(endpoint)
    found = fw.judge(*files, spec(endpoint), home=tmp_path, calls=52, resamples=100)
    assert len(endpoint.bill().charged) <= 52
    assert found.cost["calls"] <= 52
    assert found.verdicts["invalid"] >= 20
    assert set(found.reasons) == {"over budget"}
    assert found.win_rate["n"] == 40 - found.verdicts["invalid"]
    with pytest.raises(OverBudgetError, match=r"reached while pairwise by m was tried.*\(3 calls paid so far, "):
        fw.judge(*files, spec(endpoint), home=tmp_path / "other", calls=3)
    whole = fw.judge(*files, spec(endpoint), home=tmp_path, resamples=100)
    assert whole.verdicts["invalid"] == 0
    assert len(endpoint.bill().charged) == 3 + 92


def test_gold_labels_and_length(endpoint: Endpoint, files: tuple[Path, Path], tmp_path: Path) -> None:
    script(endpoint)
    gold = labels(tmp_path / "gold.jsonl", [1] * 27 + ["B"] * 9 + ["tie"] * 2)
    found = fw.judge(*files, spec(endpoint), gold=gold, home=tmp_path, resamples=200)
    assert found.gold is not None
    own = found.gold["policies"]["wrong"]
    # 27 wins and 6 losses are right, of 38 labelled; both ties come after the labelled part: pairs 36 and 37.
    assert own["agreement"]["value"] == pytest.approx((27 + 6 + 2) / 38)
    assert found.gold["pairs"] == 38
    assert 0.7 < own["kappa"]["value"] < 1
    assert found.gold["baselines"]["longer"]["agreement"]["value"] == pytest.approx(9 / 38)
    assert found.gold["beats"] == {"longer": True, "coin": True}
    others = []
    for number, truths in enumerate(([3.0] * 20 + [1.0] * 21, [1.0] * 25 + [3.0] * 16)):
        other = answers(tmp_path / f"other{number}.jsonl", truths, length=10 + 30 * number)
        result = fw.judge(other, files[1], spec(endpoint), home=tmp_path, resamples=100)
        path = tmp_path / f"other{number}.json"
        path.write_text(json.dumps(result.as_dict()))
        others.append(path)
    controlled = fw.judge(*files, spec(endpoint), earlier=others, home=tmp_path, resamples=100).length_controlled
    assert controlled is not None
    assert controlled.n == 40
    assert controlled.low <= controlled.value <= controlled.high
    elsewhere = answers(tmp_path / "c.jsonl", [2.0] * 40, length=7)
    with pytest.raises(UsageError, match="judged against other answers than this B"):
        fw.judge(files[0], elsewhere, spec(endpoint), earlier=others, home=tmp_path)


def test_pairs_meet_in_order_and_references_follow_the_prompt(tmp_path: Path) -> None:
    a = write(tmp_path / "a.jsonl", [{"instruction": "p", "input": "", "output": text} for text in ("a1", "a2", "a3")])
    b = write(tmp_path / "b.json", [])
    b.write_text(json.dumps([{"prompt": "p", "response": "b1"}, {"prompt": "p", "response": "b2"}, {"prompt": "q"}]))
    reference = write(tmp_path / "r.jsonl", [{"messages": [
        {"role": "user", "content": "p"}, {"role": "assistant", "content": "right"}]}])  # fmt: skip
    pairs = read_pairs(a, b, reference)
    assert [case.answers for case in pairs.cases] == [("a1", "b1"), ("a2", "b2")]
    assert [case.reference for case in pairs.cases] == ["right", "right"]
    assert pairs.prompts[0] == pairs.prompts[1]
    assert len({case.id for case in pairs.cases}) == 2
    assert (pairs.only_in_a, pairs.only_in_b, pairs.left_out) == (1, 0, 1)
    both = write(tmp_path / "gold.jsonl", [{"prompt": "p", "label": "a"}, {"prompt": "p", "label": "tie"}])
    assert read_gold(both, pairs) == [Verdict.FIRST, Verdict.TIE]
    with pytest.raises(UsageError, match="no prompt has an answer in both"):
        read_pairs(a, write(tmp_path / "c.jsonl", [{"prompt": "z", "completion": "x"}]))
    with pytest.raises(UsageError, match=r"gold\.jsonl, line 1: the label 'better' is none of"):
        read_gold(write(tmp_path / "gold.jsonl", [{"prompt": "p", "label": "better"}]), pairs)
    with pytest.raises(UsageError, match="no label belongs to a prompt"):
        read_gold(write(tmp_path / "gold.jsonl", [{"prompt": "z", "label": 1}]), pairs)


def test_personas_of_one_opinion_are_one_vote(endpoint: Endpoint, files: tuple[Path, Path], tmp_path: Path) -> None:
    personas = ("a poet", "a judge", "a child")
    rules = [rule for persona in personas for rule in knows(known_cases(), list(RIGHT), persona)]
    endpoint.configure(rules=[*rules, {"rule": "judge"}])
    gold = labels(tmp_path / "gold.jsonl", [1] * 24 + [2] * 16)
    by = {"crowd_score": {"personas": personas}}
    found = fw.judge(*files, spec(endpoint), by, gold=gold, home=tmp_path, resamples=100)
    assert found.verdicts == {"first": 30, "second": 6, "tie": 4, "invalid": 0}
    assert found.gold is not None
    panel = found.gold["panel"]
    assert panel["effective_votes"] == pytest.approx(1)
    assert panel["members"] == pytest.approx([30 / 40] * 3)
    assert not panel["beats"]
    assert "does not beat its best member (75%)" in beats(found.gold)
    assert "effective votes: 1 of 3" in beats(found.gold)


def test_a_panel_of_models(endpoint: Endpoint, files: tuple[Path, Path], tmp_path: Path) -> None:
    wrong = {"rule": "judge", "model": "wrong", "accuracy": 1e-9, "ties": False, "slope": -20.0}
    endpoint.configure(rules=[*KNOWS, wrong, {"rule": "judge"}])
    models = [{**spec(endpoint), "model": name} for name in ("one", "two", "wrong")]
    found = fw.judge(*files, by={"panel": {"models": models}}, home=tmp_path, resamples=100)
    assert found.model == "one, two, wrong"
    assert found.verdicts == {"first": 30, "second": 6, "tie": 4, "invalid": 0}
    assert len(endpoint.bill().charged) == 3 * 92
    # Of the members' verdicts: the wrong one tosses a coin where the answers are equal.
    assert 0.95 < found.consistency <= 1
    assert found.first_position == pytest.approx(0.5, abs=0.05)
    assert found.invalid == 0


def test_a_small_model_in_a_folder_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
    from dataflywheel.models.training.tiny import init_tiny

    folder = init_tiny(pool_tokenizer([[message("user", "hello there " * 50)]]), "0.5m")
    with pytest.raises(FlywheelError, match=r"pairwise by .* got 0 of 6 obvious pairs right"):
        fw.judge(*files, str(folder), {"pairwise": {"max_tokens": 8}}, home=tmp_path)


def test_judges_by_name(tmp_path: Path) -> None:
    from dataflywheel.evolution.judging.session import make_judge

    assert make_judge({"pairwise": {"evidence": True}}, "folder").model_dump()["evidence"] is True
    assert make_judge({"panel": {"models": ["one", "two"]}}, None).name == "panel"
    with pytest.raises(UsageError, match="no judge 'pairwize'; did you mean 'pairwise'"):
        make_judge("pairwize", "folder")
    with pytest.raises(UsageError, match="unknown parameter 'evidense'"):
        make_judge({"pairwise": {"evidense": True}}, "folder")


def test_thoughts_are_not_judged(tmp_path: Path) -> None:
    turns = [
        {"role": "assistant", "content": "Four.", "reasoning_content": "Five? No."},
        {"role": "assistant", "content": "<think>\nFive? No.\n</think>\n\nFour."},
    ]
    a, b = (
        write(tmp_path / f"{name}.jsonl", [{"messages": [{"role": "user", "content": "2 + 2?"}, turn]}])
        for name, turn in zip("ab", turns, strict=True)
    )
    (case,) = read_pairs(a, b).cases
    assert case.answers == ("Four.", "Four.")
