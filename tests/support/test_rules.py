"""The rules that answer behind the scripted endpoint: their accuracy, bias and noise are what the plan says."""

from __future__ import annotations

import json
from collections import Counter
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.asking import chat, post, said
from tests.support.endpoint import Endpoint
from tests.support.endpoint.question import Question, body_key
from tests.support.endpoint.rules.judge import Judge
from tests.support.endpoint.rules.rater import Rater
from tests.support.endpoint.rules.recorded import Recorded, pandalm_entries, rubric_entries, write_entries
from tests.support.endpoint.rules.tagger import Tagger

IDS = r"\bid[\s=:\"']+([\w.:-]+)"


def question(text: str, schema: dict[str, Any] | None = None, **more: Any) -> Question:
    body = chat(text, **more)
    if schema:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    return Question("/v1/chat/completions", body, body_key("", body), 0, id_pattern=IDS)


def scores(rater: Rater, truth: float, count: int = 2000) -> list[float]:
    return [float(rater.answer(question(f"row {i} [[truth:{truth}]]"), 0).text) for i in range(count)]


def test_a_rater_is_as_accurate_biased_and_noisy_as_it_is_told() -> None:
    right = Counter(scores(Rater(rule="rater", accuracy=0.7), 2))
    assert right[2] / 2000 == pytest.approx(0.7, abs=0.04)
    assert all(right[k] / 2000 == pytest.approx(0.075, abs=0.03) for k in (1, 3, 4, 5))
    noisy = scores(Rater(rule="rater", low=0, high=100, bias=7, noise=5), 50)
    assert np.mean(noisy) == pytest.approx(57, abs=0.5)
    assert np.std(noisy) == pytest.approx(5, abs=0.4)
    matrix = [[0.0] * 5 for _ in range(5)]
    matrix[3] = [0.1, 0.0, 0.2, 0.6, 0.1]
    drawn = Counter(scores(Rater(rule="rater", matrix=matrix), 4))
    assert [drawn[k] / 2000 for k in range(1, 6)] == pytest.approx(matrix[3], abs=0.04)


def test_a_raters_distribution_centres_on_what_it_believes() -> None:
    answer = Rater(rule="rater", bias=0.3).answer(question("[[truth:3]]"), 0)
    assert sum(float(k) * p for k, p in answer.alternatives.items()) == pytest.approx(3.3, abs=0.05)
    yes = Rater(rule="rater", yes_no=True, low=0, high=1).answer(question("[[truth:0.8]]"), 0)
    assert yes.text == "Yes"
    assert sum(p for word, p in yes.alternatives.items() if word.lower() == "yes") == pytest.approx(0.8)
    drawn = [
        Rater(rule="rater", yes_no=True, low=0, high=1).answer(question(f"{i} [[truth:0.8]]", temperature=1), 0).text
        for i in range(1000)
    ]
    assert drawn.count("Yes") / 1000 == pytest.approx(0.8, abs=0.05)


def test_truth_comes_from_marks_then_from_ids_and_is_never_made_up() -> None:
    rater = Rater(rule="rater", truths={"r7": 2}, unknown="refuse")
    assert rater.answer(question("id: r7 [[truth:5]]"), 0).text == "5"
    assert rater.answer(question("id: r7"), 0).text == "2"
    assert "can't help" in rater.answer(question("id: r8"), 0).text


def test_answers_fill_the_schema_that_was_asked_for() -> None:
    row = {"type": "object", "properties": {"id": {"type": "string"}, "score": {"type": "integer"}}}
    many = {"type": "object", "properties": {"rows": {"type": "array", "items": {"$ref": "#/$defs/Row"}}}}
    many["$defs"] = {"Row": row}
    text = "id: r1 [[truth:2]] id: r2 [[truth:5]]"
    found = json.loads(Rater(rule="rater").answer(question(text, many), 0).text)
    assert found == {"rows": [{"id": "r1", "score": 2}, {"id": "r2", "score": 5}]}
    choice = {"properties": {"better": {"enum": ["tie", "2", "1"]}, "why": {"type": "string"}}, "type": "object"}
    verdict = json.loads(Judge(rule="judge").answer(question("[[truth:1]] [[truth:3]]", choice), 0).text)
    assert verdict["better"] == "2"
    form = '{"id": "...", "score": 1-5, "all": [{"sure": true | false, "is": "4" | "3"}, ...]}'
    described = question(f"id: r1 [[truth:3]]\nReply with one JSON object of this form and nothing else: {form}")
    assert json.loads(Rater(rule="rater").answer(described, 0).text) == {
        "id": "r1", "score": 3, "all": [{"sure": True, "is": "3"}],
    }  # fmt: skip


def verdicts(judge: Judge, first: float, second: float, texts: tuple[str, str] = ("x", "y")) -> dict[str, float]:
    count = 1500
    asked = f"[[truth:{first}]]{texts[0]}[[end]] [[truth:{second}]]{texts[1]}[[end]]"
    said = Counter(judge.answer(question(f"{i} {asked}"), 0).text for i in range(count))
    return {label: said[label] / count for label in ("A", "B", "tie")}


