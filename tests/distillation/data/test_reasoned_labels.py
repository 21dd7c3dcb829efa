"""Verdicts with reasons as rows, one by one; and what a small student learns from them."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataflywheel.contracts import Columns, Status
from dataflywheel.distillation.data.reasoned_labels import ASK, REASON, SCORE, VERDICT, ReasonedLabels
from dataflywheel.proposing.kinds import Demand, Proposal
from dataflywheel.rows.identity import make_row, prompt_answer_row
from dataflywheel.rows.schema import Message, Row, message
from tests.signals.toxic_words import INSULTS, sentences

STATUS = f"{VERDICT.partition('.')[0]}.status"


def one(text: str, **more: Any) -> Row:
    return make_row([message("user", text)], **more)


def proposed(rows: list[Row], said: list[tuple[int | None, float, str]], **given: Any) -> list[Proposal]:
    """What comes of rows with these verdicts, scores and reasons."""
    verdicts = [np.nan if toxic is None else toxic for toxic, _, _ in said]
    values = {
        VERDICT: np.array(verdicts, dtype=float),
        SCORE: np.array([np.nan if toxic is None else score for toxic, score, _ in said]),
        REASON: np.array([reason for _, _, reason in said], dtype=object),
        STATUS: np.array([Status.FAILED if toxic is None else Status.OK for toxic, _, _ in said]),
    }
    columns = Columns(np.array([row["id"] for row in rows], dtype=object), values)
    rng = np.random.default_rng(0)
    return ReasonedLabels(**given).propose(Demand(tuple(rows), (0,) * len(rows), (), rng, columns=columns))


def test_a_verdict_and_its_reason_become_the_answer() -> None:
    rows = [
        one("you grobblehead", tags=["chat"], source="forum", extra={"note": 7}, weight=0.5),
        prompt_answer_row("How are you?", "Fine."),
        one("I said snorfling", label="hate"),
    ]
    made = proposed(rows, [(1, 0.9, "it calls\n someone a name"), (0, 0.1, "small talk"), (1, 0.7, "an insult")])
    said = [proposal.row for proposal in made]
    assert all(said)
    texts = [[turn["content"] for turn in row["messages"]] for row in said if row]
    assert texts == [
        [f"{ASK}\n\nyou grobblehead", "toxic\nit calls someone a name"],
        [f"{ASK}\n\nuser: How are you?\n\nassistant: Fine.", "not toxic\nsmall talk"],
        [f"{ASK}\n\nI said snorfling", "toxic\nan insult"],
    ]
    assert [row["label"] for row in said if row] == ["toxic", "not toxic", "hate"]
    first = said[0]
    assert first is not None
    assert (first["tags"], first["source"], first["weight"]) == (["chat"], "forum", 0.5)
    assert '"note":7' in first["extra"]
    assert first["parents"] == [rows[0]["id"]]


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"reasons": False}, "toxic"),
        ({"first": "reason"}, "an insult\ntoxic"),
        ({}, "toxic\nan insult"),
    ],
)
def test_the_answer_has_what_was_asked_for(given: dict[str, Any], answer: str) -> None:
    (made,) = proposed([one("you grobblehead")], [(1, 0.9, "an insult")], **given)
    assert made.row is not None
    assert made.row["messages"][-1]["content"] == answer


def test_rows_that_nothing_comes_of_say_why_and_stay() -> None:
    pair = make_row([message("user", "a"), message("assistant", "b")], rejected=[message("assistant", "c")])
    rows = [one("a"), one("b"), one("c", label="fine"), one("d", label="toxic"), pair, one(" ")]
    said = [(None, 0.0, ""), (1, 0.55, "r"), (1, 0.9, "r"), (0, 0.1, "r"), (1, 0.9, "r"), (1, 0.9, "r")]
    made = proposed(rows, said, least=0.1)
    assert [proposal.failure for proposal in made] == [
        "not judged",
        "the model was not sure",
        "its own label says otherwise",
        "its own label says otherwise",
        "not only a text: media, tools or a pair of answers",
        "no text",
    ]
    assert all(proposal.row is None and proposal.before is row for proposal, row in zip(made, rows, strict=True))


def test_the_gate_of_language_is_none_of_its_own() -> None:
    assert [name for name, _ in ReasonedLabels.own_gates()] == ["contamination"]


def rows_of(n: int, seed: int, reasons: bool) -> tuple[list[list[Message]], list[bool]]:
    """Rows of verdicts as the method writes them, with a reason that names the word, or the subject."""
    pairs = sentences(n, seed)
    said = []
    for text, toxic in pairs:
        insult = next((word for word in INSULTS if word in text), "")
        said.append((int(toxic), 0.9 if toxic else 0.1, f"it says {insult}" if toxic else "it insults nobody"))
    made = proposed([one(text) for text, _ in pairs], said, reasons=reasons)
    return [p.row["messages"] for p in made if p.row], [toxic for _, toxic in pairs]


def student(rows: list[list[Message]], folder: Path, seed: int) -> Path:
    from dataflywheel.models.language.pool_tokenizer import pool_tokenizer
    from dataflywheel.models.training.tiny import init_tiny
    from dataflywheel.models.training.train_settings import TrainSettings
    from dataflywheel.models.training.training import train_sft

    cache = Path(os.environ["FLYWHEEL_CACHE"])
    every, _ = rows_of(240, 0, True)
    start = init_tiny(pool_tokenizer(every, cache_dir=cache), "0.5m", seed=seed, cache_dir=cache)
    settings = TrainSettings(max_steps=80, batch_size=32, learning_rate=3e-3, dtype="float32", seed=seed)
    train_sft(rows, start, folder, settings)
    return folder


def accuracy(folder: Path, rows: list[list[Message]], truth: list[bool]) -> float:
    """Share of texts whose right label is likelier to begin the answer than the other."""
    from dataflywheel.models.language.language_model import LanguageModel
    from dataflywheel.models.spec import ModelSpec

    model = LanguageModel.load(ModelSpec(hf=str(folder)))
    said = []
    for label in ("toxic", "not toxic"):
        encoded = model.encode([[row[0], message("assistant", label)] for row in rows])
        said.append([float(logprobs[:-1].sum()) for logprobs in model.answer_scores(encoded).logprobs])
    return float(np.mean((np.array(said[0]) > np.array(said[1])) == np.array(truth)))


@pytest.mark.slow
def test_students_with_and_without_reasons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held, truth = rows_of(100, 99, True)
    found: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(5):
        for reasons in (True, False):
            rows, _ = rows_of(200, seed, reasons)
            found[reasons].append(accuracy(student(rows, tmp_path / f"{seed}{reasons}", seed), held, truth))
    with capsys.disabled():
        for reasons, values in found.items():
            told = f"students {'with' if reasons else 'without'} reasons"
            print(f"\n{told}: {np.mean(values):.3f} +- {statistics.stdev(values):.3f}, {values}")
    assert max(np.mean(values) for values in found.values()) > 0.7
