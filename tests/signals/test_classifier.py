"""A sequence classifier's scores as a signal and as a gate, against plain transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import Status, UsageError
from dataflywheel.proposing.gates.classified import Classified
from dataflywheel.proposing.kinds import Surroundings
from dataflywheel.recipe.execute import run
from dataflywheel.recipe.planning.plan import plan
from dataflywheel.rows.identity import prompt_answer_row
from dataflywheel.rows.parts import read_rows
from dataflywheel.rows.schema import table
from dataflywheel.rows.text import text_of
from dataflywheel.signals.model.classifier import Classifier
from tests.evolution.judging.test_reward_model import CHAT, made
from tests.proposing.gates.proposals import new
from tests.recipe.jobs import job

ROWS = [
    prompt_answer_row("How high is the hill?", "High."),
    prompt_answer_row("Why?", "It rains and it rains in the town."),
    prompt_answer_row("Say", ""),
]


def named(folder: Path, labels: list[str], problem: str | None = None) -> str:
    """The model of that folder with names for its outputs."""
    import json

    path = folder / "config.json"
    config = json.loads(path.read_text())
    config |= {"id2label": dict(enumerate(labels)), "label2id": {name: i for i, name in enumerate(labels)}}
    path.write_text(json.dumps(config | ({"problem_type": problem} if problem else {})))
    return str(folder)


def plain(folder: str, text: str) -> Any:
    """Logits of one text, (labels,)."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokens, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.inference_mode():
        return model.eval()(**tokens(text, return_tensors="pt")).logits[0]


def measured(signal: Classifier, rows: list[Any] = ROWS) -> dict[str, list[Any]]:
    found = signal.measure(table(rows).combine_chunks().to_batches()[0])
    return {name: list(np.asarray(values).tolist()) for name, values in found.items()}


@pytest.mark.parametrize("problem", [None, "multi_label_classification"])
def test_probabilities_of_labels_are_those_of_transformers(tmp_path: Path, problem: str | None) -> None:
    hf = named(made(tmp_path / "three", None, 3), ["bad", "fair", "Good"], problem)
    found = measured(Classifier(hf=hf, label="good", batch=2))
    for i, row in enumerate(ROWS):
        logits = plain(hf, text_of(row["messages"]))
        share = logits.sigmoid() if problem else logits.softmax(-1)
        assert found["score"][i] == pytest.approx(float(share[2]), abs=1e-5)
        assert found["label"][i] == ["bad", "fair", "Good"][int(logits.argmax())]
    assert found["status"] == [Status.OK] * 3
    assert measured(Classifier(hf=hf, label=2, batch=1))["score"] == pytest.approx(found["score"], abs=1e-6)


def test_one_output_is_the_score_as_it_is(tmp_path: Path) -> None:
    hf = str(made(tmp_path / "one", None, 1))
    found = measured(Classifier(hf=hf))
    expected = [float(plain(hf, text_of(row["messages"]))[0]) for row in ROWS]
    assert found["score"] == pytest.approx(expected, abs=1e-5)
    assert found["label"] == [None] * 3


def test_parts_and_chats_are_what_is_read(tmp_path: Path) -> None:
    hf = str(made(tmp_path / "chat", CHAT, 1))
    answers = measured(Classifier(hf=hf, part="answer"))
    assert answers["score"][0] == pytest.approx(float(plain(hf, "High.")[0]), abs=1e-5)
    assert answers["status"] == [Status.OK, Status.OK, Status.EMPTY]
    assert np.isnan(answers["score"][2])
    chats = measured(Classifier(hf=hf))
    assert chats["score"] == measured(Classifier(hf=hf, part="chat"))["score"]
    assert chats["score"][0] != pytest.approx(measured(Classifier(hf=hf, part="all"))["score"][0])
    long = [prompt_answer_row("Why?", "It rains in the town . " * 50)]
    assert measured(Classifier(hf=hf, part="all"), long)["status"] == [Status.TRUNCATED]