def test_a_judge_is_as_accurate_and_biased_as_it_is_told() -> None:
    assert verdicts(Judge(rule="judge"), 4, 2) == {"A": 1, "B": 0, "tie": 0}
    assert verdicts(Judge(rule="judge"), 3, 3)["tie"] > 0.999
    assert verdicts(Judge(rule="judge", accuracy=0.8), 2, 4)["B"] == pytest.approx(0.8, abs=0.04)
    biased = Judge(rule="judge", slope=1.0, position_bias=1.0, ties=False)
    assert verdicts(biased, 2, 3)["A"] == pytest.approx(0.5, abs=0.05)
    assert verdicts(biased, 3, 3)["A"] == pytest.approx(1 / (1 + exp(-1)), abs=0.05)
    longer = Judge(rule="judge", slope=0.0, length_bias=1.0, ties=False)
    assert verdicts(longer, 3, 3, ("x" * 300, "y" * 100))["A"] == pytest.approx(0.75, abs=0.05)
    answer = biased.answer(question("[[truth:3]] a [[truth:3]] b"), 0)
    assert answer.alternatives["A"] == pytest.approx(1 / (1 + exp(-1)))
    assert Judge(rule="judge").answer(question("one [[truth:4]]"), 0).text == "4"


def test_a_tagger_forgets_invents_and_spells_as_often_as_it_is_told() -> None:
    plain = json.loads(Tagger(rule="tagger").answer(question("[[tags:algebra,sql]]"), 0).text)
    assert [one["tag"] for one in plain] == ["algebra", "sql"]
    careless = Tagger(rule="tagger", drop=0.25, variants=0.5, invent=0.1)
    said = [
        [one["tag"] for one in json.loads(careless.answer(question(f"{i} [[tags:algebra]]"), 0).text)]
        for i in range(1000)
    ]
    invented = sum(any(tag.startswith("invented") for tag in tags) for tags in said)
    told = [tag for tags in said for tag in tags if not tag.startswith("invented")]
    assert invented / 1000 == pytest.approx(0.1, abs=0.03)
    assert len(told) / 1000 == pytest.approx(0.75, abs=0.04)
    assert told.count("algebra") / len(told) == pytest.approx(0.5, abs=0.05)


def test_recorded_judgements_are_played_back_in_either_order(data: Path, tmp_path: Path) -> None:
    entries = pandalm_entries(data, "gpt-3.5-turbo")
    assert Counter(e.verdict for e in entries) == {"first": 460, "second": 476, "tie": 38, "": 25}
    rule = Recorded(rule="recorded", file=write_entries(entries, tmp_path / "gpt.json"))
    prompts = Counter((*e.contains, frozenset(e.answers or ())) for e in entries)
    labels = {"first": "A", "second": "B", "tie": "tie"}
    turned = {"A": "B", "B": "A", "tie": "tie"}
    for entry in [e for e in entries if prompts[(*e.contains, frozenset(e.answers or ()))] == 1][::3]:
        assert entry.answers is not None
        first, second = entry.answers
        asked = "\n".join(entry.contains)
        forward = rule.answer(question(f"{asked}\n1:\n{first}\n2:\n{second}"), 0).text
        backward = rule.answer(question(f"{asked}\n1:\n{second}\n2:\n{first}"), 0).text
        expected = labels.get(entry.verdict, "garbage")
        assert (forward, backward) == (expected, turned.get(expected, "garbage"))
    assert rule.answer(question("[[record:3]]"), 0).text == labels[entries[3].verdict]
    assert "can't help" in rule.answer(question("never seen"), 0).text


def test_recorded_scores_are_drawn_sample_by_sample(data: Path, tmp_path: Path) -> None:
    entries = rubric_entries(data)
    rule = Recorded(rule="recorded", file=write_entries(entries, tmp_path / "rubric.json"))
    entry = next(e for e in entries if len(set(e.scores)) > 1)
    found = {rule.answer(question(entry.contains[0], temperature=1), choice).text for choice in range(40)}
    assert found == {f"{score:g}" for score in entry.scores}


@pytest.mark.slow
def test_a_tiny_model_answers_with_its_own_probabilities(endpoint: Endpoint) -> None:
    from tests.models.copy_skill import copy_model

    endpoint.configure(rules=[{"rule": "tiny", "folder": str(copy_model())}])
    choice = said(endpoint, "repeat amber basil", max_tokens=12, logprobs=True, top_logprobs=3)
    assert choice["message"]["content"] == "amber basil"
    assert choice["finish_reason"] == "stop"
    tokens = choice["logprobs"]["content"]
    assert "".join(one["token"] for one in tokens) == "amber basil"
    assert all(one["top_logprobs"][0]["logprob"] == one["logprob"] <= 0 for one in tokens)
    body = {"model": "m", "prompt": "### User:\nrepeat jadar celil", "max_tokens": 2, "n": 2, "temperature": 1}
    replies = [json.loads(post(endpoint, {**body, "seed": seed}, "/v1/completions")[2]) for seed in (1, 1, 2)]
    assert replies[0]["choices"][0]["finish_reason"] == "length"
    assert [c["text"] for c in replies[0]["choices"]] != [c["text"] for c in replies[2]["choices"]]