def test_the_gate_turns_away_what_is_out_of_bounds(tmp_path: Path) -> None:
    hf = str(made(tmp_path / "one", None, 1))
    scores = measured(Classifier(hf=hf))["score"][:2]
    level = sum(scores) / 2
    proposals = [new("How high is the hill?", "High."), new("Why?", "It rains and it rains in the town.")]
    low = Classified(hf=hf, least=level).check(proposals, Surroundings())
    high = Classified(hf=hf, most=level).check(proposals, Surroundings())
    assert [check.passed for check in low] == [score >= level for score in scores]
    assert [check.passed for check in high] == [score <= level for score in scores]
    assert {check.reason for check in (*low, *high) if not check.passed} == {"scored too low", "scored too high"}
    (empty,) = Classified(hf=hf, part="answer", least=-1e9).check([new("Say", "")], Surroundings())
    assert (empty.passed, empty.reason) == (False, "not classified")
    with pytest.raises(ValueError, match="give `least`, `most` or both"):
        Classified(hf=hf)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "has several: bad, fair, good; name the one"),
        ({"label": "goood"}, "has no 'goood'; did you mean 'good'"),
        ({"label": 3}, "has no 3"),
    ],
)
def test_what_cannot_be_scored_is_refused_before_anything_runs(
    tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    hf = named(made(tmp_path / "three", None, 3), ["bad", "fair", "good"])
    filtered = {"filter": {"bounds": {"graded.score": [0.2, None]}}}
    signals = {"graded": {"classifier": {"hf": hf, **given}}}
    with pytest.raises(UsageError, match=said):
        plan(job(tmp_path, [filtered], signals=signals))
    with pytest.raises(ValueError, match="is not a model folder"):
        Classifier(hf=str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="has no chat template"):
        measured(Classifier(hf=hf, label="good", part="chat"))


def test_a_recipe_filters_by_its_score_and_keeps_why(tmp_path: Path) -> None:
    hf = named(made(tmp_path / "three", None, 3), ["bad", "fair", "good"])
    given = {"graded": {"classifier": {"hf": hf, "label": "good"}}}
    recipe = job(tmp_path, [{"filter": {"bounds": {"graded.score": [0.3, None]}}}], signals=given)
    found = run(recipe, runs=tmp_path / "runs", home=tmp_path / "store")
    rows = read_rows(found.path / "round-1/00-pool/rows").to_pylist()
    scores = dict(zip([r["id"] for r in rows], measured(Classifier(hf=hf, label="good"), rows)["score"], strict=True))
    kept = set(read_rows(found.path / "round-1/01-filter/rows", ["id"])["id"].to_pylist())
    assert 0 < len(kept) < len(rows)
    assert kept == {id for id, score in scores.items() if score >= np.float32(0.3)}


def test_a_language_model_is_no_classifier(tmp_path: Path) -> None:
    from transformers import AutoTokenizer, BertConfig, BertForMaskedLM

    folder = made(tmp_path / "model", None, 1)
    size = {"vocab_size": 40, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    BertForMaskedLM(BertConfig(**size, num_attention_heads=2)).save_pretrained(tmp_path / "lm")
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "lm")
    with pytest.raises(UsageError, match=r"no sequence classifier: it has no weights of .*classifier"):
        measured(Classifier(hf=str(tmp_path / "lm"), label=1))


def test_a_plan_prices_what_the_classifier_reads(tmp_path: Path) -> None:
    hf = named(made(tmp_path / "two", None, 2), ["bad", "good"])
    step = {"filter": {"bounds": {"fine.score": [0.5, None]}}}
    found = plan(job(tmp_path, [step], signals={"fine": {"classifier": {"hf": hf, "label": "good"}}}))
    assert found.steps[0].cost.forward == found.pool.rows > 0
    assert found.steps[0].cost.tokens == found.pool.tokens


def test_labels_of_one_name_are_told_apart_by_their_place(tmp_path: Path) -> None:
    hf = named(made(tmp_path / "three", None, 3), ["bad", "good", "good"])
    for wrong in ("good", "GOOD"):
        with pytest.raises(ValueError, match=r"has 2 of the name '(good|GOOD)'; name it by its place, 1 and 2"):
            Classifier(hf=hf, label=wrong)
    first, second = (measured(Classifier(hf=hf, label=place))["score"] for place in (1, 2))
    assert first != second
    cased = named(made(tmp_path / "cased", None, 2), ["good", "Good"])
    assert measured(Classifier(hf=cased, label="Good")) == measured(Classifier(hf=cased, label=1))
    filtered = {"filter": {"bounds": {"tone.score": [0.2, None]}}}
    with pytest.raises(UsageError, match=r"signals\.tone: classifier: label: .* has 2 of the name 'good'"):
        plan(job(tmp_path, [filtered], signals={"tone": {"classifier": {"hf": hf, "label": "good"}}}))


def test_errors_have_the_name_of_the_recipe(tmp_path: Path) -> None:
    hf = named(made(tmp_path / "two", None, 2), ["bad", "good"])
    steps = [{"filter": {"bounds": {"tone.score": [0.2, None], "mood.score": [0.2, None]}}}]

    def having(**mood: Any) -> Any:
        tone = {"hf": hf, "label": "good"}
        return job(tmp_path, steps, signals={"tone": {"classifier": tone}, "mood": {"classifier": mood}})

    with pytest.raises(UsageError, match=r"signals\.mood: classifier: .*label: .* has no 'nice'"):
        plan(having(hf=hf, label="nice"))
    with pytest.raises(UsageError, match=r"signals\.mood: part: chat, but .* has no chat template"):
        run(having(hf=hf, label="good", part="chat"), runs=tmp_path / "runs", home=tmp_path / "store")
